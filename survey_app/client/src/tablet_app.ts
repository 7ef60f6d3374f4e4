// What both pages of the tablet share: its database, its outbox, the sender and when it runs, the agent's line.
import { Enrolment } from './enrolment.ts';
import { passOn } from './fresh_log.ts';
import type { Readiness, Surrounds } from './heartbeat.ts';
import { fill, showOnlyNamed } from './page_parts.ts';
import { tellEmptied } from './last_word.ts';
import { Outbox } from './outbox.ts';
import type { OutboxRecord } from './outbox.ts';
import type { KeptFile } from './readiness.ts';
import type { Locks } from './records.ts';
import type { SealingKey } from './seal.ts';
import { Store } from './store.ts';
import { HELD_UP, Sync, UNKNOWN_DEVICE } from './sync.ts';
import type { Contact } from './sync.ts';

/** The list of what this tablet shows, as the server wrote it and the service worker keeps it. */
export interface Bundle {
  readonly bundle_digest: string;
  readonly sealing_key: SealingKey;
  readonly questionnaires: readonly BundleQuestionnaire[];
  readonly files: readonly KeptFile[];
}

export interface BundleQuestionnaire {
  readonly slug: string;
  readonly wave: string;
  readonly questionnaire_digest: string;
  readonly partial_policy: 'keep' | 'discard';
  readonly sites: readonly string[];
  readonly opens_on: string;
  readonly closes_on: string;
}

const HEARTBEAT_MS = 5 * 60_000;
const LOOK_AGAIN_MS = 60_000;
const DAY_MS = 86_400_000;
/** A night without a network is nothing to tell the agent. */
const MANY_DAYS = 2;
/** After so many refusals, or tries without an answer, a record is no longer a matter of waiting: the agent is told. */
const MANY_ATTEMPTS = 5;
/** The Web Lock that every interview page shares. */
const IN_USE = 'tablet in use';

/** What would be wrong on the staff's page until the next heartbeat. */
interface Told {
  readonly waiting: number;
  readonly readiness: string;
}

export class TabletApp {
  readonly store = new Store();
  readonly enrolment = new Enrolment(this.store);
  readonly locks: Locks = {
    request: (name, work, signal) => navigator.locks.request(name, signal ? { signal } : {}, work) as ReturnType<typeof work>,
    ifFree: (name, work) => navigator.locks.request(name, { ifAvailable: true }, async (lock) => (lock ? work().then(() => true) : false)),
  };
  readonly outbox = new Outbox(this.store, this.locks);
  readonly sync = new Sync(this.outbox, this.store, this.enrolment, {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    random: () => Math.random(),
    locks: this.locks,
  });
  /** The list that the page on the screen belongs to. */
  bundleShown: Bundle | null = null;
  private timer = 0;
  /** What the server was told last, as far as it may be told again sooner; null when it may know nothing of it. */
  private told: Told | null = null;
  private afterwards: () => Promise<void> = async () => undefined;

  constructor() {
    passOn(this.store);
  }

  /** The bundle that this page belongs to, or null where none is kept and none can be had. */
  async bundle(): Promise<Bundle | null> {
    this.bundleShown = await fetch('/tablette/bundle.json').then((response) => response.json() as Promise<Bundle>).catch(() => null);
    return this.bundleShown;
  }

  /** Send now and whenever there is reason to; keep the agent's line true; tell the page after each round. */
  keepSending(afterwards: () => Promise<void> = async () => undefined): void {
    this.afterwards = afterwards;
    window.addEventListener('online', () => void this.sync.backOnline().then((wait) => this.sendIn(wait)));
    document.addEventListener('visibilitychange', () => void this.send());
    navigator.serviceWorker.addEventListener('message', (event) => event.data === 'send' && void this.send());
    navigator.serviceWorker.addEventListener('controllerchange', () => void this.send());
    void this.send();
  }

  /** One round. Whatever fails in it, the next one comes. */
  async send(): Promise<void> {
    window.clearTimeout(this.timer);
    const next = await this.round().catch((error: unknown) => {
      console.error('round stopped', error instanceof Error ? error.name : error);
      return null;
    });
    this.sendIn(Math.max(next ?? LOOK_AGAIN_MS, 500));
  }

  /** The agent asks whether the network works: no pause counts, and a heartbeat goes even if nothing waits. */
  async sendNow(): Promise<Contact | null> {
    this.told = null;
    await this.sync.hurry();
    await this.send();
    return (await this.store.fact<Contact>('contact')) ?? null;
  }

  private sendIn(milliseconds: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.send(), Math.min(milliseconds, LOOK_AGAIN_MS));
  }

  private async round(): Promise<number | null> {
    await this.describe();
    await this.sync.run();
    await this.sayHello();
    await this.afterwards();
    if (await this.hasNews()) await this.hello();
    await this.describe();
    const next = await this.sync.nextTry();
    // Online, the browser would wake the sender at once, and this round would ask for the next one without end.
    if (next !== null && !navigator.onLine) void wakeWhenOnline();
    return next;
  }

  /** The tablet is not emptied while somebody answers, in whatever tab. */
  holdForInterview(): Promise<void> {
    this.store.busy = true;
    return new Promise((holds) => {
      void navigator.locks.request(IN_USE, { mode: 'shared' }, () => {
        holds();
        return new Promise(() => undefined);
      });
    });
  }

  /** Empty a revoked tablet once the server's backup holds all that was on it; says whether it did. */
  async wipeIfDrained(): Promise<boolean> {
    const [credential, beat] = [await this.enrolment.current(), (await this.store.fact<number>('beat')) ?? 0];
    const done = { wiped: false };
    await this.locks.ifFree(IN_USE, async () => void (done.wiped = await this.outbox.retention.wipe()));
    if (!done.wiped) return false;
    if (credential) await tellEmptied((input, init) => fetch(input, init), credential, beat + 1);
    await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
    await (await navigator.serviceWorker.getRegistration())?.unregister();
    return true;
  }

  /** Once when a page opens, so that each person meets a tablet that knows whether it may ask; then now and again, and with news. */
  private async sayHello(): Promise<void> {
    const said = (await this.store.fact<number>('hello')) ?? 0;
    const contact = await this.store.fact<Contact>('contact');
    const isRecent = contact === 'reached' && Math.abs(Date.now() - said) < HEARTBEAT_MS;
    if (this.told === null || !isRecent || (await this.hasNews())) await this.hello();
  }

  private async hello(): Promise<void> {
    this.told = null;
    const before = await this.toTell();
    await this.sync.heartbeat(await surroundsOf(this.bundleShown));
    await this.store.setFact('hello', Date.now());
    if ((await this.store.fact<Contact>('contact')) !== 'reached') return;
    const { waiting } = await this.toTell(); // one that was saved meanwhile may be among those told
    this.told = { ...before, waiting: Math.max(before.waiting, waiting) };
  }

  /** The queue is empty that the server believes full, or the tablet has found itself in another state. */
  private async hasNews(): Promise<boolean> {
    if (this.told === null) return false;
    const now = await this.toTell();
    return now.readiness !== this.told.readiness || (now.waiting === 0 && this.told.waiting > 0);
  }

  private async toTell(): Promise<Told> {
    const { colour, reason } = (await this.store.fact<Readiness>('readiness')) ?? { colour: '', reason: '' };
    return { waiting: (await this.outbox.waiting()).length, readiness: `${colour} ${reason}` };
  }

  /** The day in Paris, by the server's clock as far as the tablet knows it: a closed wave is closed offline too. */
  async today(): Promise<string> {
    return dayInParis(Date.now() + ((await this.store.fact<number>('clock_offset_ms')) ?? 0));
  }

  /** The agent's line: site, answers today, waiting, last contact, with one colour and words. */
  async describe(): Promise<void> {
    const device = await this.enrolment.device();
    const records = await this.outbox.waiting();
    const quarantined = records.filter((record) => record.state === 'quarantined').length;
    const former = records.filter((record) => record.reason === UNKNOWN_DEVICE && record.device !== device?.device).length;
    const failing = records.filter((record) => record.state === 'queued' && timesRefused(record) >= MANY_ATTEMPTS).length;
    const contact = (await this.store.fact<Contact>('contact')) ?? null;
    const fault = this.store.fault ?? ((await this.store.fact<boolean>('damaged')) ? 'damaged' : null);
    const last = await this.store.fact<number>('last_contact');
    const place = document.getElementById('agent-site');
    if (place && device) place.textContent = `${device.name} · ${device.site_name}`;
    fill('agent-today', { count: await this.outbox.savedOn(localDay(new Date())) });
    fill('agent-waiting', { count: records.length });
    fill('agent-former', { count: former });
    fill('agent-contact', { time: last === undefined ? '—' : spokenTime(new Date(last), new Date()) });
    const days = last === undefined ? 0 : Math.floor((Date.now() - last) / DAY_MS);
    fill('agent-offline', { count: days });
    const silence = contact === 'unreachable' && days >= MANY_DAYS ? 'offline_for_days' : contact;
    const corner = document.getElementById('agent-corner');
    if (corner) corner.dataset['readiness'] = (await this.store.fact<Readiness>('readiness'))?.colour ?? '';
    if (corner) corner.dataset['state'] = stateOf(device !== null, fault !== null, quarantined + former + failing, contact, records.length);
    showOnlyNamed('notice', fault === 'full' ? 'full' : fault !== null ? 'fault' : quarantined > 0 ? 'quarantined' : former > 0 ? 'former_identity' : failing > 0 ? 'failing' : silence);
  }
}

async function surroundsOf(bundle: Bundle | null): Promise<Surrounds> {
  const { getBattery } = navigator as { getBattery?: () => Promise<{ level: number; charging: boolean }> };
  const battery = await getBattery?.call(navigator).catch(() => null);
  return {
    app_digest: bundle?.bundle_digest ?? null,
    questionnaires: bundle?.questionnaires.map((offered) => offered.questionnaire_digest) ?? [],
    persisted: (await navigator.storage?.persisted?.()) ?? null,
    battery: battery ? { level: battery.level, charging: battery.charging } : null,
  };
}

/** Where the browser can wake the sender when the network is back, it may; nothing depends on it. */
async function wakeWhenOnline(): Promise<void> {
  const registration = (await navigator.serviceWorker.getRegistration()) as { sync?: { register: (tag: string) => Promise<void> } } | undefined;
  await registration?.sync?.register('outbox').catch(() => undefined);
}

/** How often this very record failed; a network that was away is not its fault. */
function timesRefused({ reason, attempts, heldUp }: OutboxRecord): number {
  if (reason === HELD_UP) return heldUp ?? 0;
  return /^\d+$/.test(reason ?? '') ? attempts : 0;
}

/** One word for the colour of the line. */
function stateOf(enrolled: boolean, isFaulty: boolean, stuck: number, contact: Contact | null, waiting: number): string {
  if (isFaulty) return 'alarm';
  if (!enrolled) return 'none';
  if (stuck > 0 || contact === 'unknown_device') return 'alarm';
  return contact === 'reached' && waiting === 0 ? 'good' : 'waiting';
}

/** The day on the prefecture's calendar, whatever time zone the tablet is set to. */
export const dayInParis = (moment: number): string => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris' }).format(moment);

/** Whether a questionnaire is asked on this day; both days are in it. */
export const isAskedOn = (day: string, opensOn: string, closesOn: string): boolean => opensOn <= day && day <= closesOn;

/** The day as the tablet's clock has it: what « aujourd’hui » means to the agent beside it. */
export const localDay = (date: Date): string =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');

function spokenTime(then: Date, now: Date): string {
  const time = then.toLocaleTimeString('fr-FR', { hour: '2-digit', minute: '2-digit' });
  return localDay(then) === localDay(now) ? time : `${then.toLocaleDateString('fr-FR', { day: 'numeric', month: 'short' })} ${time}`;
}
