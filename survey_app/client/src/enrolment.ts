// How a tablet becomes one of the prefecture's: a one-time code against an identity, kept in the database.
import { importSecret } from './credential.ts';
import type { Credential } from './credential.ts';
import { isPin } from './heartbeat.ts';
import { EMPTIED } from './store.ts';
import type { Store } from './store.ts';
import type { Credentials } from './sync.ts';

/** What the server says of this tablet; the secret itself is kept apart, as a key. */
export interface Device {
  readonly device: string;
  readonly name: string;
  readonly site: string;
  readonly site_name: string;
  readonly slugs: readonly string[];
  readonly languages: readonly string[];
}

export type EnrolmentResult = 'enrolled' | 'no_code' | 'wrong_code' | 'too_many' | 'unreachable';

/** Why this browser cannot keep answers safely, or null when it can. */
export function whyRefused(): 'insecure' | 'unsupported' | null {
  if (!globalThis.isSecureContext) return 'insecure';
  const able = 'serviceWorker' in navigator && 'indexedDB' in globalThis && 'locks' in navigator;
  return able && typeof crypto.subtle === 'object' ? null : 'unsupported';
}

export class Enrolment implements Credentials {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  async device(): Promise<Device | null> {
    return (await this.store.fact<Device>('device')) ?? null;
  }

  async current(): Promise<Credential | null> {
    const device = await this.device();
    return device && this.of(device.device);
  }

  async of(device: string): Promise<Credential | null> {
    const secret = await this.store.fact<CryptoKey>(`secret ${device}`);
    return secret ? { device, secret } : null;
  }

  /** Exchange the code. Spaces and hyphens are for the eye only. */
  async enrol(code: string, send: typeof fetch): Promise<EnrolmentResult> {
    const typed = code.replace(/[\s-]/g, '').toUpperCase();
    if (typed === '') return 'no_code';
    const body = JSON.stringify({ code: typed });
    const request = { method: 'POST', body, headers: { 'Content-Type': 'application/json' }, credentials: 'omit' as const, redirect: 'manual' as const };
    const response = await send('/api/v1/devices/enrol', request).catch(() => null);
    if (response?.status === 429) return 'too_many';
    if (response && [400, 401, 403, 404, 410].includes(response.status)) return 'wrong_code';
    const answer: unknown = response?.ok ? await response.json().catch(() => null) : null;
    if (!isEnrolmentAnswer(answer)) return 'unreachable';
    await this.keep(answer);
    return 'enrolled';
  }

  /** A new identity starts a new chain; records of an earlier one keep their secret until they are sent. */
  private async keep({ secret, pin, idle_seconds, ...device }: EnrolmentAnswer): Promise<void> {
    const key = await importSecret(secret);
    await this.store.enrol((transaction) => {
      const facts = transaction.objectStore('facts');
      facts.put(device, 'device');
      facts.put(key, `secret ${device.device}`);
      if (isPin(pin)) facts.put(pin, 'pin');
      else facts.delete('pin');
      if (typeof idle_seconds === 'number') facts.put(idle_seconds, 'idle_seconds');
      for (const gone of ['head', EMPTIED, 'damaged', 'refusals', 'pin_failures', 'pin_tries']) facts.delete(gone);
    });
  }
}

type EnrolmentAnswer = Device & { readonly secret: string; readonly pin?: unknown; readonly idle_seconds?: unknown };

function isEnrolmentAnswer(value: unknown): value is EnrolmentAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const { device, secret, site, slugs, languages } = value as Record<string, unknown>;
  return [device, secret, site].every((text) => typeof text === 'string') && Array.isArray(slugs) && Array.isArray(languages);
}
