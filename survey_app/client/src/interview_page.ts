// The page of one interview on the tablet: the questionnaire that the server drew, as a kiosk.
import { definitionIn } from './definition.ts';
import type { RecordBody } from './envelope.ts';
import { Kiosk } from './kiosk.ts';
import type { Finished } from './kiosk.ts';
import { QuestionnairePage } from './questionnaire_page.ts';
import { isAskedOn, localDay } from './tablet_app.ts';
import type { Bundle, BundleQuestionnaire, TabletApp } from './tablet_app.ts';
import { keepWorker } from './worker_registration.ts';

const START = '/tablette/';

/** Bring the page to life; a tablet that is not enrolled, or no longer offers this questionnaire, goes to the start. */
export async function startInterview(app: TabletApp, form: HTMLFormElement): Promise<void> {
  neverShownAgain(form);
  const definition = definitionIn(document);
  const [device, bundle, today] = await Promise.all([app.enrolment.device(), app.bundle(), app.today()]);
  const { questionnaire = '' } = form.dataset;
  const offered = bundle?.questionnaires.find((candidate) => candidate.questionnaire_digest === questionnaire);
  if (!device || !bundle || !offered || !definition || !isAskedOn(today, offered.opens_on, offered.closes_on)) return restart();
  const practice = location.hash === '#practice';
  document.body.toggleAttribute('data-practice', practice);
  const page = new QuestionnairePage(form, definition, { mode: 'tablet', site: device.site });
  const save = async (finished: Finished): Promise<void> => {
    const interview = await interviewFrom(app, finished, offered, bundle, practice);
    await app.outbox.append(interview, device.device, localDay(new Date()));
    void app.send();
  };
  new Kiosk(page, { now: () => Date.now(), after, save, restart, keepPartial: offered.partial_policy === 'keep' }).start();
  void keepWorker(() => false);
  app.keepSending();
}

async function interviewFrom(app: TabletApp, finished: Finished, offered: BundleQuestionnaire, bundle: Bundle, practice: boolean) {
  const offset = (await app.store.fact<number>('clock_offset_ms')) ?? null;
  const body: RecordBody = {
    answers: finished.answers,
    language: document.documentElement.lang,
    site: null,
    complete: finished.complete,
    practice,
    started_at: new Date(finished.startedAt).toISOString(),
    finished_at: new Date().toISOString(),
    clock_offset_ms: offset,
    assisted: null,
  };
  const { wave, questionnaire_digest: questionnaireDigest } = offered;
  const { bundle_digest: bundleDigest, sealing_key: sealingKey } = bundle;
  return { id: finished.id, revision: 1, wave, questionnaireDigest, bundleDigest, sealingKey, body };
}

/** A page that the browser reloads, brings back from its memory or refills by itself: the next person chooses a language. */
function neverShownAgain(form: HTMLFormElement): void {
  const [opened] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (opened && opened.type !== 'navigate') restart();
  form.autocomplete = 'off';
  history.scrollRestoration = 'manual';
  window.addEventListener('pagehide', () => form.reset());
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) restart();
  });
}

function restart(): void {
  location.replace(START);
}

function after(milliseconds: number, work: () => void): () => void {
  const timer = window.setTimeout(work, milliseconds);
  return () => window.clearTimeout(timer);
}

