// The writing side of the outbox: every step of an interview becomes a sealed revision of one record, and takes the
// place of the one before in one strict transaction. What is sent, kept and given up is in `retention.ts`.
import { sha256Hex } from './envelope.ts';
import type { Interview, Place } from './envelope.ts';
import { inOrder, interviewLock, keyOf, linkOf, patiently, revisionsOf, START } from './records.ts';
import type { DayCount, Head, Locks, OutboxRecord, RecordKind, RecordState } from './records.ts';
import { Retention } from './retention.ts';
import { sealedEnvelope } from './seal.ts';
import { isForWantOfRoom } from './store.ts';
import type { Store } from './store.ts';

export type { OutboxRecord, RecordState } from './records.ts';

/** An interview as it stands; which revision this is, the outbox knows. */
export type Content = Omit<Interview, 'revision'>;

export type Seal = (interview: Interview, place: Place) => Promise<string>;

/** This browser is no tablet of the prefecture, or is none any more. */
export class NotEnrolledError extends Error {}

const forTheServer: Seal = (interview, place) => sealedEnvelope(interview, place, interview.sealingKey);

/** Somebody looks at « Enregistrement… » meanwhile. */
const LOCK_PATIENCE_MS = 3_000;
/** How many copies that the server has are given up for one write without room. */
const GIVEN_UP_AT_ONCE = 20;
/** More than the longest record takes. */
const PROBE_BYTES = 0x10000;

export class Outbox {
  readonly retention: Retention;
  private readonly store: Store;
  private readonly locks: Locks;
  private readonly seal: Seal;

  constructor(store: Store, locks: Locks, seal: Seal = forTheServer) {
    this.store = store;
    this.locks = locks;
    this.seal = seal;
    this.retention = new Retention(store);
  }

  /** Keep the interview so far. After the end of the same interview it changes nothing. */
  async draft(content: Content): Promise<void> {
    await this.write({ ...content, body: { ...content.body, complete: false } }, 'partial', null);
  }

  /**
   * Save a finished (or abandoned) interview; resolves when it is on disk. A second time changes nothing.
   * The day counts it as an opinion if somebody went through to the end, and not for practice.
   */
  async finish(content: Content, day: string): Promise<OutboxRecord> {
    const counts = content.body.complete && !content.body.practice;
    const body = content.body.complete ? content.body : { ...content.body, ended: true };
    return (await this.write({ ...content, body }, 'finished', counts ? day : null)) as OutboxRecord;
  }

  /** Its visitor took it back: no answer stays, but its number does. Where nothing was written, nothing is. */
  async withdraw(content: Content): Promise<void> {
    const withdrawal = { ...content, body: { ...content.body, answers: {}, complete: false, withdrawn: true } };
    try {
      await this.write(withdrawal, 'withdrawn', null);
    } catch (error) {
      if (!(await this.cancelInPlace(withdrawal))) throw error;
    }
  }

  /** Without room for the withdrawal the draft gives up its answers where it stands, and is never sent. */
  private async cancelInPlace(withdrawal: Content): Promise<boolean> {
    const outcome = { cancelled: false };
    await this.store.write(['records'], (transaction) => {
      const records = transaction.objectStore('records');
      const found: IDBRequest<OutboxRecord[]> = records.getAll(revisionsOf(withdrawal.id));
      found.onsuccess = () => {
        const last = found.result.at(-1);
        outcome.cancelled = last?.state === 'draft' || last?.state === 'cancelled';
        if (last?.state === 'draft') records.put({ ...last, state: 'cancelled', envelope: '', withdrawal } satisfies OutboxRecord);
      };
    });
    return outcome.cancelled;
  }

  /**
   * Drafts whose interview is over without an end (a crash, a closed page) are sent as they are; in the place of those
   * that were cancelled without room, the withdrawal is written.
   */
  async promote(): Promise<void> {
    for (const { withdrawal } of await this.inState('cancelled')) {
      if (withdrawal) await this.write(withdrawal, 'withdrawn', null).catch(() => undefined); // the next round tries again
    }
    for (const draft of await this.inState('draft')) {
      await this.locks.ifFree(interviewLock(draft.id), () => this.mark(draft, { state: 'queued' }));
    }
  }

  /** All that waits for its receipt, in the order of the chain. */
  async waiting(): Promise<OutboxRecord[]> {
    const states = await Promise.all([this.inState('queued'), this.inState('sending'), this.inState('quarantined')]);
    return inOrder(states.flat());
  }

  async inState(state: RecordState): Promise<OutboxRecord[]> {
    return this.store.read('records', (store) => store.index('state').getAll(state) as IDBRequest<OutboxRecord[]>);
  }

  /** How many records are in this state, or in any. */
  async count(state?: RecordState): Promise<number> {
    return this.store.read('records', (store) => (state === undefined ? store.count() : store.index('state').count(state)));
  }

  async head(): Promise<Head> {
    return (await this.store.fact<Head>('head')) ?? START;
  }

  async savedOn(day: string): Promise<number> {
    const today = await this.store.fact<DayCount>('day');
    return today?.day === day ? today.count : 0;
  }

  /** Note where a record stands. One that is gone, cancelled or has its receipt stays so: a slow sender may come late. */
  async mark(record: OutboxRecord, change: Partial<Pick<OutboxRecord, 'state' | 'attempts' | 'heldUp' | 'notBefore' | 'reason'>>): Promise<void> {
    await this.store.write(['records'], (transaction) => {
      const records = transaction.objectStore('records');
      const found: IDBRequest<OutboxRecord | undefined> = records.get(keyOf(record));
      found.onsuccess = () => {
        const isOver = found.result?.state === 'receipted' || found.result?.state === 'cancelled';
        if (found.result && !isOver) records.put({ ...found.result, ...change });
      };
    });
  }

  /**
   * The record is prepared outside the transaction (a transaction does not live across WebCrypto), then one strict
   * transaction checks that nothing has moved and writes record, chain and day count together.
   */
  private write(content: Content, kind: RecordKind, day: string | null): Promise<OutboxRecord | null> {
    // Order is for the sake of fewer second tries: whether nothing has moved, the transaction looks itself.
    return patiently(this.locks, 'outbox', LOCK_PATIENCE_MS, async () => {
      for (;;) {
        const revisions = await this.store.read('records', (store) => store.getAll(revisionsOf(content.id)) as IDBRequest<OutboxRecord[]>);
        const ended = revisions.find((record) => record.kind !== 'partial');
        const last = revisions.at(-1);
        if (ended || (!last && kind === 'withdrawn')) return ended ?? null;
        const record = await this.sealed(content, kind, last);
        if (await this.makingRoom(() => this.commit(record, last, day))) return record;
      }
    });
  }

  private async sealed(content: Content, kind: RecordKind, last: OutboxRecord | undefined): Promise<OutboxRecord> {
    const revision = (last?.revision ?? 0) + 1;
    const { device, seq, prev } = last ? { ...last, prev: last.prev ?? null } : await this.nextPlace();
    const envelope = await this.seal({ ...content, revision }, { device, seq, prev });
    const state = kind === 'partial' ? 'draft' : 'queued';
    return { id: content.id, revision, kind, device, seq, prev, hash: await sha256Hex(envelope), envelope, state, attempts: 0, notBefore: 0, reason: null };
  }

  private async nextPlace(): Promise<Place> {
    const device = (await this.store.fact<{ device: string }>('device'))?.device;
    if (device === undefined) throw new NotEnrolledError('no identity: nothing can be saved');
    const head = await this.head();
    return { device, seq: head.seq + 1, prev: namedNext(head) };
  }

  /** Whether a record could be written now: the agent is to know before the next visitor begins. */
  async probe(): Promise<boolean> {
    const room = new Uint8Array(PROBE_BYTES);
    try {
      await this.makingRoom(() => this.store.setFact('probe', room));
      await this.store.write(['facts'], (transaction) => void transaction.objectStore('facts').delete('probe'));
      return true;
    } catch {
      return false; // the store has reported it
    }
  }

  /** Receipted copies, oldest first, make room for what no server has yet. */
  private async makingRoom<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const written = await write();
        this.store.report(null);
        return written;
      } catch (error) {
        if (!isForWantOfRoom(error) || (await this.retention.giveUpOldest(GIVEN_UP_AT_ONCE)) === 0) throw error;
      }
    }
  }

  private async commit(record: OutboxRecord, last: OutboxRecord | undefined, day: string | null): Promise<boolean> {
    const outcome = { written: false };
    const end: Head = { seq: record.seq, id: record.id, hash: record.hash, link: await linkOf(record) };
    await this.store.write(['records', 'facts'], (transaction) => {
      const write = (head: Head): void => {
        outcome.written = true;
        put(transaction, record, head);
        if (day !== null) countOneMore(transaction.objectStore('facts'), day);
      };
      outcome.written = false; // the store may run this a second time
      if (last) ifUnchanged(transaction, last, end, write);
      else ifNext(transaction, record, () => write(end));
    });
    return outcome.written;
  }
}

/** The first revision: the identity and the end of the chain are those that the envelope names. */
function ifNext(transaction: IDBTransaction, record: OutboxRecord, write: () => void): void {
  const facts = transaction.objectStore('facts');
  const device: IDBRequest<{ device: string } | undefined> = facts.get('device');
  const head: IDBRequest<Head | undefined> = facts.get('head');
  head.onsuccess = () => {
    const end = head.result ?? START;
    if (device.result?.device === record.device && end.seq === record.seq - 1 && namedNext(end) === record.prev) write();
  };
}

/** A later revision: the one before is still the last. It keeps its number and its link, also where the chain has gone on. */
function ifUnchanged(transaction: IDBTransaction, last: OutboxRecord, end: Head, write: (head: Head) => void): void {
  const records = transaction.objectStore('records');
  const same: IDBRequest<OutboxRecord[]> = records.getAll(revisionsOf(last.id));
  const head: IDBRequest<Head | undefined> = transaction.objectStore('facts').get('head');
  head.onsuccess = () => {
    const before = same.result.at(-1);
    if (before?.revision !== last.revision || before.hash !== last.hash) return;
    // One that was promoted meanwhile may be on its way: it stays, and the server lets the later one win.
    if (before.state === 'draft' || before.state === 'cancelled') records.delete(keyOf(before));
    const found = head.result ?? START;
    write(found.id === last.id ? end : found);
  };
}

function put(transaction: IDBTransaction, record: OutboxRecord, head: Head): void {
  transaction.objectStore('records').add(record);
  transaction.objectStore('facts').put(head, 'head');
}

const namedNext = ({ link, hash }: Head): string | null => link ?? hash;

function countOneMore(facts: IDBObjectStore, day: string): void {
  const request: IDBRequest<DayCount | undefined> = facts.get('day');
  request.onsuccess = () => {
    const before = request.result?.day === day ? request.result.count : 0;
    facts.put({ day, count: before + 1 } satisfies DayCount, 'day');
  };
}
