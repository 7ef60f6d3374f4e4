// What a tablet knows after its enrolment: who it is, and the secret that signs its calls and checks receipts.
// The secret is a non-extractable key: scripts cannot read it back. It still lies in the browser's files, so
// whoever steals the tablet can sign as it until it is revoked; it opens no answer.
import { base64, bytesOfHex, hex, sha256, sha256Hex, utf8 } from './envelope.ts';

export interface Credential {
  readonly device: string;
  readonly secret: CryptoKey;
}

/** The server's word that it keeps one record. */
export interface Receipt {
  readonly id: string;
  readonly revision: number;
  readonly sha256: string;
  readonly epoch: string;
  readonly stored_at: string;
  readonly conflict: boolean;
  readonly mac: string;
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' };

export const importSecret = (secretHex: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytesOfHex(secretHex), HMAC, false, ['sign', 'verify']);

/** The headers by which the server knows the tablet and notices a body damaged on its way. */
export async function signedHeaders({ device, secret }: Credential, method: string, path: string, body: string): Promise<Record<string, string>> {
  const digest = await sha256(utf8(body));
  const signature = await crypto.subtle.sign('HMAC', secret, utf8(`${method}\n${path}\n${hex(digest)}`));
  return {
    'Content-Type': 'application/json',
    'Content-Digest': `sha-256=:${base64(digest)}:`,
    'X-Device': device,
    'X-Signature': hex(new Uint8Array(signature)),
  };
}

/**
 * Whether the server itself gave these bytes as the answer to that call. Without this, whoever stands where https ends could
 * have copies deleted, a tablet emptied, or a PIN of their own accepted. The call has a number: no earlier answer fits.
 */
export async function isAnswerTo(asked: string, answer: Response, { secret }: Credential): Promise<boolean> {
  const code = answer.headers.get('X-Signature') ?? '';
  if (!answer.ok || !/^[0-9a-f]{64}$/.test(code)) return false;
  const text = ['answer', await sha256Hex(asked), await sha256Hex(await answer.clone().text())].join('\n');
  return crypto.subtle.verify('HMAC', secret, bytesOfHex(code), utf8(text));
}

/** The receipt, if it is the server's own for exactly these bytes. Anything else means "not sent". */
export async function receiptFor(record: { id: string; revision: number; hash: string }, answer: unknown, secret: CryptoKey): Promise<Receipt | null> {
  if (!isReceipt(answer)) return null;
  if (answer.id !== record.id || answer.revision !== record.revision || answer.sha256 !== record.hash) return null;
  const text = ['receipt', answer.id, answer.revision, answer.sha256, answer.epoch, answer.stored_at].join('\n');
  return (await crypto.subtle.verify('HMAC', secret, bytesOfHex(answer.mac), utf8(text))) ? answer : null;
}

function isReceipt(value: unknown): value is Receipt {
  if (typeof value !== 'object' || value === null) return false;
  const { id, revision, sha256: hash, epoch, stored_at, mac } = value as Record<string, unknown>;
  const texts = [id, hash, epoch, stored_at, mac].every((text) => typeof text === 'string');
  return texts && Number.isInteger(revision) && /^[0-9a-f]{64}$/.test(String(mac));
}
