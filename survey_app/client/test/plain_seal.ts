// An envelope whose body the tests can read: what is kept, sent and given up does not depend on what is in it.
import { base64url, utf8 } from '../src/envelope.ts';
import type { Seal } from '../src/outbox.ts';

export const plainSeal: Seal = async (interview, { device, seq, prev }) =>
  JSON.stringify({
    v: 1,
    suite: 'none',
    key_id: interview.sealingKey.key_id,
    id: interview.id,
    revision: interview.revision,
    device,
    seq,
    prev,
    wave: interview.wave,
    questionnaire_digest: interview.questionnaireDigest,
    bundle_digest: interview.bundleDigest,
    body: base64url(utf8(JSON.stringify(interview.body))),
  });
