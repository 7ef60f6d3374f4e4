// The tablet's database: one IndexedDB with the outbox, its chain, and a few facts. Every write is `strict` and
// counts only when its transaction is complete: a request that succeeded may still be rolled back.
import { beginFreshLog } from './fresh_log.ts';
import { result } from './requests.ts';

const NAME = 'tablet';
/** 1: the outbox. 2: an index by state, because records stay after their receipt. Steps only ever add. */
const VERSION = 2;

export type StoreName = 'records' | 'facts';

/** What is done in one transaction. */
export type Work = (transaction: IDBTransaction) => void;

/** The one fact that stays on a revoked tablet. */
export const EMPTIED = 'wiped';

/** The sender waits longer for the lock under which records are written. */
const FRESH_LOG_PATIENCE_MS = 2_000;

/** What may become of the database. Each stops new interviews; none deletes anything. */
export type Fault = 'newer' | 'blocked' | 'cleared' | 'damaged' | 'full' | 'closed';

export class StoreFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(`the tablet's database: ${fault}`);
    this.name = 'StoreFault';
    this.fault = fault;
  }
}

/** Opening, and what the operating system does to an open connection, in one place. */
export class Store {
  /** Somebody is answering: a newer version of the application waits until they have finished. */
  busy = false;
  /** What is wrong, until a record or the probe can be written again. */
  fault: Fault | null = null;
  /** Whether the last write went to the disk before it counted; null before the first. */
  strict: boolean | null = null;
  /** Told of every change of it. */
  onfault: () => void = () => undefined;
  private connection: Promise<IDBDatabase> | null = null;
  private opened = false;
  /** Nothing stands at the end of the database's log but whole writes of this browser. */
  logIsWhole = false;
  private freshening: Promise<void> | null = null;
  private readonly factory: IDBFactory;
  private readonly durability: IDBTransactionDurability;

  /** `durability` is a parameter only for the test that shows what `relaxed` would lose. */
  constructor(factory: IDBFactory = globalThis.indexedDB, durability: IDBTransactionDurability = 'strict') {
    this.factory = factory;
    this.durability = durability;
  }

  /** Run `work` in one transaction, not on a tablet that was emptied; resolves when it is complete, rejects when it was rolled back. */
  async write(names: StoreName[], work: Work): Promise<void> {
    await this.transact(names, names.includes('facts') ? (transaction) => this.unlessEmptied(transaction, work) : work);
  }

  /** As `write`, after emptying too: only an enrolment makes the tablet one of the prefecture's again. */
  async enrol(work: Work): Promise<void> {
    await this.transact(['facts'], work);
  }

  async read<T>(name: StoreName, request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return this.retryOnce((database) => result(request(database.transaction(name, 'readonly').objectStore(name))));
  }

  async fact<T>(key: string): Promise<T | undefined> {
    return this.read('facts', (store) => store.get(key) as IDBRequest<T | undefined>);
  }

  async setFact(key: string, value: unknown): Promise<void> {
    await this.write(['facts'], (transaction) => void transaction.objectStore('facts').put(value, key));
  }

  /** What was under way when a revoked tablet was emptied leaves no fact behind: no name, no secret, no time. */
  private unlessEmptied(transaction: IDBTransaction, work: Work): void {
    const emptied: IDBRequest<boolean | undefined> = transaction.objectStore('facts').get(EMPTIED);
    emptied.onsuccess = () => {
      if (emptied.result !== true) attempt(transaction, work);
    };
  }

  private transact(names: StoreName[], work: Work): Promise<void> {
    const tries = { begun: 0 };
    return this.retryOnce(async (database) => {
      // The second try tells what is wrong with the disk: a log that cannot be begun closes the connection.
      if ((tries.begun += 1) === 1 && !this.logIsWhole) await (this.freshening ??= this.freshenLog());
      const transaction = database.transaction(names, 'readwrite', { durability: this.durability });
      this.strict = transaction.durability === 'strict';
      return complete(transaction, work);
    });
  }

  /** Half a write may come with every connection that ends badly: see fresh_log.ts. The write waits, and goes on whatever comes of it. */
  private freshenLog(): Promise<void> {
    const { connection } = this;
    const begun = beginFreshLog(this.factory).then(
      () => void (this.logIsWhole = this.connection === connection),
      (error: unknown) => {
        console.error('no fresh log', nameOf(error));
        if (this.connection === connection) this.freshening = null;
      },
    );
    return inTime(begun, FRESH_LOG_PATIENCE_MS);
  }

  private disconnect(): void {
    this.connection = null;
    this.logIsWhole = false;
    this.freshening = null;
  }

  /** A connection that the system closed under memory pressure is opened anew, once; then the alarm is given. */
  private async retryOnce<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    try {
      return await work(await this.database());
    } catch (error) {
      if (!mayBeTriedAgain(error)) throw this.reported(error);
      this.disconnect();
    }
    try {
      return await work(await this.database());
    } catch (error) {
      throw this.reported(error);
    }
  }

  private database(): Promise<IDBDatabase> {
    this.connection ??= this.open().catch((error: unknown) => {
      this.connection = null;
      throw error;
    });
    return this.connection;
  }

  /** Before any other database: only the first to be opened is told of a loss. */
  private async open(): Promise<IDBDatabase> {
    const request = this.factory.open(NAME, VERSION);
    const found = { cleared: false };
    request.onblocked = () => this.report('blocked');
    request.onupgradeneeded = (event) => {
      found.cleared = this.opened;
      if (found.cleared) request.transaction?.abort();
      else upgrade(request, event);
    };
    const database = await result(request).catch((error: unknown) => {
      throw found.cleared ? new StoreFault('cleared') : error;
    });
    this.opened = true;
    this.watch(database);
    return database;
  }

  private watch(database: IDBDatabase): void {
    const forget = (): void => {
      database.close();
      this.disconnect();
    };
    database.onversionchange = () => {
      if (!this.busy) forget();
    };
    database.onclose = forget;
  }

  private reported(error: unknown): unknown {
    const fault = error instanceof StoreFault ? error.fault : faultOf(error);
    if (fault !== null) this.report(fault);
    return error;
  }

  report(fault: Fault | null): void {
    if (fault === this.fault) return;
    this.fault = fault;
    this.onfault();
  }
}

/** A database that the browser found damaged and emptied looks like a new tablet: the loss is noted in it. */
function upgrade(request: IDBOpenDBRequest, event: IDBVersionChangeEvent): void {
  const { result: database, transaction } = request;
  if (event.oldVersion < 1) {
    database.createObjectStore('records', { keyPath: ['id', 'revision'] });
    database.createObjectStore('facts');
  }
  if (event.oldVersion < 2) transaction?.objectStore('records').createIndex('state', 'state');
  if ((event as { dataLoss?: unknown }).dataLoss === 'total') transaction?.objectStore('facts').put(true, 'damaged');
}

const FAULTS: Readonly<Record<string, Fault>> = {
  VersionError: 'newer',
  QuotaExceededError: 'full',
  // What Chromium says when the disk itself is full.
  DataError: 'full',
  InvalidStateError: 'closed',
  UnknownError: 'damaged',
  NotReadableError: 'damaged',
};

const nameOf = (error: unknown): string => (error as { name?: unknown } | null)?.name as string;

const faultOf = (error: unknown): Fault | null => FAULTS[nameOf(error)] ?? null;

/** A connection that closes takes its transactions with it (`AbortError`). */
const mayBeTriedAgain = (error: unknown): boolean => nameOf(error) === 'AbortError' || ['closed', 'damaged'].includes(faultOf(error) ?? '');

/** Whether a write failed for want of room, so that something may be given up for it. */
export const isForWantOfRoom = (error: unknown): boolean => nameOf(error) === 'QuotaExceededError';

/** Resolves with the work, or when it takes too long; the work goes on. */
async function inTime(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)))]);
  clearTimeout(timer);
}

const failures = new WeakMap<IDBTransaction, unknown>();

function complete(transaction: IDBTransaction, work: Work): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failures.get(transaction) ?? transaction.error ?? new DOMException('rolled back', 'AbortError'));
    attempt(transaction, work);
  });
}

/** An error of ours that a transaction threw itself would arrive as `AbortError`, which is tried again. */
function attempt(transaction: IDBTransaction, work: Work): void {
  try {
    work(transaction);
  } catch (error) {
    failures.set(transaction, error);
    transaction.abort();
  }
}
