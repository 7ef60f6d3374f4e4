// The tablet: the start page, or the page of one interview.
import { startInterview } from './interview_page.ts';
import { StartPage } from './start_page.ts';
import { TabletApp } from './tablet_app.ts';

const app = new TabletApp();
const form = document.querySelector<HTMLFormElement>('form[data-questionnaire]');

/** An interview that cannot even begin has nothing to keep: the start page says why. */
const explainAtTheStart = (error: unknown): void => {
  console.error('the interview does not begin', error instanceof Error ? error.name : error);
  location.replace('/tablette/');
};

void (form ? startInterview(app, form).catch(explainAtTheStart) : new StartPage(app).start());
