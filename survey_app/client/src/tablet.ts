// The tablet: the start page, or the page of one interview.
import { startInterview } from './interview_page.ts';
import { StartPage } from './start_page.ts';
import { TabletApp } from './tablet_app.ts';

const app = new TabletApp();
const form = document.querySelector<HTMLFormElement>('form[data-questionnaire]');

void (form ? startInterview(app, form) : new StartPage(app).start());
