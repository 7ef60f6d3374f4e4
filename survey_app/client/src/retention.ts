// What stays on the tablet after its receipt, and for how long: until the server's own backup holds it, because a
// restored server asks for it again. Nothing here looks at a clock of the tablet.
import { receiptFor } from './credential.ts';
import { keyOf, microseconds } from './records.ts';
import type { OutboxRecord } from './records.ts';
import { EMPTIED } from './store.ts';
import type { Store } from './store.ts';

/** What a heartbeat says of the records: the server's history, how far its backup reaches, the numbers it lacks. */
export interface ServerWord {
  readonly epoch: string;
  readonly watermark: string | null;
  readonly missing: readonly number[];
}

/** What becomes of a receipted copy: it stays, it is sent again, or it has done its duty. */
type Fate = 'keep' | 'again' | 'away';

export class Retention {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** Note the receipt, if and only if it is the server's own for these bytes. Says whether it was. */
  async acknowledge(record: OutboxRecord, answer: unknown, secret: CryptoKey): Promise<boolean> {
    const receipt = await receiptFor(record, answer, secret);
    if (receipt === null) return false;
    const { epoch, stored_at: storedAt } = receipt;
    // With the number of the last heartbeat: what is answered to that one may be older than this receipt.
    await this.store.write(['records', 'facts'], (transaction) => {
      const records = transaction.objectStore('records');
      const facts = transaction.objectStore('facts');
      const beat: IDBRequest<number | undefined> = facts.get('beat');
      const found: IDBRequest<OutboxRecord | undefined> = records.get(keyOf(record));
      found.onsuccess = () => {
        if (found.result?.hash === record.hash) records.put({ ...found.result, ...receipted(epoch, storedAt, beat.result ?? 0) });
      };
      facts.put(storedAt, 'last_receipt_at');
    });
    return true;
  }

  /**
   * Follow the server's word: queue again what it lost, and let go what its backup holds. `asked` is the number of the
   * heartbeat that it answers: of a record whose receipt came meanwhile it may not know yet, and the next one will.
   */
  async follow(word: ServerWord, device: string, asked: number): Promise<void> {
    const missing = new Set(word.missing);
    await this.store.write(['records'], (transaction) =>
      eachReceipted(transaction, (record, cursor) => {
        if ((record.beat ?? 0) >= asked) return;
        const fate = fateOf(record, word, record.device === device && missing.has(record.seq));
        if (fate === 'away') cursor.delete();
        if (fate === 'again') cursor.update({ ...record, state: 'queued', attempts: 0, notBefore: 0 } satisfies OutboxRecord);
      }),
    );
  }

  /** Delete so many receipted copies, those stored first; says how many there were. */
  async giveUpOldest(count: number): Promise<number> {
    const found: OutboxRecord[] = [];
    await this.store.write(['records'], (transaction) => {
      found.length = 0;
      const records = transaction.objectStore('records');
      const all: IDBRequest<OutboxRecord[]> = records.index('state').getAll('receipted');
      all.onsuccess = () => {
        found.push(...oldestFirst(all.result).slice(0, count));
        for (const record of found) records.delete(keyOf(record));
      };
    });
    return found.length;
  }

  /**
   * Empty a revoked tablet, once no record is left on it: no key, no fact but that it was emptied. Says whether it did.
   * Whoever holds a record that the server lacks, or only its backup, is not emptied: a restored server asks for it.
   */
  async wipe(): Promise<boolean> {
    const outcome = { wiped: false };
    await this.store.write(['records', 'facts'], (transaction) => {
      outcome.wiped = false;
      const left = transaction.objectStore('records').count();
      const facts = transaction.objectStore('facts');
      const device: IDBRequest<{ device: string } | undefined> = facts.get('device');
      const revoked: IDBRequest<string | null | undefined> = facts.get('revoked');
      revoked.onsuccess = () => {
        if (left.result > 0 || !device.result || revoked.result !== device.result.device) return;
        outcome.wiped = true;
        facts.clear();
        facts.put(true, EMPTIED);
      };
    });
    return outcome.wiped;
  }
}

const receipted = (epoch: string, storedAt: string, beat: number): Partial<OutboxRecord> => ({ state: 'receipted', epoch, storedAt, beat, reason: null, notBefore: 0 });

function fateOf(record: OutboxRecord, { epoch, watermark }: ServerWord, isMissing: boolean): Fate {
  if (record.epoch !== epoch || isMissing) return 'again';
  const isInBackup = watermark !== null && record.storedAt !== undefined && microseconds(watermark) >= microseconds(record.storedAt);
  return isInBackup ? 'away' : 'keep';
}

function eachReceipted(transaction: IDBTransaction, work: (record: OutboxRecord, cursor: IDBCursorWithValue) => void): void {
  const request = transaction.objectStore('records').index('state').openCursor('receipted');
  request.onsuccess = () => {
    const cursor = request.result;
    if (!cursor) return;
    work(cursor.value as OutboxRecord, cursor);
    cursor.continue();
  };
}

const oldestFirst = (records: OutboxRecord[]): OutboxRecord[] =>
  records.sort((one, other) => microseconds(one.storedAt ?? '') - microseconds(other.storedAt ?? '') || one.seq - other.seq);
