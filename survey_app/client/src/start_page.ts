// The first page of the tablet: enrolment, the choice of a language, and what the agent may look at and do.
import { whyRefused } from './enrolment.ts';
import type { Device, EnrolmentResult } from './enrolment.ts';
import type { OutboxRecord } from './outbox.ts';
import { isAskedOn } from './tablet_app.ts';
import type { TabletApp } from './tablet_app.ts';
import { keepWorker } from './worker_registration.ts';

type Name = 'refused' | 'enrolment' | 'languages' | 'closed' | 'revoked' | 'agent';

/** Nobody is in the middle of anything: a new version may take over. */
const IDLE: readonly (Name | null)[] = ['languages', 'closed', 'refused', 'revoked'];

export class StartPage {
  private readonly app: TabletApp;
  private shown: Name | null = null;

  constructor(app: TabletApp) {
    this.app = app;
  }

  async start(): Promise<void> {
    const refusal = whyRefused();
    if (refusal) return this.refuse(refusal);
    this.listen();
    element<HTMLInputElement>('agent-practice').checked = false; // a browser may fill it in again
    this.app.store.onfault = () => void this.showFault();
    const codeGiven = this.takeCodeFromAddress();
    try {
      const [device] = await Promise.all([this.app.enrolment.device(), this.app.bundle()]);
      await this.showFor(codeGiven ? null : device);
    } catch (error) {
      console.error('the database does not open', error instanceof Error ? error.name : error);
      this.refuse(this.app.store.fault ?? 'unsupported');
    }
    if (this.shown !== 'revoked') void keepWorker(() => IDLE.includes(this.shown));
    this.app.keepSending(() => this.afterRound());
    await this.app.outbox.probe();
  }

  /** A database that cannot be written asks nobody; one that can again goes on. */
  private async showFault(): Promise<void> {
    const { fault } = this.app.store;
    if (fault !== null) return this.refuse(fault);
    if (this.shown === 'refused') await this.showFor(await this.app.enrolment.device());
  }

  private async afterRound(): Promise<void> {
    if (this.app.store.fault !== null) await this.app.outbox.probe();
    await this.stopIfRevoked();
  }

  private refuse(reason: string): void {
    this.show('refused');
    for (const text of document.querySelectorAll<HTMLElement>('[data-reason]')) text.hidden = text.dataset['reason'] !== reason;
  }

  private async showFor(device: Device | null): Promise<void> {
    this.show(await this.screenFor(device));
  }

  private async screenFor(device: Device | null): Promise<Name> {
    if (device === null) return (await this.app.store.fact<boolean>('wiped')) ? 'revoked' : 'enrolment';
    const revoked = await this.app.store.fact<string | null>('revoked');
    return offer(device, await this.app.today()) && revoked !== device.device ? 'languages' : 'closed';
  }

  /** A revoked tablet delivers what it holds and asks nobody any more; one enrolled again starts again. */
  private async stopIfRevoked(): Promise<void> {
    const before = this.shown;
    if (before !== 'languages' && before !== 'closed') return;
    const device = await this.app.enrolment.device();
    if (device && (await this.app.store.fact<string | null>('revoked')) === device.device) await this.app.wipeIfDrained();
    const now = await this.screenFor(await this.app.enrolment.device());
    if (this.shown === before) this.show(now); // the agent may have opened the corner meanwhile
  }

  /** The QR code on the staff page carries the code behind the address, where no server log sees it. */
  private takeCodeFromAddress(): boolean {
    const code = decodeURIComponent(location.hash.slice(1));
    if (code === '') return false;
    element<HTMLInputElement>('enrolment-code').value = code;
    history.replaceState(null, '', location.pathname);
    return true;
  }

  private listen(): void {
    element<HTMLFormElement>('enrolment-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.enrol(element<HTMLInputElement>('enrolment-code').value);
    });
    for (const card of document.querySelectorAll<HTMLAnchorElement>('a[data-slug]')) {
      card.addEventListener('click', (event) => {
        event.preventDefault();
        begin(card.pathname);
      });
    }
    element('agent-open').addEventListener('click', () => void this.toggleAgent());
    element('agent-close').addEventListener('click', () => void this.toggleAgent());
    element('agent-send').addEventListener('click', () => void this.sendNow());
    element('agent-enrol').addEventListener('click', () => this.show('enrolment'));
    element('agent-retry').addEventListener('click', () => void this.retryQuarantined());
    element('agent-export').addEventListener('click', () => void this.exportRecords());
    element<HTMLInputElement>('agent-practice').addEventListener('change', () => {
      document.body.toggleAttribute('data-practice', isPractice());
    });
  }

  private async enrol(code: string): Promise<void> {
    describeEnrolment(null);
    const wiped = (await this.app.store.fact<boolean>('wiped')) ?? false;
    const result = await this.app.enrolment.enrol(code, (input, init) => fetch(input, init));
    if (result !== 'enrolled') return describeEnrolment(result);
    if (wiped) return location.reload(); // its worker and its files are to be fetched again
    void navigator.storage?.persist?.(); // not waited for: Firefox asks the person, who may never answer
    await this.showFor(await this.app.enrolment.device());
    await this.app.send();
  }

  private async toggleAgent(): Promise<void> {
    if (this.shown === 'agent') return this.showFor(await this.app.enrolment.device());
    await this.listRecords();
    this.show('agent');
  }

  private async listRecords(): Promise<void> {
    const records = await this.app.outbox.waiting();
    const list = element('agent-records');
    list.replaceChildren(...records.map((record) => line(record, list.dataset)));
    element('agent-retry').hidden = !records.some((record) => record.state === 'quarantined');
    element('agent-export').hidden = records.length === 0;
    const persisted = (await navigator.storage?.persisted?.()) ?? false;
    element('agent-storage').textContent = element('agent-storage').dataset[persisted ? 'kept' : 'unsure'] ?? '';
  }

  private async sendNow(): Promise<void> {
    await this.app.sync.hurry();
    await this.app.send();
    await this.listRecords();
  }

  private async retryQuarantined(): Promise<void> {
    for (const record of await this.app.outbox.waiting()) {
      if (record.state === 'quarantined') await this.app.outbox.mark(record, { state: 'queued', notBefore: 0, reason: null });
    }
    await this.sendNow();
  }

  /** A file with everything that waits, in the form in which the server takes many records at once. */
  private async exportRecords(): Promise<void> {
    const records = (await this.app.outbox.waiting()).map((record) => record.envelope);
    const address = URL.createObjectURL(new Blob([JSON.stringify({ records })], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = 'avis-en-attente.json';
    link.click();
    URL.revokeObjectURL(address);
  }

  private show(name: Name): void {
    this.shown = name;
    document.body.dataset['screen'] = name;
    for (const section of document.querySelectorAll<HTMLElement>('[data-screen-name]')) {
      section.hidden = section.dataset['screenName'] !== name;
    }
  }
}

/** Show the cards that this tablet may offer; says whether there is one. */
function offer(device: Device, today: string): boolean {
  let offered = false;
  for (const card of document.querySelectorAll<HTMLElement>('a[data-slug]')) {
    const { slug = '', language = '', sites = '', opensOn = '', closesOn = '' } = card.dataset;
    const allowed = device.slugs.length === 0 || device.slugs.includes(slug);
    const spoken = device.languages.length === 0 || device.languages.includes(language);
    card.hidden = !(allowed && spoken && isAskedOn(today, opensOn, closesOn) && sites.split(' ').includes(device.site));
    offered ||= !card.hidden;
  }
  return offered;
}

/** Without an entry in the history: from an interview there is no way back to anything. */
function begin(path: string): void {
  location.replace(isPractice() ? `${path}#practice` : path);
}

const isPractice = (): boolean => element<HTMLInputElement>('agent-practice').checked;

function describeEnrolment(result: EnrolmentResult | null): void {
  for (const text of document.querySelectorAll<HTMLElement>('[data-enrolment]')) text.hidden = text.dataset['enrolment'] !== result;
  element('enrolment-code').toggleAttribute('aria-invalid', result === 'wrong_code');
}

function line(record: OutboxRecord, words: DOMStringMap): HTMLElement {
  const item = document.createElement('li');
  const word = words[record.state] ?? record.state;
  const reason = record.reason === null ? '' : ` (${words[record.reason] ?? record.reason})`;
  item.textContent = `n° ${record.seq} · ${word}${reason}`;
  return item;
}

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`#${id} is missing from the page`);
  return found as T;
}
