// The server's pair of keys for tests, and the cases shared with Python (tests/conformance/sealing.json).
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { readFileSync } from 'node:fs';
import { bytesOfBase64url, utf8 } from '../src/envelope.ts';
import type { Interview, Place } from '../src/envelope.ts';
import type { SealingKey } from '../src/seal.ts';

export interface SealingCase {
  readonly name: string;
  readonly interview: Omit<Interview, 'sealingKey'>;
  readonly place: Place;
  readonly binding: readonly string[];
  readonly sealed_by_python: string;
  readonly sealed_by_typescript: string;
}

const vectors = JSON.parse(readFileSync(new URL('../../../tests/conformance/sealing.json', import.meta.url), 'utf8')) as {
  readonly key: SealingKey;
  readonly private_key: JsonWebKey;
  readonly cases: readonly SealingCase[];
};
export const SEALING_KEY = vectors.key;
export const SEALING_CASES = vectors.cases;
const POINT_BYTES = 65;

/** The lines that the body of an envelope is bound to, as its own frame gives them. */
export function bindingOf(envelope: string): string[] {
  const frame = JSON.parse(envelope) as Record<string, string | number | null>;
  const names = ['id', 'revision', 'device', 'seq', 'prev', 'wave', 'questionnaire_digest', 'bundle_digest'];
  return ['survey-app record v1', ...names.map((name) => String(frame[name] ?? '-'))];
}

/** What the server does: the body of an envelope, or a refusal. */
export async function opened(envelope: string, binding: readonly string[] = bindingOf(envelope)): Promise<Interview['body']> {
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientKey = await suite.kem.importKey('jwk', vectors.private_key, false);
  const sealed = bytesOfBase64url((JSON.parse(envelope) as { body: string }).body);
  const [enc, ciphertext] = [sealed.slice(0, POINT_BYTES), sealed.slice(POINT_BYTES)];
  const plain = await suite.open({ recipientKey, enc: enc.buffer, info: utf8(binding.join('\n')).buffer }, ciphertext.buffer);
  return JSON.parse(new TextDecoder().decode(plain)) as Interview['body'];
}
