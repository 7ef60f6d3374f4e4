// What waits, as a file that staff bring to the server: each record as it would be sent, with the signature of that call.
import { signedHeaders } from './credential.ts';
import type { OutboxRecord } from './records.ts';
import type { Credentials } from './sync.ts';

export async function rescueFile(waiting: readonly OutboxRecord[], credentials: Pick<Credentials, 'of'>): Promise<string> {
  const signatures = await Promise.all(waiting.map((record) => signatureOf(record, credentials)));
  return JSON.stringify({ records: waiting.map(({ envelope }) => envelope), signatures });
}

/** Without its secret a record is still brought; the server keeps it until somebody decides. */
async function signatureOf({ id, device, envelope }: OutboxRecord, credentials: Pick<Credentials, 'of'>): Promise<string> {
  const credential = await credentials.of(device);
  if (credential === null) return '';
  return (await signedHeaders(credential, 'PUT', `/api/v1/records/${id}`, envelope))['X-Signature'] ?? '';
}
