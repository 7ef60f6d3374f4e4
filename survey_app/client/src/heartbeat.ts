// What the tablet tells the server of itself now and again, and what it learns from the answer.
import type { Outbox } from './outbox.ts';
import type { ServerWord } from './retention.ts';
import type { Store } from './store.ts';

/** What the page knows and the database does not. */
export interface Surrounds {
  readonly app_digest: string | null;
  readonly questionnaires: readonly string[];
  readonly persisted: boolean | null;
  readonly battery: { readonly level: number; readonly charging: boolean } | null;
}

export const NO_SURROUNDS: Surrounds = { app_digest: null, questionnaires: [], persisted: null, battery: null };

/** The check of the agent's PIN, which must work without a network. */
export interface Pin {
  readonly salt: string;
  readonly hash: string;
  readonly iterations: number;
}

/** What the last check of the tablet found. */
export interface Readiness {
  readonly colour: 'green' | 'amber' | 'red';
  readonly reason: string | null;
}

export interface HeartbeatAnswer extends ServerWord {
  readonly now: string;
  readonly revoked: boolean;
  readonly pin: Pin | null;
  readonly idleSeconds: number | null;
  /** What tablets are to hold now; null where the server does not say. */
  readonly bundle: string | null;
}

/** What is sent, under a number that rises with each call, in all tabs. */
export interface Heartbeat {
  readonly beat: number;
  readonly body: string;
}

/** What the server may not have. */
const NOT_RECEIVED = ['queued', 'sending', 'quarantined', 'draft', 'cancelled'] as const;
/** As many as the server reads. */
const MOST_RUNS = 1_000;

/** Everything the server is told. The counters of refusals and of wrong PINs only rise. */
export async function heartbeatOf(outbox: Outbox, store: Store, surrounds: Surrounds): Promise<Heartbeat> {
  const [queued, sending, quarantined, drafts, retained] = await Promise.all(
    (['queued', 'sending', 'quarantined', 'draft', 'receipted'] as const).map((state) => outbox.count(state)),
  ) as [number, number, number, number, number];
  const head = await outbox.head();
  const unsent = (await Promise.all(NOT_RECEIVED.map((state) => outbox.inState(state)))).flat();
  const device = (await store.fact<{ device: string }>('device'))?.device;
  const readiness = await store.fact<Readiness>('readiness');
  const beat = await nextBeat(store);
  const body = JSON.stringify({
    beat,
    waiting: queued + sending + quarantined,
    quarantined,
    drafts: drafts + (await outbox.count('cancelled')),
    retained,
    high_seq: head.seq,
    held: runsOf(unsent.filter((record) => record.device === device).map((record) => record.seq)),
    former: unsent.filter((record) => record.device !== device).length,
    ...surrounds,
    clock_offset_ms: (await store.fact<number>('clock_offset_ms')) ?? null,
    last_receipt_at: (await store.fact<string>('last_receipt_at')) ?? null,
    readiness: readiness?.colour ?? null,
    readiness_reason: readiness?.reason ?? null,
    pin_failures: (await store.fact<number>('pin_failures')) ?? 0,
    refusals: (await store.fact<Record<string, number>>('refusals')) ?? {},
  });
  return { beat, body };
}

/** First and last of each run of numbers: thousands in a row are one. */
export function runsOf(numbers: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of [...new Set(numbers)].sort((one, other) => one - other)) {
    const last = runs.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.slice(0, MOST_RUNS);
}

/** By it the server tells an old call that is sent again, and the tablet an answer older than a receipt. */
async function nextBeat(store: Store): Promise<number> {
  const next = { beat: 0 };
  await store.write(['facts'], (transaction) => {
    const facts = transaction.objectStore('facts');
    const request: IDBRequest<number | undefined> = facts.get('beat');
    request.onsuccess = () => {
      next.beat = (request.result ?? 0) + 1;
      facts.put(next.beat, 'beat');
    };
  });
  return next.beat;
}

/** The answer as far as it can be used, or null if it is none. A part of another shape counts as absent. */
export function heartbeatAnswer(value: unknown): HeartbeatAnswer | null {
  if (typeof value !== 'object' || value === null) return null;
  const { now, epoch, revoked, watermark, missing, pin, idle_seconds, bundle } = value as Record<string, unknown>;
  if (typeof now !== 'string' || typeof epoch !== 'string') return null;
  return {
    now,
    epoch,
    revoked: revoked === true,
    watermark: typeof watermark === 'string' ? watermark : null,
    missing: Array.isArray(missing) ? missing.filter((seq): seq is number => Number.isInteger(seq)) : [],
    pin: isPin(pin) ? pin : null,
    idleSeconds: typeof idle_seconds === 'number' ? idle_seconds : null,
    bundle: typeof bundle === 'string' ? bundle : null,
  };
}

export function isPin(value: unknown): value is Pin {
  if (typeof value !== 'object' || value === null) return false;
  const { salt, hash, iterations } = value as Record<string, unknown>;
  return typeof salt === 'string' && typeof hash === 'string' && Number.isInteger(iterations);
}
