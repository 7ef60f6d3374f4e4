// The record on the wire, envelope v1: what `seal.ts` makes an envelope from, and the forms of bytes in it.
// A record's hash covers the envelope's bytes and is never computed from anything re-serialised.
import type { Answers } from './definition.ts';
import type { SealingKey } from './seal.ts';

/** One finished (or abandoned) interview before it gets its place in the chain. */
export interface Interview {
  readonly id: string;
  readonly revision: number;
  readonly wave: string;
  readonly questionnaireDigest: string;
  readonly bundleDigest: string;
  /** The key that the same bundle names. */
  readonly sealingKey: SealingKey;
  readonly body: RecordBody;
}

/** What the body says; the site and the mode come from the tablet's credential, never from here. */
export interface RecordBody {
  readonly answers: Answers;
  readonly language: string;
  readonly site: string | null;
  readonly complete: boolean;
  readonly practice: boolean;
  readonly started_at: string | null;
  readonly finished_at: string;
  readonly clock_offset_ms: number | null;
  readonly assisted: boolean | null;
  /** The visitor took it back: there are no answers, and it counts as no response. */
  readonly withdrawn?: boolean;
  /** Not complete, and nobody goes on with it: the tablet ended it. */
  readonly ended?: boolean;
}

/** The place of a record among those of its tablet: a number without gaps and the link of the one before. */
export interface Place {
  readonly device: string;
  readonly seq: number;
  readonly prev: string | null;
}

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

export function base64(bytes: Uint8Array): string {
  const CHUNK = 0x8000; // a longer argument list overflows the stack
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

export const base64url = (bytes: Uint8Array): string => base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

export function bytesOfBase64url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})+$/i.test(text)) throw new TypeError('not hexadecimal');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export const sha256Hex = async (text: string): Promise<string> => hex(await sha256(utf8(text)));
