// A browser with several tabs, as far as the outbox needs one: named locks, one disk, and tabs that are killed in the
// middle of anything, that freeze, or that meet a disk without room.
import type { Locks } from '../src/records.ts';

interface Waiting {
  readonly tab: object;
  readonly run: () => void;
}

/** The Web Locks of one browser. A tab that is killed lets go of its own; a frozen one does not. */
export class BrowserLocks {
  private readonly held = new Map<string, { readonly tab: object }>();
  private readonly queues = new Map<string, Waiting[]>();

  of(tab: object): Locks {
    return {
      request: (name, work, signal) =>
        new Promise((resolve, reject) => {
          const run = (): void => void this.hold(name, tab, work).then(resolve, reject);
          if (!this.held.has(name)) return run();
          const waiting = { tab, run };
          this.queue(name).push(waiting);
          signal?.addEventListener('abort', () => {
            const queue = this.queue(name);
            if (!queue.includes(waiting)) return; // it has the lock
            queue.splice(queue.indexOf(waiting), 1);
            reject(signal.reason as Error);
          });
        }),
      ifFree: async (name, work) => {
        if (this.held.has(name)) return false;
        await this.hold(name, tab, work);
        return true;
      },
    };
  }

  killed(tab: object): void {
    for (const [name, queue] of this.queues) this.queues.set(name, queue.filter((waiting) => waiting.tab !== tab));
    for (const [name, holder] of this.held) if (holder.tab === tab) this.release(name, holder);
  }

  private async hold<T>(name: string, tab: object, work: () => Promise<T>): Promise<T> {
    const holder = { tab };
    this.held.set(name, holder);
    try {
      return await work();
    } finally {
      this.release(name, holder);
    }
  }

  private release(name: string, holder: object): void {
    if (this.held.get(name) !== holder) return;
    this.held.delete(name);
    this.queue(name).shift()?.run();
  }

  private queue(name: string): Waiting[] {
    const found = this.queues.get(name) ?? [];
    this.queues.set(name, found);
    return found;
  }
}

/** How many records the disk has room for. */
export interface Disk {
  room: number;
}

/** What fake-indexeddb can do and the standard does not offer. */
type Abortable = IDBTransaction & { _abort(name: string): void };

/** The view that one tab has of the disk: it can be killed, and then nothing of it reaches the disk any more. */
export class TabFactory {
  private dead = false;
  private readonly live = new Set<IDBTransaction>();
  private readonly factory: IDBFactory;
  private readonly disk: Disk;

  constructor(factory: IDBFactory, disk: Disk) {
    this.factory = factory;
    this.disk = disk;
  }

  open(name: string, version: number): IDBOpenDBRequest {
    if (this.dead) throw new DOMException('killed', 'InvalidStateError');
    const request = this.factory.open(name, version) as IDBOpenDBRequest;
    request.addEventListener('success', () => this.watch(request.result));
    return request;
  }

  deleteDatabase(name: string): IDBOpenDBRequest {
    if (this.dead) throw new DOMException('killed', 'InvalidStateError');
    return this.factory.deleteDatabase(name) as IDBOpenDBRequest;
  }

  kill(): void {
    this.dead = true;
    for (const transaction of this.live) transaction.abort();
  }

  private watch(database: IDBDatabase): void {
    const begin = database.transaction.bind(database);
    database.transaction = (names, mode, options) => {
      if (this.dead) throw new DOMException('killed', 'InvalidStateError');
      const transaction = begin(names, mode, options);
      this.live.add(transaction);
      const over = (): void => void this.live.delete(transaction);
      for (const type of ['complete', 'abort']) transaction.addEventListener(type, over);
      if (mode === 'readwrite' && transaction.objectStoreNames.contains('records')) this.limit(transaction as Abortable);
      return transaction;
    };
  }

  /** The request succeeds, and then the transaction is rolled back: so it is with a full quota. */
  private limit(transaction: Abortable): void {
    const records = transaction.objectStore('records');
    const add = records.add.bind(records);
    records.add = (value, key) => {
      const request = add(value, key);
      const count = records.count();
      count.onsuccess = () => {
        if (count.result > this.disk.room) transaction._abort('QuotaExceededError');
      };
      return request;
    };
  }
}
