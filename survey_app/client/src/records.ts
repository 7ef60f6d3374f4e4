// One record in the tablet's database, and the states it goes through:
// draft → queued → sending → receipted → away. Aside: quarantined. No state is left because of an age or a clock.

export type RecordState = 'draft' | 'queued' | 'sending' | 'receipted' | 'quarantined';

/** What the record says: an interview so far, a finished (or abandoned) one, or one that its visitor took back. */
export type RecordKind = 'partial' | 'finished' | 'withdrawn';

export interface OutboxRecord {
  readonly id: string;
  readonly revision: number;
  /** Records written before there were drafts have none: they are finished. */
  readonly kind?: RecordKind;
  /** Under which identity it was saved: a tablet enrolled anew still sends the records of its earlier one. */
  readonly device: string;
  readonly seq: number;
  /** The hash of the record before, as it stood when this one got its number; the same in all its revisions. */
  readonly prev?: string | null;
  readonly hash: string;
  readonly envelope: string;
  readonly state: RecordState;
  readonly attempts: number;
  /** Milliseconds since 1970 before which this record is not tried again. */
  readonly notBefore: number;
  /** Why it is in quarantine, or why it was refused the last time. */
  readonly reason: string | null;
  /** Of the receipt: the history of the server that keeps it, and since when. */
  readonly epoch?: string;
  readonly storedAt?: string;
  /** The number of the last heartbeat that was asked for before the receipt came. */
  readonly beat?: number;
}

/** The last record of the chain: its number, its id, and the hash of its latest revision. */
export interface Head {
  readonly seq: number;
  readonly hash: string | null;
  readonly id?: string;
}

/** How many interviews were saved on this day (local to the tablet). */
export interface DayCount {
  readonly day: string;
  readonly count: number;
}

export interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Run `work` under the lock if nobody holds it now; says whether it did. */
  ifFree(name: string, work: () => Promise<void>): Promise<boolean>;
}

export const START: Head = { seq: 0, hash: null };

/** States that the server has given no receipt for; a draft is not sent yet. */
export const UNSENT: readonly RecordState[] = ['queued', 'sending', 'quarantined'];

/** The Web Lock that a living interview holds. */
export const interviewLock = (id: string): string => `interview ${id}`;

/** All revisions of one record. */
export const revisionsOf = (id: string): IDBKeyRange => IDBKeyRange.bound([id], [id, []]);

export const keyOf = (record: OutboxRecord): [string, number] => [record.id, record.revision];

export const inOrder = (records: OutboxRecord[]): OutboxRecord[] =>
  records.sort((one, other) => one.seq - other.seq || one.revision - other.revision);

/** Microseconds since 1970: a server's times are finer than a `Date`. */
export function microseconds(iso: string): number {
  const finer = /\.\d{3}(\d{1,3})/.exec(iso)?.[1] ?? '';
  return Date.parse(iso) * 1_000 + Number(finer.padEnd(3, '0'));
}
