// The website form with JavaScript: smoother, never different. The server keeps the rules and the last word.
import { offerToCopy } from './copy_link.ts';
import { definitionIn } from './definition.ts';
import { QuestionnairePage } from './questionnaire_page.ts';
import { WebsiteSteps } from './website_steps.ts';

/** The modes whose form comes page by page; a sheet of paper is one page. */
const PAGE_BY_PAGE: ReadonlySet<string | undefined> = new Set(['website', 'personal_link']);
const form = document.querySelector<HTMLFormElement>('form[data-questionnaire]');

offerToCopy();
if (form) {
  begin(form);
  if (form.querySelector('[name=_state]') && PAGE_BY_PAGE.has(form.dataset['mode'])) new WebsiteSteps(begin).start();
  else sendOnce(form);
}

function begin(shown: HTMLFormElement): void {
  const definition = definitionIn(document);
  const { mode = 'website', site } = shown.dataset;
  if (definition) new QuestionnairePage(shown, definition, { mode, site: site || null }).start();
}

/** A second tap while the first is on its way does nothing; coming back to the page makes it usable again. */
function sendOnce(sent: HTMLFormElement): void {
  let onItsWay = false;
  sent.addEventListener('submit', (event) => {
    if (onItsWay) event.preventDefault();
    onItsWay = true;
  });
  window.addEventListener('pageshow', () => {
    onItsWay = false;
  });
}
