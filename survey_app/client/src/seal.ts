// Records are sealed here (HPKE, RFC 9180, base mode) before anything is written: the tablet has the public half of
// the server's key only, so that it cannot read back what it saved, nor can whoever takes it.
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { base64url, bytesOfBase64url, utf8 } from './envelope.ts';
import type { Interview, Place } from './envelope.ts';

const SUITE = 'hpke-p256-sha256-aes256gcm';

/** The public half of the server's newest key, as the bundle names it. */
export interface SealingKey {
  readonly key_id: string;
  /** The uncompressed point, 65 bytes, in base64url. */
  readonly public_key: string;
}

/** The text of the envelope, exactly as it will be sent. The plain body never leaves this function. */
export async function sealedEnvelope(interview: Interview, place: Place, key: SealingKey): Promise<string> {
  const { enc, ct } = await sealedFor(key, binding(interview, place), utf8(JSON.stringify(interview.body)));
  const sealed = new Uint8Array(enc.byteLength + ct.byteLength);
  sealed.set(new Uint8Array(enc));
  sealed.set(new Uint8Array(ct), enc.byteLength);
  return JSON.stringify({
    v: 1,
    suite: SUITE,
    key_id: key.key_id,
    id: interview.id,
    revision: interview.revision,
    device: place.device,
    seq: place.seq,
    prev: place.prev,
    wave: interview.wave,
    questionnaire_digest: interview.questionnaireDigest,
    bundle_digest: interview.bundleDigest,
    body: base64url(sealed),
  });
}

/** What a body is bound to, whole: it opens inside this frame and inside no other (twin: `Envelope.binding`). */
function binding(interview: Interview, place: Place): Uint8Array<ArrayBuffer> {
  const { id, revision, wave, questionnaireDigest, bundleDigest } = interview;
  const parts = [id, revision, place.device, place.seq, place.prev ?? '-', wave, questionnaireDigest, bundleDigest];
  return utf8(['survey-app record v1', ...parts].join('\n'));
}

async function sealedFor(key: SealingKey, info: Uint8Array<ArrayBuffer>, body: Uint8Array<ArrayBuffer>) {
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const point = bytesOfBase64url(key.public_key);
  const recipientPublicKey = await suite.kem.deserializePublicKey(point.buffer);
  return suite.seal({ recipientPublicKey, info: info.buffer }, body.buffer);
}
