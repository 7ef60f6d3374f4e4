// Keeps the tablet's pages and files, so that it starts with no network. The server writes BUNDLE_DIGEST before this
// text: another bundle is another worker, which installs whole or not at all, and waits for an idle screen.
export {};
declare const self: ServiceWorkerGlobalScope;
declare const BUNDLE_DIGEST: string;

interface BundleFile {
  readonly url: string;
  readonly sha256: string;
}

interface Bundle {
  readonly bundle_digest: string;
  readonly files: readonly BundleFile[];
}

const GENERATION = 'tablet-';
const CURRENT = `${GENERATION}${BUNDLE_DIGEST}`;
const LIST = '/tablette/bundle.json';
const START = '/tablette/';
/** What a page needs of a kept response; its other headers belong to the transfer. */
const KEPT_HEADERS = ['Content-Type', 'Content-Security-Policy', 'Cross-Origin-Opener-Policy', 'Cross-Origin-Resource-Policy', 'Referrer-Policy', 'X-Content-Type-Options', 'Permissions-Policy'];

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('message', (event) => {
  if (event.data === 'activate') event.waitUntil(self.skipWaiting());
  // A page found files missing or damaged: they are fetched again, or stay as they are.
  if (event.data === 'repair') event.waitUntil(keepBundle().catch(() => undefined));
});
// The browser noticed a network: the sender is woken, in the pages. It needs nothing from here to be correct.
self.addEventListener('sync', (event) => (event as ExtendableEvent).waitUntil(wakeSenders()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // Anything but a plain read goes straight to the network: a worker that sends bodies again may send them empty.
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/tablette/') || url.pathname.startsWith('/static/')) event.respondWith(answer(request, url.pathname));
});

/** Whole or not at all: what is left of a failed one would count as the generation before. */
async function install(): Promise<void> {
  const wasWhole = await isWhole(CURRENT);
  try {
    await keepBundle();
  } catch (error) {
    if (!wasWhole) await caches.delete(CURRENT);
    throw error;
  }
}

/** The list is written last. */
async function isWhole(name: string): Promise<boolean> {
  return (await caches.has(name)) && (await (await caches.open(name)).match(LIST)) !== undefined;
}

/** Fetch all files of the bundle, each with the hash that the list gives; a sign-in page of some network has another. */
async function keepBundle(): Promise<void> {
  const list = await fetch(LIST, { cache: 'no-store', credentials: 'omit' });
  const text = await list.clone().text();
  const bundle = JSON.parse(text) as Bundle;
  if (bundle.bundle_digest !== BUNDLE_DIGEST) throw new Error('the bundle changed meanwhile');
  const cache = await caches.open(CURRENT);
  await Promise.all(bundle.files.map((file) => keepFile(cache, file)));
  await cache.put(LIST, kept(list, new TextEncoder().encode(text)));
}

async function keepFile(cache: Cache, { url, sha256 }: BundleFile): Promise<void> {
  const response = await fetch(url, { cache: 'no-cache', credentials: 'omit', redirect: 'error' });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!response.ok || (await hashOf(bytes)) !== sha256) throw new Error(`${url} is not what the bundle announces`);
  await cache.put(url, kept(response, bytes));
}

function kept(response: Response, bytes: Uint8Array<ArrayBuffer>): Response {
  const headers = KEPT_HEADERS.flatMap((name): [string, string][] => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  return new Response(bytes, { headers });
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The generation before stays, for a page that another tab still shows; it is a whole one, which has its list. */
async function takeOver(): Promise<void> {
  const earlier = (await caches.keys()).filter((name) => name.startsWith(GENERATION) && name !== CURRENT);
  const whole = await Promise.all(earlier.map(isWhole));
  const before = earlier.filter((_name, index) => whole[index]).at(-1);
  await Promise.all(earlier.filter((name) => name !== before).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function wakeSenders(): Promise<void> {
  for (const client of await self.clients.matchAll({ type: 'window' })) client.postMessage('send');
}

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CURRENT);
  const found = (await cache.match(path)) ?? (await caches.match(path));
  if (found) return found;
  try {
    return await fetch(request);
  } catch (error) {
    const start = request.mode === 'navigate' ? await cache.match(START) : undefined;
    if (start) return start;
    throw error;
  }
}
