// One tablet and one server: what the outbox and the sender meet in tests. Time passes when a test says so.
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { importSecret } from '../src/credential.ts';
import type { Credential } from '../src/credential.ts';
import type { Interview } from '../src/envelope.ts';
import { Outbox } from '../src/outbox.ts';
import type { Content, OutboxRecord } from '../src/outbox.ts';
import type { Locks } from '../src/records.ts';
import { EMPTIED, Store } from '../src/store.ts';
import { Sync } from '../src/sync.ts';
import { BrowserLocks, TabFactory } from './fake_browser.ts';
import type { Disk } from './fake_browser.ts';
import { plainSeal } from './plain_seal.ts';
import { SEALING_KEY } from './server_key.ts';
import { FakeServer, SECRET } from './fake_server.ts';

export { json, receiptFor, SECRET } from './fake_server.ts';
export type { Reply } from './fake_server.ts';

export const DEVICE = '11111111-2222-4333-8444-555555555555';
export const DAY = '2026-06-15';

/** No lock at all: what remains when a browser breaks its promise. */
export const NO_LOCKS: Locks = { request: (_name, work) => work(), ifFree: (_name, work) => work().then(() => true) };

/** One page of the tablet. */
export class Tab {
  readonly factory: TabFactory;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly sync: Sync;
  readonly locks: Locks;
  dead = false;
  readonly killed: Promise<void>;
  /** Resolves when the tab runs again. */
  frozen: Promise<void> | null = null;
  private readonly world: World;
  private die: () => void = () => undefined;

  constructor(world: World, locks?: Locks) {
    this.world = world;
    this.killed = new Promise((resolve) => (this.die = resolve));
    this.locks = locks ?? world.locks.of(this);
    this.factory = new TabFactory(world.factory, world.disk);
    this.store = new Store(this.factory as unknown as globalThis.IDBFactory);
    this.outbox = new Outbox(this.store, this.locks, plainSeal);
    const of = async (device: string): Promise<Credential> => ({ device, secret: await world.secret });
    const fetch = this.fetch as typeof globalThis.fetch;
    const current = async (): Promise<Credential | null> => {
      if (await this.store.fact<boolean>(EMPTIED)) return null;
      return of((await this.store.fact<{ device: string }>('device'))?.device ?? DEVICE);
    };
    this.sync = new Sync(this.outbox, this.store, { current, of }, { fetch, now: () => world.now, random: () => 0.5, locks: this.locks });
  }

  kill(): void {
    this.dead = true;
    this.die();
    this.factory.kill();
    this.world.locks.killed(this);
  }

  private readonly fetch = async (path: string, init: RequestInit): Promise<Response> => {
    await this.frozen;
    if (this.dead) throw new TypeError('killed');
    const answer = await this.world.server.fetch(path, init);
    await this.frozen;
    if (this.dead) throw new TypeError('killed');
    return answer;
  };
}

export class World {
  readonly factory = new IDBFactory();
  readonly disk: Disk = { room: Infinity };
  readonly locks = new BrowserLocks();
  readonly server = new FakeServer();
  readonly secret: Promise<CryptoKey> = importSecret(SECRET);
  now = Date.parse('2026-06-15T08:00:00Z');
  tab: Tab;

  constructor(locks?: Locks) {
    this.tab = new Tab(this, locks);
  }

  get store(): Store {
    return this.tab.store;
  }

  get outbox(): Outbox {
    return this.tab.outbox;
  }

  get sync(): Sync {
    return this.tab.sync;
  }

  /** The browser was killed: a new connection, new objects, the same disk. */
  restart(): void {
    this.tab.kill();
    this.tab = new Tab(this);
  }

  enrol(device = DEVICE): Promise<void> {
    return this.store.setFact('device', { device });
  }

  async save(id: string): Promise<OutboxRecord> {
    if ((await this.store.fact('device')) === undefined) await this.enrol();
    return this.outbox.finish(anInterview(id), DAY);
  }

  async waitingIds(): Promise<string[]> {
    return (await this.outbox.waiting()).map((record) => record.id);
  }

  /** Everything in the database, in whatever state. */
  async records(): Promise<OutboxRecord[]> {
    return this.store.read('records', (store) => store.getAll() as IDBRequest<OutboxRecord[]>);
  }
}

export function anInterview(id: string, answers: Interview['body']['answers'] = { welcome_courtesy: ['very_satisfied'] }): Content {
  const body = { answers, language: 'fr', site: null, complete: true, practice: false, started_at: null, finished_at: '2026-06-15T08:00:00Z', clock_offset_ms: null, assisted: null };
  return { id, wave: 'usagers-2026', questionnaireDigest: 'a'.repeat(64), bundleDigest: 'b'.repeat(64), sealingKey: SEALING_KEY, body };
}

export const anId = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
