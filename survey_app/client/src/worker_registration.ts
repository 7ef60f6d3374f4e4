// Registers the service worker and lets a new version take over on an idle screen only.

interface ScriptURLPolicy {
  createScriptURL(url: string): string;
}
type TrustedTypes = { createPolicy(name: string, rules: ScriptURLPolicy): ScriptURLPolicy };

const WORKER = '/tablette/sw.js';
const LOOK_FOR_UPDATE_MS = 30 * 60_000;

/** Only this one address ever becomes a script. */
function workerAddress(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('app', { createScriptURL: () => WORKER });
  return policy?.createScriptURL(WORKER) ?? WORKER;
}

/** `isIdle` says whether nobody is in the middle of anything: only then may a new version replace this page. Gives what looks for one at once. */
export async function keepWorker(isIdle: () => boolean): Promise<() => void> {
  const hadController = navigator.serviceWorker.controller !== null;
  let isControlled = hadController; // the first worker of all keeps what this page shows already
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (isControlled && isIdle()) location.reload();
    isControlled = true;
  });
  const registration = await navigator.serviceWorker.register(workerAddress(), { scope: '/tablette/', updateViaCache: 'none' });
  const offer = (): void => {
    if (isIdle() && navigator.serviceWorker.controller) registration.waiting?.postMessage('activate');
  };
  registration.addEventListener('updatefound', () => {
    const arriving = registration.installing;
    arriving?.addEventListener('statechange', () => arriving.state === 'installed' && offer());
  });
  offer();
  const look = (): void => void lookForUpdate(registration, offer);
  window.setInterval(look, LOOK_FOR_UPDATE_MS);
  if (hadController) look();
  return look;
}

async function lookForUpdate(registration: ServiceWorkerRegistration, offer: () => void): Promise<void> {
  await registration.update().catch(() => undefined); // without network there is nothing to look for
  offer();
}
