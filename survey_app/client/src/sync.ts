// Sends what waits in the outbox. Any doubt about the outcome means "not sent": it is sent again, and the server
// knows a record by its id and its bytes.
import { isAnswerTo, signedHeaders } from './credential.ts';
import type { Credential } from './credential.ts';
import { sha256Hex } from './envelope.ts';
import { heartbeatAnswer, heartbeatOf, NO_SURROUNDS } from './heartbeat.ts';
import type { HeartbeatAnswer, Surrounds } from './heartbeat.ts';
import { Lease } from './lease.ts';
import type { Turn } from './lease.ts';
import type { Outbox, OutboxRecord } from './outbox.ts';
import { keyOf } from './records.ts';
import type { Locks } from './records.ts';
import type { Store } from './store.ts';

/** What the outside world gives; tests give their own. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly random: () => number;
  readonly locks: Locks;
}

/** Who the tablet is now, and under which identity each record was saved. */
export interface Credentials {
  current(): Promise<Credential | null>;
  of(device: string): Promise<Credential | null>;
}

/** How the server was last reached, for the agent's line. */
export type Contact = 'reached' | 'unreachable' | 'network_login' | 'unknown_device' | 'busy';

/** Why a record waits whose identity the server no longer knows. */
export const UNKNOWN_DEVICE = 'unknown_device';
/** Why a record waits that does not get through to a server which answered a moment ago. */
export const HELD_UP = 'held_up';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** Over so long the tablets of a site come back whose network was away. */
const BACK_ONLINE_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
const QUARANTINED_BY = new Set([400, 413]);
/** Network Authentication Required (RFC 6585). */
const NETWORK_LOGIN = 511;
const WITH_RECEIPT = new Set([200, 201, 409]);

/** How the pass goes on: with the next record, without the others of this identity, or not at all. */
type Outcome = 'next' | 'next_identity' | 'stop';

export class Sync {
  private readonly outbox: Outbox;
  private readonly store: Store;
  private readonly credentials: Credentials;
  private readonly world: Surroundings;
  private readonly lease: Lease;

  constructor(outbox: Outbox, store: Store, credentials: Credentials, world: Surroundings) {
    this.outbox = outbox;
    this.store = store;
    this.credentials = credentials;
    this.world = world;
    this.lease = new Lease(store, world.locks, world.now);
  }

  /** One pass over what is due, the least tried first. Never throws: the next trigger tries again. */
  async run(): Promise<void> {
    try {
      await this.outbox.promote();
      await this.lease.run((turn) => this.pass(turn));
    } catch (error) {
      console.error('sending stopped', error instanceof Error ? error.name : error);
    }
  }

  /**
   * The network is back: the pauses are over in a moment, another one for each tablet behind the same access point. A busy
   * server named its own pause, which stays. Gives the milliseconds until it is worth while to send.
   */
  async backOnline(): Promise<number> {
    const left = this.pauseLeft((await this.store.fact<number>('host_not_before')) ?? 0);
    if ((await this.store.fact<Contact>('contact')) === 'busy' && left > 0) return left;
    const wait = Math.round(this.world.random() * BACK_ONLINE_MS);
    await this.hurry(this.world.now() + wait);
    return wait;
  }

  /** Somebody is beside the tablet: the pauses are over. */
  async hurry(hostNotBefore = 0): Promise<void> {
    await this.store.setFact('host_not_before', hostNotBefore);
    for (const record of await this.outbox.waiting()) if (record.notBefore > 0) await this.outbox.mark(record, { notBefore: 0 });
  }

  /** Milliseconds until the next record may be tried, or null when none waits. */
  async nextTry(): Promise<number | null> {
    const due = (await this.outbox.waiting()).filter((record) => record.state !== 'quarantined').map((record) => this.pauseLeft(record.notBefore));
    if (due.length === 0) return null;
    return Math.max(Math.min(...due), this.pauseLeft((await this.store.fact<number>('host_not_before')) ?? 0));
  }

  /** Say hello, tell how the tablet is, and follow what the server says. */
  async heartbeat(surrounds: Surrounds = NO_SURROUNDS): Promise<void> {
    const credential = await this.credentials.current();
    if (credential === null) return;
    const { beat, body } = await heartbeatOf(this.outbox, this.store, surrounds);
    const response = await this.request(credential, 'POST', '/api/v1/devices/heartbeat', body).catch(() => null);
    if (response === null) return this.noteContact('unreachable');
    if (response.status === 401) return this.noteForgotten(credential.device);
    const answer = (await isAnswerTo(body, response, credential)) ? heartbeatAnswer(await jsonOf(response)) : null;
    if (answer) return this.learn(answer, credential.device, beat);
    await this.noteContact(response.ok || response.type === 'opaqueredirect' || response.status === NETWORK_LOGIN ? 'network_login' : 'busy');
  }

  private async learn(answer: HeartbeatAnswer, device: string, beat: number): Promise<void> {
    await this.store.write(['facts'], (transaction) => obey(transaction.objectStore('facts'), answer, device));
    await this.outbox.retention.follow(answer, device, beat);
    await this.shortenPause();
    await this.reached(answer.now);
  }

  private async pass(turn: Turn): Promise<void> {
    if (this.pauseLeft((await this.store.fact<number>('host_not_before')) ?? 0) > 0) return;
    const refused = new Set<string>();
    for (const record of leastTriedFirst(await this.outbox.waiting())) {
      if (record.state === 'quarantined' || refused.has(record.device) || this.pauseLeft(record.notBefore) > 0) continue;
      const outcome = await this.send(record, turn);
      if (outcome === 'stop') return;
      if (outcome === 'next_identity') refused.add(record.device);
    }
  }

  private async send(record: OutboxRecord, turn: Turn): Promise<Outcome> {
    const credential = await this.credentials.of(record.device);
    if (credential === null) return this.quarantine(record, 'no_credential');
    // Bytes that the disk has changed get no receipt, and would hold up all the others.
    if ((await sha256Hex(record.envelope)) !== record.hash) return this.quarantine(record, 'damaged');
    const attempt = { ...record, attempts: record.attempts + 1 };
    const claimed = await this.claim(attempt, turn);
    if (claimed !== 'ours') return claimed === 'passed on' ? 'stop' : 'next';
    const response = await this.request(credential, 'PUT', `/api/v1/records/${record.id}`, record.envelope).catch(() => null);
    return response === null ? this.pauseHost(attempt, 'unreachable') : this.judge(attempt, response, credential);
  }

  /**
   * Marked before the request: after a crash "sending" means "unknown", and unknown is sent again. In the same
   * transaction the lease is renewed: a tab that slept finds that another one has gone on, or has even sent this one.
   */
  private async claim(attempt: OutboxRecord, turn: Turn): Promise<'ours' | 'passed on' | 'gone'> {
    const claim: { is: 'ours' | 'passed on' | 'gone' } = { is: 'passed on' };
    await this.store.write(['records', 'facts'], (transaction) => {
      claim.is = 'passed on';
      turn.renew(transaction, () => {
        const records = transaction.objectStore('records');
        const found: IDBRequest<OutboxRecord | undefined> = records.get(keyOf(attempt));
        found.onsuccess = () => {
          claim.is = found.result && found.result.state !== 'receipted' ? 'ours' : 'gone';
          if (claim.is === 'ours') records.put({ ...attempt, state: 'sending', reason: null } satisfies OutboxRecord);
        };
      });
    });
    return claim.is;
  }

  private async judge(record: OutboxRecord, response: Response, credential: Credential): Promise<Outcome> {
    const { status } = response;
    if (WITH_RECEIPT.has(status)) return this.takeReceipt(record, response, credential);
    if (QUARANTINED_BY.has(status)) return this.quarantine(record, String(status));
    if (status === 401) return this.pauseIdentity(record);
    if (status === 429 || status === 503) return this.pauseHost(record, 'busy', retryAfter(response, this.world.now()));
    // A redirect, or any other success that is no receipt, is a network asking for its own sign-in.
    if (status < 400 || status === NETWORK_LOGIN) return this.pauseHost(record, 'network_login');
    return this.pauseRecord(record, String(status));
  }

  private async takeReceipt(record: OutboxRecord, response: Response, { secret }: Credential): Promise<Outcome> {
    const receipt = await jsonOf(response);
    const answer = response.status === 409 && isEnvelopeOfReceipt(receipt) ? receipt.receipt : receipt;
    if (!(await this.outbox.retention.acknowledge(record, answer, secret))) return this.pauseHost(record, 'network_login');
    await this.reached(null);
    return 'next';
  }

  private async quarantine(record: OutboxRecord, reason: string): Promise<Outcome> {
    await this.outbox.mark(record, { state: 'quarantined', reason });
    return 'next';
  }

  /** One record the server stumbles over waits alone: the others go on. */
  private async pauseRecord(record: OutboxRecord, reason: string): Promise<Outcome> {
    await this.outbox.mark(record, { state: 'queued', notBefore: this.world.now() + this.pause(record.attempts), reason });
    return 'next';
  }

  /** An identity the server has forgotten waits with all its records; those of the other identities go on. */
  private async pauseIdentity(record: OutboxRecord): Promise<Outcome> {
    const notBefore = this.world.now() + this.pause(record.attempts);
    for (const other of await this.outbox.waiting()) {
      const same = other.device === record.device && other.state !== 'quarantined';
      if (same) await this.outbox.mark(other, { state: 'queued', notBefore, reason: UNKNOWN_DEVICE });
    }
    await this.noteForgotten(record.device);
    return 'next_identity';
  }

  /** An earlier identity may be forgotten: the agent is told only of the one that the tablet has now. */
  private async noteForgotten(device: string): Promise<void> {
    if ((await this.credentials.current())?.device === device) await this.noteContact('unknown_device');
  }

  /**
   * The next pass begins with another record. Where the server answered a moment ago, it may be this one: it waits alone,
   * ever longer, and the others a moment. Else the pause of all grows until the server answers again.
   */
  private async pauseHost(record: OutboxRecord, contact: Contact, asked = 0): Promise<Outcome> {
    const { now } = this.world;
    const isHeldUp = (await this.store.fact<Contact>('contact')) === 'reached';
    const failures = isHeldUp ? 1 : ((await this.store.fact<number>('host_failures')) ?? 0) + 1;
    const heldUp = (record.heldUp ?? 0) + 1;
    await this.outbox.mark(record, { state: 'queued', ...(isHeldUp ? { notBefore: now() + this.pause(heldUp), heldUp, reason: HELD_UP } : { notBefore: 0 }) });
    await this.store.setFact('host_failures', failures);
    await this.store.setFact('host_not_before', now() + Math.max(this.spread(asked), this.pause(failures)));
    await this.noteContact(contact);
    return 'stop';
  }

  /** The server answers again: what waits need not sit out a pause of minutes. A busy server named its own. */
  private async shortenPause(): Promise<void> {
    const contact = await this.store.fact<Contact>('contact');
    if (contact !== 'unreachable' && contact !== 'network_login') return;
    const until = (await this.store.fact<number>('host_not_before')) ?? 0;
    await this.store.setFact('host_not_before', Math.min(until, this.world.now() + this.pause(1)));
  }

  /** A proxy names one time to all whom it sends away: each waits that long, and up to half as long again. */
  private spread(asked: number): number {
    return asked * (1 + this.world.random() / 2);
  }

  /** Doubling with jitter, so that three hundred tablets do not come back in the same second. */
  private pause(attempts: number): number {
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20));
    return longest * (0.5 + this.world.random() / 2);
  }

  /** A pause longer than the longest one comes from a clock that was set back: it is over. */
  private pauseLeft(until: number): number {
    const left = until - this.world.now();
    return left > 0 && left <= LONGEST_PAUSE_MS * 1.5 ? left : 0;
  }

  private async request(credential: Credential, method: string, path: string, body: string): Promise<Response> {
    const headers = await signedHeaders(credential, method, path, body);
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await this.world.fetch(path, { method, headers, body, signal, redirect: 'manual', cache: 'no-store', credentials: 'omit' });
    // Whole or not at all: a line that dies in the middle of an answer is not a network that wants a sign-in.
    await response.clone().arrayBuffer();
    return response;
  }

  private async reached(serverTime: string | null): Promise<void> {
    if (serverTime !== null) await this.store.setFact('clock_offset_ms', Date.parse(serverTime) - this.world.now());
    await this.store.setFact('last_contact', this.world.now());
    // A server that has lost this tablet still gives receipts; that it knows it again, only its heartbeat says.
    const isLost = serverTime === null && (await this.store.fact<Contact>('contact')) === 'unknown_device';
    if (!isLost) await this.noteContact('reached');
  }

  private async noteContact(contact: Contact): Promise<void> {
    if ((await this.store.fact<Contact>('contact')) !== contact) await this.store.setFact('contact', contact);
  }
}

/** What the tablet is told of itself, unless it was enrolled again since it asked: then another identity was meant. */
function obey(facts: IDBObjectStore, { revoked, pin, idleSeconds, bundle }: HeartbeatAnswer, device: string): void {
  const now: IDBRequest<{ device: string } | undefined> = facts.get('device');
  now.onsuccess = () => {
    if (now.result?.device !== device) return;
    facts.put(revoked ? device : null, 'revoked');
    if (pin) facts.put(pin, 'pin');
    facts.put(bundle, 'bundle');
    if (idleSeconds !== null) facts.put(idleSeconds, 'idle_seconds');
  };
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await response.text()) as unknown;
  } catch {
    return null;
  }
}

/** In the order of the chain, but what was tried in vain after what was not: one record that gets no answer stops a pass. */
const leastTriedFirst = (records: OutboxRecord[]): OutboxRecord[] => records.sort((one, other) => one.attempts - other.attempts);

/** Seconds or a date, as HTTP allows; 0 where there is none. */
function retryAfter(response: Response, now: number): number {
  const header = response.headers.get('Retry-After');
  if (header === null) return 0;
  const milliseconds = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(milliseconds) ? Math.min(Math.max(milliseconds, 0), LONGEST_PAUSE_MS) : 0;
}

function isEnvelopeOfReceipt(value: unknown): value is { receipt: unknown } {
  return typeof value === 'object' && value !== null && 'receipt' in value;
}
