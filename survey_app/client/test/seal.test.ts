// Sealed records: what the server's key opens, and nothing else (cases shared with Python).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOfBase64url, hex, sha256 } from '../src/envelope.ts';
import type { Interview } from '../src/envelope.ts';
import { sealedEnvelope } from '../src/seal.ts';
import type { SealingKey } from '../src/seal.ts';
import { opened, SEALING_CASES, SEALING_KEY } from './server_key.ts';
import type { SealingCase } from './server_key.ts';

const [FIRST] = SEALING_CASES as readonly [SealingCase];
const sealed = (one: SealingCase, body = one.interview.body): Promise<string> => sealedEnvelope({ ...one.interview, sealingKey: SEALING_KEY, body }, one.place, SEALING_KEY);

for (const one of SEALING_CASES) {
  test(`sealed in Python, opened in TypeScript: ${one.name}`, async () => {
    assert.deepEqual(await opened(one.sealed_by_python, one.binding), one.interview.body);
  });

  test(`sealed in TypeScript, opened in TypeScript: ${one.name}`, async () => {
    const envelope = await sealed(one);
    assert.deepEqual(await opened(envelope, one.binding), one.interview.body);
    assert.deepEqual({ ...JSON.parse(envelope), body: '' }, { ...JSON.parse(one.sealed_by_python), body: '' });
  });
}

test('a body opens inside its own frame only', async () => {
  const { sealed_by_python: envelope, binding } = FIRST;
  for (let line = 0; line < binding.length; line += 1) {
    const other = binding.map((text, at) => (at === line ? `${text}0` : text));
    await assert.rejects(opened(envelope, other), `line ${line} is not bound`);
  }
});

test('the name of a key is the start of the hash of its point', async () => {
  assert.equal(hex(await sha256(bytesOfBase64url(SEALING_KEY.public_key))).slice(0, 16), SEALING_KEY.key_id);
});

test('no answer can be read in an envelope, and two envelopes of one interview differ', async () => {
  const body: Interview['body'] = { ...FIRST.interview.body, answers: { comment: 'un secret bien gardé' } };
  const [first, second] = await Promise.all([sealed(FIRST, body), sealed(FIRST, body)]);
  assert.notEqual(first, second);
  const bytes = Buffer.from((JSON.parse(first) as { body: string }).body, 'base64url');
  for (const encoding of ['utf8', 'latin1', 'utf16le'] as const) assert.equal(bytes.includes(Buffer.from('secret', encoding)), false);
});

test('a key that is no point of the curve seals nothing', async () => {
  const broken: SealingKey = { ...SEALING_KEY, public_key: `${SEALING_KEY.public_key.slice(0, -4)}AAAA` };
  await assert.rejects(sealedEnvelope({ ...FIRST.interview, sealingKey: broken }, FIRST.place, broken));
});
