// Seals records for tests/survey_app/test_sealing.py: reads JSON on standard input, writes JSON on standard output.
import { readFileSync } from 'node:fs';
import type { Interview, Place } from '../src/envelope.ts';
import { sealedEnvelope } from '../src/seal.ts';

const cases = JSON.parse(readFileSync(0, 'utf8')) as { interview: Interview; place: Place }[];
const envelopes = await Promise.all(cases.map(({ interview, place }) => sealedEnvelope(interview, place, interview.sealingKey)));
process.stdout.write(JSON.stringify(envelopes));
