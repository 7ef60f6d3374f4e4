// Is this tablet ready? One colour, one reason, the worst first; the same codes are told to the server.
import { hex, sha256 } from './envelope.ts';
import type { Readiness } from './heartbeat.ts';
import type { Store } from './store.ts';

/** What was found; null where this browser cannot tell. */
export interface Findings {
  readonly secure: boolean;
  readonly controlled: boolean;
  readonly assets: Assets;
  readonly persisted: boolean | null;
  readonly strict: boolean;
  readonly written: boolean;
  readonly clockOffsetMs: number | null;
  /** Milliseconds since the server last confirmed something, or null before its first word. */
  readonly silentMs: number | null;
}

export type Assets = 'whole' | 'missing' | 'damaged';

export interface KeptFile {
  readonly url: string;
  readonly sha256: string;
}

const CLOCK_TOLERANCE_MS = 5 * 60_000;
const SILENCE_MS = 24 * 3_600_000;
/** Reading and hashing every file takes a moment: between two visitors it is not done again. */
const ASSETS_AGAIN_MS = 3_600_000;

type Rule = readonly [code: string, colour: 'red' | 'amber', isWrong: (found: Findings) => boolean];

/** Red: no new interview. Amber: somebody should look at it. */
export const RULES: readonly Rule[] = [
  ['insecure', 'red', (found) => !found.secure],
  ['write_probe', 'red', (found) => !found.written],
  ['assets', 'red', (found) => found.assets === 'damaged'],
  ['worker', 'amber', (found) => !found.controlled],
  ['assets', 'amber', (found) => found.assets === 'missing'],
  ['last_receipt', 'amber', (found) => (found.silentMs ?? 0) > SILENCE_MS],
  ['clock', 'amber', (found) => Math.abs(found.clockOffsetMs ?? 0) > CLOCK_TOLERANCE_MS],
  ['durability', 'amber', (found) => !found.strict],
  ['persistence', 'amber', (found) => found.persisted !== true],
];

export const readinessOf = (found: Findings): Readiness => {
  const rule = RULES.find(([, , isWrong]) => isWrong(found));
  return rule ? { colour: rule[1], reason: rule[0] } : { colour: 'green', reason: null };
};

/** Look at everything, and keep what the heartbeat is to tell. `afresh`: the files too, however lately they were read. */
export async function checkReadiness(store: Store, bundle: BundleFiles | null, afresh = false): Promise<Readiness> {
  const readiness = readinessOf({
    secure: globalThis.isSecureContext,
    controlled: navigator.serviceWorker.controller !== null,
    assets: await assetsOf(store, bundle, afresh),
    persisted: (await navigator.storage?.persisted?.()) ?? null,
    strict: store.strict !== false, // as the probe's transaction got it
    written: store.fault === null, // after a probe: whatever does not work has been reported
    clockOffsetMs: (await store.fact<number>('clock_offset_ms')) ?? null,
    silentMs: await silenceOf(store),
  });
  if (store.fault === null) await store.setFact('readiness', readiness);
  return readiness;
}

export interface BundleFiles {
  readonly bundle_digest: string;
  readonly files: readonly KeptFile[];
}

async function assetsOf(store: Store, bundle: BundleFiles | null, afresh: boolean): Promise<Assets> {
  if (bundle === null) return 'missing';
  const last = await store.fact<{ bundle: string; at: number; found: Assets }>('assets');
  const isLate = last?.bundle !== bundle.bundle_digest || last.found !== 'whole' || Math.abs(Date.now() - last.at) > ASSETS_AGAIN_MS;
  if (last && !isLate && !afresh) return last.found;
  const found = await verified(bundle);
  if (found !== 'whole') navigator.serviceWorker.controller?.postMessage('repair');
  await store.setFact('assets', { bundle: bundle.bundle_digest, at: Date.now(), found }).catch(() => undefined); // the probe tells
  return found;
}

/** Every file of the bundle as the worker keeps it, against the hash that the list gives. */
export async function verified({ bundle_digest, files }: BundleFiles, storage: CacheStorage = caches): Promise<Assets> {
  const name = `tablet-${bundle_digest}`;
  if (!(await storage.has(name))) return 'missing';
  const kept = await storage.open(name);
  let worst: Assets = 'whole';
  for (const file of files) {
    const response = await kept.match(file.url);
    if (response === undefined) worst = 'missing';
    else if (hex(await sha256(new Uint8Array(await response.arrayBuffer()))) !== file.sha256) return 'damaged';
  }
  return worst;
}

/** Where something was tried in vain, only a receipt ends the silence; else any word of the server does. */
async function silenceOf(store: Store): Promise<number | null> {
  const waiting = await store.read('records', (records) => records.index('state').getAll('queued') as IDBRequest<{ attempts: number }[]>);
  const inVain = waiting.some(({ attempts }) => attempts >= 3);
  const receipt = Date.parse((await store.fact<string>('last_receipt_at')) ?? '');
  const heard = inVain && !Number.isNaN(receipt) ? receipt : await store.fact<number>('last_contact');
  return heard === undefined ? null : Math.max(0, Date.now() - heard);
}
