// What the worker keeps: whole generations, the present one and the one before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '../src/envelope.ts';

type Kept = Map<string, Response>;

/** The caches of one browser, in the order in which they were made, and a server with one bundle. */
class Browser {
  readonly caches = new Map<string, Kept>();
  /** What the network gives instead of a file. */
  portal = false;
  digest = '';

  /** A worker of this bundle comes; says whether it installed, and then it takes over. */
  async update(digest: string): Promise<boolean> {
    const listeners = new Map<string, (event: object) => void>();
    const self = { addEventListener: (type: string, work: (event: object) => void) => listeners.set(type, work), clients: { claim: async () => undefined }, location: { origin: 'https://x' } };
    this.digest = digest;
    Object.assign(globalThis, { self, BUNDLE_DIGEST: digest, caches: this.storage(), fetch: (url: string) => this.answer(url) });
    const worker = `../src/service_worker.ts?${crypto.randomUUID()}`;
    await import(worker);
    const happens = (type: string): Promise<unknown> => new Promise((resolve) => listeners.get(type)?.({ waitUntil: resolve }));
    const installed = await happens('install').then(() => true, () => false);
    if (installed) await happens('activate');
    return installed;
  }

  private storage(): object {
    const kept = (name: string): Kept => this.caches.get(name) ?? this.caches.set(name, new Map()).get(name) ?? new Map();
    return {
      keys: async () => [...this.caches.keys()],
      has: async (name: string) => this.caches.has(name),
      delete: async (name: string) => this.caches.delete(name),
      open: async (name: string) => ({ put: async (url: string, response: Response) => void kept(name).set(url, response), match: async (url: string) => kept(name).get(url) }),
    };
  }

  private async answer(url: string): Promise<Response> {
    if (url !== '/tablette/bundle.json') return new Response(this.portal ? 'Bienvenue' : 'file');
    const files = ['/tablette/', '/static/tablet.js'].map(async (file) => ({ url: file, sha256: await sha256Hex('file') }));
    return new Response(JSON.stringify({ bundle_digest: this.digest, files: await Promise.all(files) }));
  }
}

test('what is left of a failed installation does not take the place of the generation before', async () => {
  const browser = new Browser();
  assert.equal(await browser.update('O'), true);
  browser.portal = true;
  assert.equal(await browser.update('X'), false);
  assert.deepEqual([...browser.caches.keys()], ['tablet-O'], 'nothing of it stays');
  browser.portal = false;
  browser.caches.set('tablet-W', new Map([['/tablette/', new Response('file')]])); // a worker of before left it
  assert.equal(await browser.update('Y'), true);
  assert.deepEqual([...browser.caches.keys()].sort(), ['tablet-O', 'tablet-Y']);
  assert.equal(await browser.update('Z'), true);
  assert.deepEqual([...browser.caches.keys()].sort(), ['tablet-Y', 'tablet-Z']);
});

test('a failed installation of the bundle that is in use leaves it whole', async () => {
  const browser = new Browser();
  await browser.update('O');
  browser.portal = true;
  assert.equal(await browser.update('O'), false);
  assert.equal(browser.caches.get('tablet-O')?.size, 3);
});
