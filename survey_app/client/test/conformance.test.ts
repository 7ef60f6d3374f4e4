// The cases that Python and TypeScript both pass (tests/conformance/README.md).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parsed } from '../src/answers.ts';
import { holds } from '../src/conditions.ts';
import type { Answers, AnswerValue, Condition, Definition, ItemDefinition } from '../src/definition.ts';
import { decidingItems, relevantItems, splitByPath } from '../src/routing.ts';
import { linkOf } from '../src/records.ts';
import type { RoutingContext } from '../src/routing.ts';
import { check } from '../src/validation.ts';
import type { AnswerFault } from '../src/validation.ts';

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../tests/conformance/${name}.json`, import.meta.url), 'utf8')) as T;

interface ConditionCase {
  readonly name: string;
  readonly condition: Condition;
  readonly answers: Answers;
  readonly holds: boolean;
}

for (const { name, condition, answers, holds: expected } of read<ConditionCase[]>('conditions')) {
  test(`condition: ${name}`, () => assert.equal(holds(condition, answers), expected));
}

interface RoutingCase {
  readonly name: string;
  readonly definition: string;
  readonly answers: Answers;
  readonly context: RoutingContext;
  readonly asked: readonly string[];
  readonly on_path: readonly string[];
  readonly off_path: readonly string[];
}

const routing = read<{ definitions: Record<string, Definition>; cases: RoutingCase[] }>('routing');
for (const { name, definition, answers, context, asked, on_path, off_path } of routing.cases) {
  test(`routing: ${name}`, () => {
    const questionnaire = routing.definitions[definition];
    assert.ok(questionnaire);
    assert.deepEqual(relevantItems(questionnaire, answers, context).map((item) => item.name), asked);
    const { onPath, offPath } = splitByPath(questionnaire, answers, context);
    assert.deepEqual([Object.keys(onPath), Object.keys(offPath)], [on_path, off_path]);
  });
}

test('an answer that decides nothing may be left out, and the same questions are asked', () => {
  let decided = 0;
  for (const { definition, answers, context, asked } of routing.cases) {
    const questionnaire = routing.definitions[definition];
    assert.ok(questionnaire);
    const deciding = decidingItems(questionnaire);
    const kept = Object.entries(answers).filter(([name]) => deciding.has(name));
    decided += kept.length;
    assert.deepEqual(relevantItems(questionnaire, Object.fromEntries(kept), context).map((item) => item.name), asked);
  }
  assert.ok(decided > 0);
});

for (const { name, link, ...place } of read<{ name: string; seq: number; id: string; prev: string | null; link: string }[]>('links')) {
  test(`link: ${name}`, async () => assert.equal(await linkOf(place), link));
}

interface AnswerCases {
  readonly items: Record<string, ItemDefinition>;
  readonly parse: { item: string; raw: string[]; value: AnswerValue | null }[];
  readonly check: { item: string; value: AnswerValue; faults: AnswerFault[] }[];
}

/** Values that no form can give; the server alone judges them. */
const FOR_THE_SERVER = new Set(['wrong_shape', 'control_character']);

const cases = read<AnswerCases>('answers');
for (const { item, raw, value } of cases.parse) {
  test(`parse ${item}: ${JSON.stringify(raw)}`, () => assert.deepEqual(parsed(itemCalled(item), raw), value));
}
for (const { item, value, faults } of cases.check) {
  if (faults.some((fault) => FOR_THE_SERVER.has(fault.code))) continue;
  test(`check ${item}: ${JSON.stringify(value)}`, () => {
    const found = check(itemCalled(item), value);
    assert.deepEqual(found, faults[0] ?? null);
  });
}

function itemCalled(name: string): ItemDefinition {
  const item = cases.items[name];
  assert.ok(item);
  return item;
}
