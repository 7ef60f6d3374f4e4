// One sender at a time, over all tabs. The lock alone would be enough if no tab ever froze: a frozen one keeps its
// lock for ever. So whoever sends also holds a lease in the database and renews it with every record; when it runs
// out, another tab goes on without the lock. Two senders would do no harm: the server knows a record by its bytes.
import type { Locks } from './records.ts';
import type { Store } from './store.ts';

/** Longer than one request may last. */
export const LEASE_MS = 60_000;
const LOCK = 'outbox sender';

interface Held {
  readonly holder: string;
  readonly until: number;
  /** Whether its holder also holds the lock: then a free lock says that it is gone. */
  readonly locked: boolean;
}

export class Lease {
  private readonly store: Store;
  private readonly locks: Locks;
  private readonly now: () => number;

  constructor(store: Store, locks: Locks, now: () => number) {
    this.store = store;
    this.locks = locks;
    this.now = now;
  }

  /** Run `work` unless another sender is at it. `renew` is to be called in every transaction that marks a record. */
  async run(work: (turn: Turn) => Promise<void>): Promise<void> {
    const ran = await this.locks.ifFree(LOCK, () => this.hold(true, work));
    if (!ran) await this.hold(false, work);
  }

  private async hold(locked: boolean, work: (turn: Turn) => Promise<void>): Promise<void> {
    const turn = new Turn(locked, this.now);
    const taken = { yes: false };
    await this.store.write(['facts'], (transaction) => turn.take(transaction, () => (taken.yes = true)));
    if (!taken.yes) return;
    try {
      await work(turn);
    } finally {
      await this.store.write(['facts'], (transaction) => turn.giveBack(transaction));
    }
  }
}

/** One pass of one sender. */
export class Turn {
  private readonly holder = crypto.randomUUID();
  private readonly locked: boolean;
  private readonly now: () => number;

  constructor(locked: boolean, now: () => number) {
    this.locked = locked;
    this.now = now;
  }

  /** `then` is called, in the same transaction, if nobody else holds the lease. */
  take(transaction: IDBTransaction, then: () => void): void {
    this.look(transaction, (held) => this.isOver(held), then);
  }

  /** `then` is called, in the same transaction, if the lease is still ours: a tab that was frozen finds it passed on. */
  renew(transaction: IDBTransaction, then: () => void): void {
    this.look(transaction, (held) => held?.holder === this.holder, then);
  }

  giveBack(transaction: IDBTransaction): void {
    const facts = transaction.objectStore('facts');
    const request: IDBRequest<Held | undefined> = facts.get('lease');
    request.onsuccess = () => {
      if (request.result?.holder === this.holder) facts.delete('lease');
    };
  }

  private look(transaction: IDBTransaction, fits: (held: Held | undefined) => boolean, then: () => void): void {
    const facts = transaction.objectStore('facts');
    const request: IDBRequest<Held | undefined> = facts.get('lease');
    request.onsuccess = () => {
      if (!fits(request.result)) return;
      facts.put({ holder: this.holder, until: this.now() + LEASE_MS, locked: this.locked } satisfies Held, 'lease');
      then();
    };
  }

  /** A lease that ends later than any could comes from a clock that was set back. */
  private isOver(held: Held | undefined): boolean {
    if (held === undefined || (this.locked && held.locked)) return true;
    const left = held.until - this.now();
    return left <= 0 || left > LEASE_MS;
  }
}
