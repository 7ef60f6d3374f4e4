// The first page of the tablet: enrolment, the choice of a language, and what the agent may look at and do.
import { AgentCorner } from './agent_corner.ts';
import { whyRefused } from './enrolment.ts';
import type { Device, EnrolmentResult } from './enrolment.ts';
import { Handover } from './handover.ts';
import { element, fill, keepAbove, setHidden, showOnlyNamed } from './page_parts.ts';
import { checkReadiness } from './readiness.ts';
import { Refusals } from './refusals.ts';
import { StayingAwake } from './staying_awake.ts';
import { EMPTIED } from './store.ts';
import { isAskedOn } from './tablet_app.ts';
import type { TabletApp } from './tablet_app.ts';
import { keepWorker } from './worker_registration.ts';

type Name = 'refused' | 'enrolment' | 'languages' | 'closed' | 'revoked' | 'paused' | 'agent';

/** How long a refusal can be taken back. */
const UNDO_MS = 8_000;

/** Nobody is in the middle of anything: a new version may take over. */
const IDLE: readonly (Name | null)[] = ['languages', 'closed', 'refused', 'revoked'];

export class StartPage {
  private readonly app: TabletApp;
  private readonly refusals: Refusals;
  private readonly corner: AgentCorner;
  private readonly handover = new Handover();
  private readonly awake = new StayingAwake();
  private lookForUpdate: () => void = () => undefined;
  private shown: Name | null = null;
  /** Why nobody may be asked now. */
  private unready: string | null = null;
  private refusalTimer = 0;

  constructor(app: TabletApp) {
    this.app = app;
    this.refusals = new Refusals(app.store);
    this.corner = new AgentCorner(app, {
      isShown: () => this.shown === 'agent',
      show: (name) => this.show(name),
      close: () => this.resume(),
      check: () => this.check(true),
      leave: () => this.awake.stop(),
    });
  }

  async start(): Promise<void> {
    const refusal = whyRefused();
    if (refusal) return this.refuse(refusal);
    this.listen();
    keepAbove(element('agent-corner'));
    this.awake.start();
    history.scrollRestoration = 'manual';
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
    if (this.shown !== 'revoked') void keepWorker(() => IDLE.includes(this.shown)).then((look) => void (this.lookForUpdate = look));
    this.app.keepSending(() => this.afterRound());
    await this.app.outbox.probe();
    await this.check();
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
    await this.check();
    await this.followBundle();
  }

  /** The server has named another bundle: what has closed is not asked for another half hour. */
  private async followBundle(): Promise<void> {
    const named = await this.app.store.fact<string | null>('bundle');
    const shown = this.app.bundleShown?.bundle_digest;
    if (named && shown && named !== shown) this.lookForUpdate();
  }

  private refuse(reason: string): void {
    this.show('refused');
    showOnlyNamed('reason', reason);
  }

  private async showFor(device: Device | null): Promise<void> {
    if (this.unready !== null) return this.refuse(this.unready);
    this.show(await this.screenFor(device));
  }

  private async screenFor(device: Device | null): Promise<Name> {
    if (device === null) return (await this.app.store.fact<boolean>(EMPTIED)) ? 'revoked' : 'enrolment';
    const revoked = await this.app.store.fact<string | null>('revoked');
    return offer(device, await this.app.today()) && revoked !== device.device ? 'languages' : 'closed';
  }

  /**
   * A revoked tablet delivers what it holds and asks nobody any more; one enrolled again starts again. It is emptied
   * whatever this page shows; only somebody who types a code for it is left to do so.
   */
  private async stopIfRevoked(): Promise<void> {
    const before = this.shown;
    if (before === 'revoked') return;
    const device = await this.app.enrolment.device();
    const isRevoked = device !== null && (await this.app.store.fact<string | null>('revoked')) === device.device;
    const wiped = isRevoked && (await this.app.wipeIfDrained());
    if (wiped ? before === 'enrolment' : before !== 'languages' && before !== 'closed') return;
    const now = await this.screenFor(await this.app.enrolment.device());
    if (wiped || this.shown === before) this.show(now); // the agent may have opened the corner meanwhile
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
        this.handover.begin(card.pathname);
      });
    }
    element('enrolment-cancel').addEventListener('click', () => void this.resume());
    window.addEventListener('hashchange', () => this.takeCodeFromAddress() && void this.showFor(null));
    this.handover.listen();
    element('refusal').addEventListener('click', () => void this.refused());
    element('refusal-undo').addEventListener('click', () => void this.takeRefusalBack());
    element('paused-resume').addEventListener('click', () => void this.resume());
    this.corner.listen();
  }

  private async resume(): Promise<void> {
    await this.showFor(await this.app.enrolment.device());
  }

  private async enrol(code: string): Promise<void> {
    describeEnrolment(null);
    const wiped = (await this.app.store.fact<boolean>(EMPTIED)) ?? false;
    const result = await this.app.enrolment.enrol(code, (input, init) => fetch(input, init));
    if (result !== 'enrolled') return describeEnrolment(result);
    if (wiped) return location.reload(); // its worker and its files are to be fetched again
    void navigator.storage?.persist?.(); // not waited for: Firefox asks the person, who may never answer
    await this.showFor(await this.app.enrolment.device());
    await this.app.send();
  }

  /** Look at the whole tablet again: what is red asks nobody, and says why; what is mended goes on by itself. */
  private async check(afresh = false): Promise<void> {
    if (this.shown === 'revoked') return; // it is empty, and to stay so
    const { colour, reason } = await checkReadiness(this.app.store, this.app.bundleShown, afresh);
    element('agent-readiness').dataset['colour'] = colour;
    showOnlyNamed('remedy', reason ?? 'none');
    this.unready = colour === 'red' ? (this.app.store.fault ?? reason) : null;
    const isToChange = this.unready === null ? this.shown === 'refused' : this.shown === 'languages' || this.shown === 'closed';
    if (isToChange) await this.resume();
    await this.app.describe();
  }

  private async refused(): Promise<void> {
    const count = await this.refusals.add(await this.app.today());
    if (count === null) return;
    this.tellRefusals('refusal-noted', count);
    setHidden('refusal-undo', false);
  }

  private async takeRefusalBack(): Promise<void> {
    setHidden('refusal-undo', true);
    this.tellRefusals('refusal-undone', await this.refusals.undo(await this.app.today()));
  }

  private tellRefusals(id: string, count: number): void {
    window.clearTimeout(this.refusalTimer);
    for (const one of ['refusal-noted', 'refusal-undone']) element(one).textContent = '';
    fill(id, { count });
    this.refusalTimer = window.setTimeout(() => {
      element(id).textContent = '';
      setHidden('refusal-undo', true);
    }, UNDO_MS);
  }

  private show(name: Name): void {
    this.shown = name;
    document.body.dataset['screen'] = name;
    showOnlyNamed('screen-name', name);
    if (name !== 'agent') this.corner.forget();
    if (name === 'enrolment') void this.offerWayBack();
  }

  /** From a new enrolment to the one that is. */
  private async offerWayBack(): Promise<void> {
    describeEnrolment(null);
    setHidden('enrolment-cancel', (await this.app.enrolment.device()) === null);
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

function describeEnrolment(result: EnrolmentResult | null): void {
  showOnlyNamed('enrolment', result);
  const wrong = result === 'wrong_code' || result === 'no_code';
  element('enrolment-code').setAttribute('aria-invalid', String(wrong)); // an empty one would mean no
  if (wrong) element('enrolment-code').focus();
}
