// The floor page offline: whatever is in the cache is answered from it, nothing else is done.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const kept = caches.open('floor').then((cache) => cache.match(event.request));
  event.respondWith(kept.then((found) => found ?? fetch(event.request)));
});
