// Is this tablet ready? The worst finding gives the colour and the reason.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hex, sha256, utf8 } from '../src/envelope.ts';
import { readinessOf, RULES, verified } from '../src/readiness.ts';
import type { Findings } from '../src/readiness.ts';

const WELL: Findings = { secure: true, controlled: true, assets: 'whole', persisted: true, strict: true, written: true, clockOffsetMs: 800, silentMs: 60_000 };

test('a tablet on which all is well is green, and one that has never heard of the server too', () => {
  assert.deepEqual(readinessOf(WELL), { colour: 'green', reason: null });
  assert.equal(readinessOf({ ...WELL, silentMs: null, clockOffsetMs: null }).colour, 'green');
});

const WRONG: readonly (readonly [Partial<Findings>, string, string])[] = [
  [{ secure: false }, 'red', 'insecure'],
  [{ written: false }, 'red', 'write_probe'],
  [{ assets: 'damaged' }, 'red', 'assets'],
  [{ assets: 'missing' }, 'amber', 'assets'],
  [{ controlled: false }, 'amber', 'worker'],
  [{ persisted: false }, 'amber', 'persistence'],
  [{ persisted: null }, 'amber', 'persistence'],
  [{ strict: false }, 'amber', 'durability'],
  [{ clockOffsetMs: -301_000 }, 'amber', 'clock'],
  [{ silentMs: 86_400_001 }, 'amber', 'last_receipt'],
];

for (const [change, colour, reason] of WRONG) {
  test(`${JSON.stringify(change)} is ${colour}: ${reason}`, () => assert.deepEqual(readinessOf({ ...WELL, ...change }), { colour, reason }));
}

test('what stops the tablet comes before what only asks for a look', () => {
  assert.deepEqual(readinessOf({ ...WELL, persisted: false, clockOffsetMs: 1e9, written: false }), { colour: 'red', reason: 'write_probe' });
});

test('every reason has its sentence on the page and its words on the server', () => {
  const page = readFileSync(new URL('../../templates/tablet/start.html', import.meta.url), 'utf8');
  const server = readFileSync(new URL('../../device_health.py', import.meta.url), 'utf8');
  for (const [code, colour] of RULES) {
    assert.ok(page.includes(`data-remedy="${code}"`), code);
    assert.ok(colour !== 'red' || page.includes(`data-reason="${code}"`), code);
    assert.ok(server.includes(`    "${code}": "`), code);
  }
});

const CONTENT = 'the page';
const FILE = { url: '/tablette/', sha256: hex(await sha256(utf8(CONTENT))) };
const BUNDLE = { bundle_digest: 'd', files: [FILE] };

/** The one cache of a worker that keeps these texts. */
function caching(kept: Readonly<Record<string, string>> | null): CacheStorage {
  const match = async (url: string): Promise<Response | undefined> => (kept?.[url] === undefined ? undefined : new Response(kept[url]));
  return { has: async () => kept !== null, open: async () => ({ match }) } as unknown as CacheStorage;
}

test('the files are read and compared with their hashes', async () => {
  assert.equal(await verified(BUNDLE, caching({ '/tablette/': CONTENT })), 'whole');
  assert.equal(await verified(BUNDLE, caching({ '/tablette/': `${CONTENT} ` })), 'damaged');
  assert.equal(await verified(BUNDLE, caching({})), 'missing');
  assert.equal(await verified(BUNDLE, caching(null)), 'missing');
});
