// What the outbox and the sender meet in tests: an IndexedDB in memory, a server with its own memory, a clock.
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { importSecret } from '../src/credential.ts';
import type { Credential, Receipt } from '../src/credential.ts';
import { bytesOfHex, hex, sha256Hex, utf8 } from '../src/envelope.ts';
import type { Interview } from '../src/envelope.ts';
import { Outbox } from '../src/outbox.ts';
import type { Locks } from '../src/outbox.ts';
import { Store } from '../src/store.ts';
import { Sync } from '../src/sync.ts';
import { SEALING_KEY } from './server_key.ts';

export const SECRET = '5f'.repeat(32);
export const DEVICE = '11111111-2222-4333-8444-555555555555';
export const DAY = '2026-06-15';

export type Reply = (path: string, init: RequestInit) => Promise<Response> | Response;

/** One lock name at a time, as in a browser. */
export class FakeLocks implements Locks {
  private tail: Promise<unknown> = Promise.resolve();

  request<T>(_name: string, work: () => Promise<T>): Promise<T> {
    const mine = this.tail.then(work, work);
    this.tail = mine.catch(() => undefined);
    return mine;
  }
}

/** No lock at all: what remains when a browser breaks its promise. */
export const NO_LOCKS: Locks = { request: (_name, work) => work() };

/** A server that keeps every record once and gives receipts with the right code. */
export class FakeServer {
  readonly kept = new Map<string, string>();
  readonly requests: { path: string; headers: Headers }[] = [];
  /** Answers in place of the server, one per request, then the server itself. */
  readonly instead: Reply[] = [];
  /** Identities that the server has forgotten, as after a restored backup. */
  readonly forgotten = new Set<string>();

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(input);
    this.requests.push({ path, headers: new Headers(init.headers) });
    const reply = this.instead.shift() ?? ((at: string, request: RequestInit) => this.answer(at, request));
    return reply(path, init);
  };

  async answer(path: string, init: RequestInit): Promise<Response> {
    const body = String(init.body);
    if (this.forgotten.has(new Headers(init.headers).get('X-Device') ?? '')) return json(401, { error: 401 });
    if (path === '/api/v1/devices/heartbeat') return json(200, { now: '2026-06-15T08:00:00Z', epoch: 'e', revoked: false });
    const { id, revision } = JSON.parse(body) as { id: string; revision: number };
    const conflict = this.kept.has(id) && this.kept.get(id) !== body;
    if (!conflict) this.kept.set(id, body);
    return json(conflict ? 409 : 200, await receiptFor(id, revision, await sha256Hex(body), { conflict }));
  }
}

export const json = (status: number, content: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(content), { status, headers: { 'Content-Type': 'application/json', ...headers } });

/** A receipt with its code, or with what a test changes in it afterwards. */
export async function receiptFor(id: string, revision: number, hash: string, change: Partial<Receipt> = {}): Promise<Receipt> {
  const receipt = { id, revision, sha256: hash, epoch: 'e', stored_at: '2026-06-15T08:00:00.000000+00:00', conflict: false };
  const text = ['receipt', id, revision, hash, receipt.epoch, receipt.stored_at].join('\n');
  const key = await crypto.subtle.importKey('raw', bytesOfHex(SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return { ...receipt, mac: hex(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(text)))), ...change };
}

export class World {
  readonly factory = new IDBFactory();
  readonly server = new FakeServer();
  readonly secret: Promise<CryptoKey> = importSecret(SECRET);
  store: Store;
  outbox: Outbox;
  sync: Sync;
  now = Date.parse('2026-06-15T08:00:00Z');

  constructor(locks: Locks = new FakeLocks()) {
    this.store = new Store(this.factory);
    this.outbox = new Outbox(this.store, locks);
    this.sync = this.sender();
  }

  /** The browser was killed: a new connection, new objects, the same disk. */
  restart(): void {
    this.store = new Store(this.factory);
    this.outbox = new Outbox(this.store, new FakeLocks());
    this.sync = this.sender();
  }

  save(id: string, device = DEVICE): Promise<unknown> {
    return this.outbox.append(anInterview(id), device, DAY);
  }

  async waitingIds(): Promise<string[]> {
    return (await this.outbox.waiting()).map((record) => record.id);
  }

  private sender(): Sync {
    const of = async (device: string): Promise<Credential> => ({ device, secret: await this.secret });
    return new Sync(this.outbox, this.store, { current: () => of(DEVICE), of }, {
      fetch: this.server.fetch,
      now: () => this.now,
      random: () => 0.5,
      ifAlone: (work) => work(),
    });
  }
}

export function anInterview(id: string, answers: Interview['body']['answers'] = { welcome_courtesy: ['very_satisfied'] }): Interview {
  const body = { answers, language: 'fr', site: null, complete: true, practice: false, started_at: null, finished_at: '2026-06-15T08:00:00Z', clock_offset_ms: null, assisted: null };
  return { id, revision: 1, wave: 'usagers-2026', questionnaireDigest: 'a'.repeat(64), bundleDigest: 'b'.repeat(64), sealingKey: SEALING_KEY, body };
}

export const anId = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
