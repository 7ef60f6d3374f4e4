// What a tablet says once it has emptied itself, so that the referent knows: whoever lost one asks for exactly that.
import { signedHeaders } from './credential.ts';
import type { Credential } from './credential.ts';

const HEARTBEAT = '/api/v1/devices/heartbeat';
const NOTHING = { waiting: 0, quarantined: 0, drafts: 0, retained: 0, held: [], former: 0 };

/** Nothing of it is left but what the caller remembers: without a network it is not said, and the server says so. */
export async function tellEmptied(send: typeof fetch, credential: Credential, beat: number): Promise<void> {
  const body = JSON.stringify({ beat, emptied: true, ...NOTHING });
  const headers = await signedHeaders(credential, 'POST', HEARTBEAT, body);
  await send(HEARTBEAT, { method: 'POST', headers, body, redirect: 'manual', cache: 'no-store', credentials: 'omit' }).catch(() => undefined);
}
