// When an item is relevant: the twin of form_definitions/conditions.py (tests/conformance/conditions.json holds both).
// No DOM, no storage. Answers are looked up as own properties: an item may be named `constructor`.
import type { Answers, AnswerValue, Condition } from './definition.ts';

/** Whether a (valid) condition holds for the answers of the items on the path. */
export function holds(condition: Condition, answers: Answers): boolean {
  if ('answered' in condition) return isAnswered(answerTo(condition.answered, answers));
  if ('is' in condition) return isAnyOf(condition.is[0], [condition.is[1]], answers);
  if ('any_of' in condition) return isAnyOf(condition.any_of[0], condition.any_of[1], answers);
  if ('all' in condition) return condition.all.every((part) => holds(part, answers));
  if ('any' in condition) return condition.any.some((part) => holds(part, answers));
  return !holds(condition.not, answers);
}

function answerTo(item: string, answers: Answers): AnswerValue | undefined {
  return Object.hasOwn(answers, item) ? answers[item] : undefined;
}

function isAnswered(answer: AnswerValue | null | undefined): boolean {
  if (answer === undefined || answer === null || answer === '') return false;
  return !Array.isArray(answer) || answer.length > 0;
}

function isAnyOf(item: string, options: readonly string[], answers: Answers): boolean {
  const answer = answerTo(item, answers);
  return Array.isArray(answer) && answer.some((code: string) => options.includes(code));
}

/** The items that a condition looks at. */
export function itemsNamed(condition: Condition): string[] {
  if ('answered' in condition) return [condition.answered];
  if ('is' in condition) return [condition.is[0]];
  if ('any_of' in condition) return [condition.any_of[0]];
  if ('not' in condition) return itemsNamed(condition.not);
  return ('all' in condition ? condition.all : condition.any).flatMap(itemsNamed);
}
