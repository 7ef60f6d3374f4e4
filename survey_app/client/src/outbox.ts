// The outbox: finished records wait here until the server has given its receipt. Nothing else takes one away:
// no refusal, no age, no clock.
import { isReceiptFor } from './credential.ts';
import { sha256Hex } from './envelope.ts';
import type { Interview } from './envelope.ts';
import { sealedEnvelope } from './seal.ts';
import type { Store } from './store.ts';

export type RecordState = 'queued' | 'sending' | 'quarantined';

export interface OutboxRecord {
  readonly id: string;
  readonly revision: number;
  /** Under which identity it was saved: a tablet enrolled anew still sends the records of its earlier one. */
  readonly device: string;
  readonly seq: number;
  readonly hash: string;
  readonly envelope: string;
  readonly state: RecordState;
  readonly attempts: number;
  /** Milliseconds since 1970 before which this record is not tried again. */
  readonly notBefore: number;
  /** Why it is in quarantine. */
  readonly reason: string | null;
}

/** The last record of the chain: its number and its hash. */
interface Head {
  readonly seq: number;
  readonly hash: string | null;
}

/** How many interviews were saved on this day (local to the tablet). */
export interface DayCount {
  readonly day: string;
  readonly count: number;
}

export interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

const START: Head = { seq: 0, hash: null };

export class Outbox {
  private readonly store: Store;
  private readonly locks: Locks;

  constructor(store: Store, locks: Locks) {
    this.store = store;
    this.locks = locks;
  }

  /**
   * Save a finished interview; resolves when it is on disk. Saving the same id and revision again changes nothing.
   *
   * The record is prepared outside the transaction (a transaction does not live across WebCrypto), then one strict
   * transaction checks that the chain has not moved and writes record, chain and day count together.
   */
  append(interview: Interview, device: string, day: string): Promise<OutboxRecord> {
    return this.locks.request('outbox', async () => {
      for (;;) {
        const saved = await this.record(interview.id, interview.revision);
        if (saved) return saved;
        const head = await this.head();
        const record = await sealed(interview, device, head);
        if (await this.commit(record, head, day)) return record;
      }
    });
  }

  /** All that waits, in the order of the chain. */
  async waiting(): Promise<OutboxRecord[]> {
    const records = await this.store.read('records', (store) => store.getAll() as IDBRequest<OutboxRecord[]>);
    return records.sort((one, other) => one.seq - other.seq);
  }

  async record(id: string, revision: number): Promise<OutboxRecord | undefined> {
    return this.store.read('records', (store) => store.get([id, revision]) as IDBRequest<OutboxRecord | undefined>);
  }

  async head(): Promise<Head> {
    return (await this.store.fact<Head>('head')) ?? START;
  }

  async savedOn(day: string): Promise<number> {
    const today = await this.store.fact<DayCount>('day');
    return today?.day === day ? today.count : 0;
  }

  /** Note where a record stands. A record that is gone (its receipt came meanwhile) stays gone. */
  async mark(record: OutboxRecord, change: Partial<Pick<OutboxRecord, 'state' | 'attempts' | 'notBefore' | 'reason'>>): Promise<void> {
    await this.store.write(['records'], (transaction) => {
      const records = transaction.objectStore('records');
      const found: IDBRequest<OutboxRecord | undefined> = records.get([record.id, record.revision]);
      found.onsuccess = () => {
        if (found.result) records.put({ ...found.result, ...change });
      };
    });
  }

  /** Take a record away, if and only if this is the server's receipt for its bytes. Says whether it was. */
  async acknowledge(record: OutboxRecord, receipt: unknown, secret: CryptoKey): Promise<boolean> {
    if (!(await isReceiptFor(receipt, record, secret))) return false;
    await this.store.write(['records'], (transaction) => void transaction.objectStore('records').delete([record.id, record.revision]));
    return true;
  }

  private async commit(record: OutboxRecord, expected: Head, day: string): Promise<boolean> {
    return (
      await this.store.write(['records', 'facts'], (transaction) => {
        const outcome = { written: false };
        const facts = transaction.objectStore('facts');
        const head: IDBRequest<Head | undefined> = facts.get('head');
        head.onsuccess = () => {
          if ((head.result ?? START).seq !== expected.seq) return;
          outcome.written = true;
          transaction.objectStore('records').add(record);
          facts.put({ seq: record.seq, hash: record.hash } satisfies Head, 'head');
          countOneMore(facts, day);
        };
        return outcome;
      })
    ).written;
  }
}

async function sealed(interview: Interview, device: string, head: Head): Promise<OutboxRecord> {
  const seq = head.seq + 1;
  const envelope = await sealedEnvelope(interview, { device, seq, prev: head.hash }, interview.sealingKey);
  const { id, revision } = interview;
  return { id, revision, device, seq, hash: await sha256Hex(envelope), envelope, state: 'queued', attempts: 0, notBefore: 0, reason: null };
}

function countOneMore(facts: IDBObjectStore, day: string): void {
  const request: IDBRequest<DayCount | undefined> = facts.get('day');
  request.onsuccess = () => {
    const before = request.result?.day === day ? request.result.count : 0;
    facts.put({ day, count: before + 1 } satisfies DayCount, 'day');
  };
}
