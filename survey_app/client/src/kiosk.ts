// One interview on the tablet: welcome, one question per screen, « Merci », and back to the start with nothing left.
// What was answered so far goes to the outbox sealed; the last screen is one strict write, and only then « Merci ».
import type { ItemDefinition } from './definition.ts';
import { message } from './definition.ts';
import type { Finished } from './interview_saving.ts';
import type { QuestionnairePage } from './questionnaire_page.ts';
import { element, fill, focusOn, setHidden, showOnlyNamed } from './page_parts.ts';
import { screensOf, showOnly } from './screens.ts';
import type { Screen } from './screens.ts';
import { isAdvisedAndMissing } from './validation.ts';

export interface KioskWorld {
  /** The clock on the wall: it goes on while the tablet sleeps. */
  readonly now: () => number;
  /** Milliseconds that no change of the clock moves. */
  readonly elapsed: () => number;
  /** Run `work` after so many milliseconds; gives what cancels it. */
  readonly after: (milliseconds: number, work: () => void) => () => void;
  /** Keep the interview so far; never waited for. */
  readonly draft: (soFar: Finished) => void;
  /** Resolves when the record is on disk. */
  readonly save: (finished: Finished) => Promise<void>;
  /** The visitor takes back what they began; resolves when nothing of it is left here. */
  readonly withdraw: (soFar: Finished) => Promise<void>;
  /** Leave the page for the start, without a way back to it. */
  readonly restart: () => void;
  readonly keepPartial: boolean;
  /** How long nobody may touch the tablet before it asks whether anybody is there. */
  readonly idleSeconds: number;
}

type Name = 'welcome' | 'questions' | 'saving' | 'thanks' | 'failed' | 'unerased' | 'idle';

export const WARNING_SECONDS = 30;
const THANKS_SECONDS = 10;
/** While somebody types, a draft is kept when they pause, not at every letter. */
const TYPING_PAUSE_MS = 800;

export class Kiosk {
  private readonly page: QuestionnairePage;
  private readonly world: KioskWorld;
  private readonly screens: readonly Screen[];
  private readonly warned = new Set<string>();
  private current: Screen | null = null;
  private shown: Name = 'welcome';
  private beforeIdle: Name = 'welcome';
  private id = '';
  /** Whether the interview now being saved was answered to its end; a second try must not change it. */
  private complete = true;
  private startedAt = 0;
  private touchedAt = 0;
  private cancelTimer: () => void = () => undefined;
  private cancelDraft: () => void = () => undefined;

  constructor(page: QuestionnairePage, world: KioskWorld) {
    this.page = page;
    this.world = world;
    this.screens = screensOf(page.form);
  }

  start(): void {
    this.page.form.reset();
    this.page.start();
    this.page.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.next();
    });
    this.on('begin', () => this.begin());
    this.on('back', () => this.back());
    this.on('skip', () => this.skip());
    this.on('retry', () => void this.save());
    this.on('erase', () => void this.cancel());
    this.on('stay', () => this.stay());
    this.page.form.addEventListener('change', () => this.keepDraft());
    this.page.form.addEventListener('input', () => {
      this.cancelDraft();
      this.cancelDraft = this.world.after(TYPING_PAUSE_MS, () => this.keepDraft());
    });
    for (const button of document.querySelectorAll('[data-action="restart"]')) button.addEventListener('click', () => void this.cancel());
    for (const type of ['pointerdown', 'keydown', 'input']) document.addEventListener(type, () => this.touched(), { passive: true });
    document.addEventListener('visibilitychange', () => this.wake());
    this.show('welcome');
  }

  private begin(): void {
    if (this.id === '') {
      this.id = crypto.randomUUID();
      this.startedAt = this.world.elapsed();
    }
    this.go(this.onPath()[0] ?? null);
  }

  /** The screens with at least one relevant question. */
  private onPath(): Screen[] {
    const relevant = new Set(this.page.relevant().map((item) => item.name));
    return this.screens.filter((screen) => screen.items.some((name) => relevant.has(name)));
  }

  private itemsOf(screen: Screen): ItemDefinition[] {
    return this.page.relevant().filter((item) => screen.items.includes(item.name));
  }

  private go(screen: Screen | null): void {
    if (screen === null) return void this.finish(true);
    this.current = screen;
    this.keepDraft();
    showOnly(screen, this.page.form);
    this.describeProgress(screen);
    this.show('questions');
    const items = this.itemsOf(screen).filter((item) => item.type !== 'note');
    setHidden('skip', items.length === 0 || items.some((item) => item.requirement === 'required'));
    focusOn(screen.blocks.find((block) => !block.hidden) ?? null);
  }

  private describeProgress(screen: Screen): void {
    const path = this.onPath();
    const number = path.indexOf(screen) + 1;
    fill('progress-text', { number, count: path.length });
    const bar = document.querySelector<HTMLProgressElement>('#progress-bar');
    if (bar) {
      bar.max = path.length;
      bar.value = number;
    }
    const next = document.getElementById('next');
    const label = number === path.length ? next?.dataset['last'] : next?.dataset['label'];
    if (next && label) next.textContent = label;
  }

  private next(): void {
    const screen = this.current;
    if (screen === null || this.shown !== 'questions') return;
    const items = this.itemsOf(screen);
    const atFault = this.page.showFaults(items);
    if (atFault) return focusOn(atFault);
    if (this.asksOnceMore(items)) return;
    this.goBeside(screen, 1);
  }

  /** An advised question left empty is pointed out once; the second « Suivant » goes on. */
  private asksOnceMore(items: readonly ItemDefinition[]): boolean {
    const answers = this.page.answers();
    const missing = items.filter((item) => isAdvisedAndMissing(item, answers) && !this.warned.has(item.name));
    for (const item of missing) {
      this.warned.add(item.name);
      this.page.setMessage(item.name, message(this.page.definition, 'advised'));
    }
    return missing.length > 0;
  }

  private goBeside(screen: Screen, step: number): void {
    const path = this.onPath();
    this.go(path[path.indexOf(screen) + step] ?? null);
  }

  private back(): void {
    if (this.current === null || this.shown !== 'questions') return;
    if (this.onPath()[0] === this.current) return this.show('welcome');
    this.goBeside(this.current, -1);
  }

  /** « Je préfère ne pas répondre »: what was begun on this screen is taken away. */
  private skip(): void {
    if (this.current === null || this.shown !== 'questions') return;
    const items = this.itemsOf(this.current);
    for (const item of items) this.page.clear(item.name);
    this.goBeside(this.current, 1);
  }

  /** Repeated taps meet a screen that has already gone on; the record's id makes a second write the same write. */
  private async finish(complete: boolean): Promise<void> {
    if (this.shown === 'saving' || this.shown === 'thanks') return;
    this.complete = complete;
    await this.save();
  }

  /** `alone`: nobody is there any more to press again, so a failure ends the interview. */
  private async save(alone = false): Promise<void> {
    this.show('saving');
    try {
      await this.world.save(this.interview(this.complete));
    } catch (error) {
      console.error('saving failed', error instanceof Error ? error.name : error);
      return alone ? this.reset() : this.show('failed');
    }
    this.id = '';
    this.page.form.reset();
    if (this.complete) this.thank();
    else this.reset();
  }

  private interview(complete: boolean): Finished {
    return { id: this.id, answers: this.page.answersOnPath(), complete, startedAt: this.startedAt };
  }

  private keepDraft(): void {
    this.cancelDraft();
    if (this.id !== '' && (this.shown === 'questions' || this.shown === 'idle')) this.world.draft(this.interview(false));
  }

  private thank(): void {
    this.show('thanks');
    this.countDown('thanks-seconds', THANKS_SECONDS, () => this.reset());
  }

  private touched(): void {
    this.touchedAt = this.world.now();
    if (['welcome', 'questions', 'failed', 'unerased'].includes(this.shown)) this.waitForIdleness();
  }

  private waitForIdleness(): void {
    this.cancelTimer();
    this.cancelTimer = this.world.after(this.world.idleSeconds * 1_000, () => this.warn());
  }

  /** While a tablet sleeps its timers do, too: whoever wakes it is somebody else, and sees nothing of the one before. */
  private wake(): void {
    const asleep = this.world.now() - this.touchedAt > (this.world.idleSeconds + WARNING_SECONDS) * 1_000;
    if (document.visibilityState === 'visible' && asleep && ['welcome', 'questions', 'idle'].includes(this.shown)) this.abandon();
  }

  private warn(): void {
    if (this.shown === 'failed') return void this.save(true);
    if (this.shown === 'unerased') return void this.cancel();
    this.beforeIdle = this.shown;
    this.show('idle');
    fill('idle-said', { seconds: WARNING_SECONDS }); // once: a count-down read aloud would never end
    this.countDown('idle-seconds', WARNING_SECONDS, () => this.abandon());
  }

  private stay(): void {
    if (this.shown !== 'idle') return;
    const before = this.beforeIdle;
    this.show(before);
    if (before === 'questions') focusOn(this.current?.blocks.find((block) => !block.hidden) ?? null);
  }

  /** Somebody walked away: what the questionnaire keeps of it is saved, and the next person starts afresh. */
  private abandon(): void {
    const answered = Object.keys(this.page.answersOnPath()).length > 0;
    if (this.world.keepPartial && answered) void this.finish(false);
    else void this.cancel();
  }

  /** On purpose, or nothing is to be kept: nothing of it may be sent, and as long as this page stays nothing is. */
  private async cancel(): Promise<void> {
    try {
      if (this.id !== '') await this.world.withdraw(this.interview(false));
    } catch (error) {
      console.error('not withdrawn', error instanceof Error ? error.name : error);
      this.page.form.reset();
      return this.show('unerased');
    }
    this.reset();
  }

  private reset(): void {
    this.cancelTimer();
    this.cancelDraft();
    this.page.form.reset();
    globalThis.speechSynthesis?.cancel(); // a browser that reads aloud would go on into the next person's visit
    this.world.restart();
  }

  private countDown(id: string, seconds: number, end: () => void): void {
    this.cancelTimer();
    fill(id, { seconds });
    this.cancelTimer = this.world.after(1_000, () => (seconds > 1 ? this.countDown(id, seconds - 1, end) : end()));
  }

  private show(name: Name): void {
    this.shown = name;
    document.body.dataset['screen'] = name;
    showOnlyNamed('screen-name', name);
    element('idle-said').textContent = '';
    this.cancelTimer();
    this.touched();
    if (name !== 'questions') focusOn(document.querySelector<HTMLElement>(`[data-screen-name="${name}"]`));
  }

  private on(id: string, work: () => void): void {
    document.getElementById(id)?.addEventListener('click', work);
  }
}
