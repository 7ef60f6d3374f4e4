// The website form with JavaScript: smoother, never different. The server keeps the rules and the last word.
import { definitionIn } from './definition.ts';
import { QuestionnairePage } from './questionnaire_page.ts';

const form = document.querySelector<HTMLFormElement>('form[data-questionnaire]');
const definition = definitionIn(document);

if (form && definition) {
  const { mode = 'website', site } = form.dataset;
  new QuestionnairePage(form, definition, { mode, site: site || null }).start();
  sendOnce(form);
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
