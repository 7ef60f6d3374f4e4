// One record in the tablet's database, and the states it goes through:
// draft → queued → sending → receipted → away. Aside: quarantined; cancelled, until its withdrawal finds room. No state is left because of an age or a clock.
import { sha256Hex } from './envelope.ts';
import type { Interview } from './envelope.ts';

export type RecordState = 'draft' | 'cancelled' | 'queued' | 'sending' | 'receipted' | 'quarantined';

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
  /** The link of the record before (see `linkOf`); the same in all its revisions. */
  readonly prev?: string | null;
  readonly hash: string;
  readonly envelope: string;
  readonly state: RecordState;
  readonly attempts: number;
  /** How often it got no answer although the server had answered a moment before. */
  readonly heldUp?: number;
  /** Milliseconds since 1970 before which this record is not tried again. */
  readonly notBefore: number;
  /** Why it is in quarantine, or why it was refused the last time. */
  readonly reason: string | null;
  /** Of a cancelled one, whose envelope is gone: what is to be sealed in its place, without answers. */
  readonly withdrawal?: Omit<Interview, 'revision'>;
  /** Of the receipt: the history of the server that keeps it, and since when. */
  readonly epoch?: string;
  readonly storedAt?: string;
  /** The number of the last heartbeat that was asked for before the receipt came. */
  readonly beat?: number;
}

/** The last record of the chain: its number, its id, the hash of its latest revision, and the link that the next one names. */
export interface Head {
  readonly seq: number;
  readonly hash: string | null;
  readonly id?: string;
  /** Earlier versions of the application wrote none: then the next record names the hash. */
  readonly link?: string;
}

/** How many interviews were saved on this day (local to the tablet). */
export interface DayCount {
  readonly day: string;
  readonly count: number;
}

export interface Locks {
  /** `signal` ends the waiting for the lock, not the work under it. */
  request<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Run `work` under the lock if nobody holds it now; says whether it did. */
  ifFree(name: string, work: () => Promise<void>): Promise<boolean>;
}

/** Run `work` under the lock, or without it where whoever holds it stands still: a frozen tab never lets go. */
export async function patiently<T>(locks: Locks, name: string, milliseconds: number, work: () => Promise<T>): Promise<T> {
  const waiting = { over: false };
  const under = (): Promise<T> => {
    waiting.over = true;
    return work();
  };
  try {
    return await locks.request(name, under, AbortSignal.timeout(milliseconds));
  } catch (error) {
    if (waiting.over) throw error;
    return work();
  }
}

export const START: Head = { seq: 0, hash: null };

/** The Web Lock that a living interview holds. */
export const interviewLock = (id: string): string => `interview ${id}`;

/** All revisions of one record. */
export const revisionsOf = (id: string): IDBKeyRange => IDBKeyRange.bound([id], [id, []]);

export const keyOf = (record: OutboxRecord): [string, number] => [record.id, record.revision];

/**
 * What the next record names, so that the server sees whether two tablets go on under one identity: a hash over this one's
 * place and the link before. Nothing in it changes while a draft is written anew, in this tab or beside a later one.
 */
export const linkOf = ({ seq, id, prev }: { seq: number; id: string; prev?: string | null }): Promise<string> => sha256Hex(`link ${seq} ${id} ${prev ?? '-'}`);

export const inOrder = (records: OutboxRecord[]): OutboxRecord[] =>
  records.sort((one, other) => one.seq - other.seq || one.revision - other.revision);

/** Microseconds since 1970: a server's times are finer than a `Date`. */
export function microseconds(iso: string): number {
  const finer = /\.\d{3}(\d{1,3})/.exec(iso)?.[1] ?? '';
  return Date.parse(iso) * 1_000 + Number(finer.padEnd(3, '0'));
}
