// The page of one interview on the tablet: the questionnaire that the server drew, as a kiosk.
import { definitionIn } from './definition.ts';
import type { RecordBody } from './envelope.ts';
import { InterviewSaving } from './interview_saving.ts';
import type { Finished } from './interview_saving.ts';
import { Kiosk } from './kiosk.ts';
import type { Content } from './outbox.ts';
import { element, keepAbove } from './page_parts.ts';
import { QuestionnairePage } from './questionnaire_page.ts';
import { fillTheScreen, StayingAwake } from './staying_awake.ts';
import { isAskedOn, localDay } from './tablet_app.ts';
import type { Bundle, BundleQuestionnaire, TabletApp } from './tablet_app.ts';
import { keepWorker } from './worker_registration.ts';

const START = '/tablette/';
/** Until the server has said otherwise. */
const IDLE_SECONDS = 120;

/** Bring the page to life; a tablet that is not enrolled, or no longer offers this questionnaire, goes to the start. */
export async function startInterview(app: TabletApp, form: HTMLFormElement): Promise<void> {
  neverShownAgain(form);
  keepAbove(element('agent-corner'));
  await app.holdForInterview();
  const definition = definitionIn(document);
  const [device, bundle, today, revoked] = await Promise.all([app.enrolment.device(), app.bundle(), app.today(), app.store.fact<string | null>('revoked')]);
  const { questionnaire = '' } = form.dataset;
  const offered = bundle?.questionnaires.find((candidate) => candidate.questionnaire_digest === questionnaire);
  if (!device || revoked === device.device || !bundle || !offered || !definition || !isAskedOn(today, offered.opens_on, offered.closes_on)) return restart();
  const setting = settingOf(location.hash);
  if (setting.practice) markAsPractice();
  document.body.toggleAttribute('data-reading', setting.reading);
  const page = new QuestionnairePage(form, definition, { mode: 'tablet', site: device.site });
  const keepPartial = offered.partial_policy === 'keep';
  const content = (interview: Finished): Promise<Content> => contentOf(app, interview, offered, bundle, setting);
  const saving = new InterviewSaving(app.outbox, { locks: app.locks, keepPartial, content, day: () => localDay(new Date()) });
  const save = async (finished: Finished): Promise<void> => {
    await saving.finish(finished);
    void app.send();
  };
  const idleSeconds = (await app.store.fact<number>('idle_seconds')) ?? IDLE_SECONDS;
  const draft = (soFar: Finished): void => void saving.draft(soFar);
  const withdraw = (soFar: Finished): Promise<void> => saving.withdraw(soFar);
  new Kiosk(page, { now: () => Date.now(), elapsed, after, draft, save, withdraw, restart, keepPartial, idleSeconds }).start();
  new StayingAwake().start();
  document.getElementById('begin')?.addEventListener('click', fillTheScreen);
  void keepWorker(() => false);
  app.keepSending();
}

/** On every screen, and at the end instead of « Merci ». */
function markAsPractice(): void {
  document.body.toggleAttribute('data-practice', true);
  const thanks = element('thanks-title');
  thanks.textContent = thanks.dataset['inPractice'] ?? '';
}

/** What the agent said when handing over; it lasts for this one interview. */
interface Setting {
  readonly practice: boolean;
  readonly reading: boolean;
  readonly assisted: boolean | null;
}

function settingOf(hash: string): Setting {
  const marks = new Set(hash.slice(1).split('+'));
  const reading = marks.has('reading');
  const assisted = reading || marks.has('assisted') ? true : marks.has('alone') ? false : null;
  return { practice: marks.has('practice'), reading, assisted };
}

async function contentOf(app: TabletApp, finished: Finished, offered: BundleQuestionnaire, bundle: Bundle, { practice, assisted }: Setting): Promise<Content> {
  const offset = (await app.store.fact<number>('clock_offset_ms')) ?? null;
  const finishedAt = Date.now();
  const body: RecordBody = {
    answers: finished.answers,
    language: document.documentElement.lang,
    site: null,
    complete: finished.complete,
    practice,
    // Both by one look at the clock, which may be put right while somebody answers.
    started_at: new Date(finishedAt - (elapsed() - finished.startedAt)).toISOString(),
    finished_at: new Date(finishedAt).toISOString(),
    clock_offset_ms: offset,
    assisted,
  };
  const { wave, questionnaire_digest: questionnaireDigest } = offered;
  const { bundle_digest: bundleDigest, sealing_key: sealingKey } = bundle;
  return { id: finished.id, wave, questionnaireDigest, bundleDigest, sealingKey, body };
}

/** Milliseconds of this page, which no change of the clock moves. */
const elapsed = (): number => performance.now();

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

