// How the next person answers, as the agent says when handing over. It lasts for one person, and not while nobody is there.
import { isPractice } from './agent_corner.ts';

/** As long as an interview waits for somebody by default. */
export const FORGOTTEN_AFTER_MS = 120_000;

const buttons = (): NodeListOf<HTMLElement> => document.querySelectorAll<HTMLElement>('[data-handover]');

export class Handover {
  private touchedAt = 0;
  private timer = 0;

  listen(): void {
    for (const button of buttons()) button.addEventListener('click', () => choose(button, button.getAttribute('aria-pressed') !== 'true'));
    for (const type of ['pointerdown', 'keydown']) document.addEventListener(type, () => this.touched(), { passive: true, capture: true });
  }

  /** Without an entry in the history: from an interview there is no way back to anything. */
  begin(path: string): void {
    const handedOver = document.querySelector<HTMLElement>('[data-handover][aria-pressed="true"]')?.dataset['handover'];
    const marks = [isPractice() ? 'practice' : null, handedOver].filter((mark) => mark);
    location.replace(marks.length > 0 ? `${path}#${marks.join('+')}` : path);
  }

  /** While a tablet sleeps its timers do, too: the clock on the wall tells whether this finger is somebody else's. */
  private touched(): void {
    window.clearTimeout(this.timer);
    if (Date.now() - this.touchedAt > FORGOTTEN_AFTER_MS) forget();
    this.touchedAt = Date.now();
    this.timer = window.setTimeout(forget, FORGOTTEN_AFTER_MS);
  }
}

const forget = (): void => choose(null, false);

/** A second tap takes it back, and then nobody said. */
function choose(button: HTMLElement | null, chosen: boolean): void {
  for (const one of buttons()) one.setAttribute('aria-pressed', String(one === button && chosen));
}
