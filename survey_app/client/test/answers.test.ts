import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answersFrom, parsed } from '../src/answers.ts';
import { message } from '../src/definition.ts';
import type { Definition, ItemDefinition } from '../src/definition.ts';
import { faultOf, isAdvisedAndMissing, lengthOf } from '../src/validation.ts';

const reason: ItemDefinition = {
  name: 'reason', type: 'multiple_choice', requirement: 'required',
  options: [{ code: 'permit' }, { code: 'other', specify: true }, { code: 'none', exclusive: true }],
};
const minutes: ItemDefinition = { name: 'minutes', type: 'number', minimum: 0, maximum: 300 };
const comment: ItemDefinition = { name: 'comment', type: 'long_text', maximum_length: 5, requirement: 'advised' };
const definition: Definition = { sections: [{ name: 's', items: [reason, minutes, comment] }], messages: { too_large: 'Au plus {maximum}.' } };

test('what a form holds becomes answers in one shape', () => {
  const entries: [string, string][] = [['reason', 'other'], ['reason', 'permit'], ['reason.other', ' un\r\ntexte '], ['minutes', '12,0'], ['comment', '']];
  assert.deepEqual(answersFrom(entries, definition), { reason: ['permit', 'other'], 'reason.other': 'un texte', minutes: 12 });
});

test('digits of other keyboards are digits, and what is no number stays as written', () => {
  assert.equal(parsed(minutes, ['١٢']), 12);
  assert.equal(parsed(minutes, ['1 200']), 1200);
  assert.equal(parsed(minutes, ['12,5']), '12,5');
  assert.equal(parsed(minutes, ['douze']), 'douze');
});

test('a fault has the code of the server', () => {
  assert.equal(faultOf(reason, {})?.code, 'missing');
  assert.equal(faultOf(reason, { reason: ['none', 'permit'] })?.code, 'exclusive_option');
  assert.equal(faultOf(minutes, { minutes: '12,5' })?.code, 'not_a_whole_number');
  assert.equal(faultOf(minutes, { minutes: 'douze' })?.code, 'not_a_number');
  assert.equal(faultOf(comment, { comment: '👩👩👩👩👩👩' })?.code, 'too_long');
  assert.equal(faultOf(comment, { comment: '👩👩👩👩👩' }), null);
  assert.equal(faultOf(comment, {}), null);
  assert.equal(isAdvisedAndMissing(comment, {}), true);
});

test('a message fills in its parameters and nothing else', () => {
  assert.equal(message(definition, 'too_large', { maximum: 300 }), 'Au plus 300.');
  assert.equal(message(definition, 'constructor'), 'constructor');
});

test('lengths are counted in characters', () => {
  assert.equal(lengthOf('é👩'), 2);
});
