// The agent's corner: its state is for everybody to see, its acts ask for the agent's PIN (where there is one).
import { element, fill, setHidden, showOnlyNamed } from './page_parts.ts';
import type { OutboxRecord } from './outbox.ts';
import { PinGate } from './pin.ts';
import { rescueFile } from './rescue_file.ts';
import { localDay } from './tablet_app.ts';
import type { TabletApp } from './tablet_app.ts';

/** What the corner needs of the page that it is on. */
export interface CornerHost {
  readonly isShown: () => boolean;
  readonly show: (name: 'agent' | 'enrolment' | 'paused') => void;
  /** Back to what the tablet shows to everybody. */
  readonly close: () => Promise<void>;
  readonly check: () => Promise<void>;
  /** Let the screen sleep, and give the browser's bars back. */
  readonly leave: () => void;
}

/** As the interview's, so that open acts are not left to the next person. */
const CLOSES_AFTER_MS = 120_000;

export class AgentCorner {
  private readonly app: TabletApp;
  private readonly host: CornerHost;
  private readonly gate: PinGate;
  private idle = 0;
  private pause = 0;

  constructor(app: TabletApp, host: CornerHost) {
    this.app = app;
    this.host = host;
    this.gate = new PinGate(app.store);
  }

  listen(): void {
    const acts: Readonly<Record<string, () => unknown>> = {
      'agent-open': () => (this.host.isShown() ? this.host.close() : this.open()),
      'agent-close': () => this.host.close(),
      'agent-send': () => this.sendNow(),
      'agent-enrol': () => this.host.show('enrolment'),
      'agent-retry': () => this.retryQuarantined(),
      'agent-export': () => this.exportRecords(),
      'agent-leave': () => this.leave(),
    };
    for (const [id, act] of Object.entries(acts)) element(id).addEventListener('click', () => void act());
    for (const type of ['pointerdown', 'keydown']) document.addEventListener(type, () => this.touched(), { passive: true });
    element('pin-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.tryPin();
    });
    element('agent-practice').addEventListener('change', () => document.body.toggleAttribute('data-practice', isPractice()));
  }

  /** The corner is closed: the PIN is asked again next time. */
  forget(): void {
    window.clearTimeout(this.idle);
    window.clearTimeout(this.pause);
    element<HTMLInputElement>('pin').value = '';
    setHidden('agent-acts', true);
  }

  /** At once; what it shows comes as it is found. */
  private async open(): Promise<void> {
    for (const said of ['pin', 'sent']) showOnlyNamed(said, null);
    setHidden('pin-form', true);
    setHidden('agent-acts', true);
    this.host.show('agent');
    this.touched();
    await this.listRecords();
    const asks = await this.gate.asks();
    setHidden('pin-form', !asks);
    setHidden('agent-acts', asks);
    if (asks) await this.showPause();
    await this.host.check();
  }

  private touched(): void {
    window.clearTimeout(this.idle);
    if (this.host.isShown()) this.idle = window.setTimeout(() => void this.host.close(), CLOSES_AFTER_MS);
  }

  private async tryPin(): Promise<void> {
    const field = element<HTMLInputElement>('pin');
    const typed = field.value;
    field.value = '';
    const outcome = await this.gate.open(typed);
    if (!this.host.isShown()) return;
    setHidden('agent-acts', outcome.is !== 'open');
    setHidden('pin-form', outcome.is === 'open');
    showOnlyNamed('pin', outcome.is);
    if (outcome.is === 'wait') await this.showPause();
  }

  /** Counts down on the screen; the store, not the page, knows when the pause ends. */
  private async showPause(): Promise<void> {
    window.clearTimeout(this.pause);
    const seconds = await this.gate.secondsLeft();
    element<HTMLInputElement>('pin').disabled = seconds > 0;
    if (seconds > 0) showOnlyNamed('pin', 'wait');
    else if (!element('pin-wait').hidden) showOnlyNamed('pin', null);
    fill('pin-wait', { seconds });
    if (seconds > 0 && this.host.isShown()) this.pause = window.setTimeout(() => void this.showPause(), 1_000);
  }

  private async listRecords(): Promise<void> {
    const records = await this.app.outbox.waiting();
    const list = element('agent-records');
    list.replaceChildren(...records.map((record) => line(record, list.dataset)));
    setHidden('agent-retry', !records.some((record) => record.state === 'quarantined'));
    setHidden('agent-export', records.length === 0);
    const device = await this.app.enrolment.device();
    setHidden('agent-revoked', !device || (await this.app.store.fact<string | null>('revoked')) !== device.device);
    fill('agent-revoked', { count: await this.app.outbox.count() });
  }

  private async sendNow(): Promise<void> {
    showOnlyNamed('sent', null);
    const contact = await this.app.sendNow();
    await this.listRecords();
    fill('agent-sent-reached', { count: (await this.app.outbox.waiting()).length });
    showOnlyNamed('sent', contact);
  }

  private async retryQuarantined(): Promise<void> {
    for (const record of await this.app.outbox.waiting()) {
      if (record.state === 'quarantined') await this.app.outbox.mark(record, { state: 'queued', notBefore: 0, reason: null });
    }
    await this.sendNow();
  }

  /** A file with everything that waits, in the form in which the server takes many records at once. */
  private async exportRecords(): Promise<void> {
    const file = await rescueFile(await this.app.outbox.waiting(), this.app.enrolment);
    const address = URL.createObjectURL(new Blob([file], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `avis-en-attente-${wordsOf((await this.app.enrolment.device())?.name ?? 'tablette')}-${localDay(new Date())}.json`;
    link.click();
    URL.revokeObjectURL(address);
  }

  private leave(): void {
    this.host.leave();
    this.host.show('paused');
  }
}

export const isPractice = (): boolean => element<HTMLInputElement>('agent-practice').checked;

/** What any system takes as a part of a file's name. */
const wordsOf = (name: string): string => name.replace(/[^\p{L}\p{N}]+/gu, '-');

function line(record: OutboxRecord, words: DOMStringMap): HTMLElement {
  const item = document.createElement('li');
  const word = words[record.state] ?? record.state;
  const reason = record.reason === null ? '' : ` (${words[record.reason] ?? record.reason})`;
  item.textContent = `n° ${record.seq} · ${word}${reason}`;
  return item;
}
