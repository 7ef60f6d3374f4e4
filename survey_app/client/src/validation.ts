// What is wrong with one answer, with the codes that the server uses: the twin of `check` in
// form_definitions/question_types.py. No DOM. The server checks again, and its word counts.
import { isChoice, isNumeric, plainDigits } from './answers.ts';
import type { Answers, AnswerValue, ItemDefinition } from './definition.ts';

export interface AnswerFault {
  readonly code: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

const SPECIFY_MAXIMUM_LENGTH = 200;
const FORBIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The first fault of the answer to one item on the path, the texts beside its options included, or null. */
export function faultOf(item: ItemDefinition, answers: Answers): AnswerFault | null {
  const answer = Object.hasOwn(answers, item.name) ? answers[item.name] : undefined;
  if (answer === undefined) return item.requirement === 'required' && item.type !== 'note' ? fault('missing') : null;
  return check(item, answer) ?? specifyFault(item, answers);
}

/** Whether an item that the questionnaire would like answered is left without an answer. */
export const isAdvisedAndMissing = (item: ItemDefinition, answers: Answers): boolean =>
  item.requirement === 'advised' && !Object.hasOwn(answers, item.name);

/** What is wrong with a value in a record's form. */
export function check(item: ItemDefinition, answer: AnswerValue): AnswerFault | null {
  if (item.type === 'note') return fault('wrong_shape');
  if (isChoice(item)) return choiceFault(item, answer);
  if (isNumeric(item)) return numberFault(item, answer);
  return textFault(answer, item.maximum_length ?? null, item.type === 'short_text');
}

function choiceFault(item: ItemDefinition, codes: AnswerValue): AnswerFault | null {
  if (!Array.isArray(codes) || codes.length === 0 || new Set(codes).size < codes.length) return fault('wrong_shape');
  const options = new Map((item.options ?? []).map((option) => [option.code, option]));
  const unknown = codes.find((code: string) => !options.has(code)) as string | undefined;
  if (unknown !== undefined) return fault('unknown_option', { option: unknown });
  if (codes.length === 1) return null;
  if (item.type !== 'multiple_choice') return fault('too_many');
  const alone = (item.options ?? []).find((option) => option.exclusive && codes.includes(option.code));
  return alone ? fault('exclusive_option', { option: alone.code }) : null;
}

function numberFault(item: ItemDefinition, answer: AnswerValue): AnswerFault | null {
  if (typeof answer !== 'number') return fault(looksDecimal(answer) ? 'not_a_whole_number' : 'not_a_number');
  if (!Number.isInteger(answer)) return fault('not_a_whole_number');
  const minimum = item.minimum ?? -Number.MAX_SAFE_INTEGER;
  const maximum = item.maximum ?? Number.MAX_SAFE_INTEGER;
  if (answer < minimum) return fault('too_small', { minimum });
  return answer > maximum ? fault('too_large', { maximum }) : null;
}

const looksDecimal = (answer: AnswerValue): boolean =>
  typeof answer === 'string' && /^[+-]?[0-9 \u00a0\u202f]*\.[0-9]+$/.test(plainDigits(answer));

function textFault(answer: AnswerValue | undefined, maximum: number | null, oneLine: boolean): AnswerFault | null {
  if (typeof answer !== 'string' || answer === '') return fault('wrong_shape');
  if (FORBIDDEN.test(answer) || (oneLine && answer.includes('\n'))) return fault('control_character');
  const length = lengthOf(answer);
  return maximum !== null && length > maximum ? fault('too_long', { maximum, length }) : null;
}

function specifyFault(item: ItemDefinition, answers: Answers): AnswerFault | null {
  for (const { code } of item.options ?? []) {
    const key = `${item.name}.${code}`;
    const found = Object.hasOwn(answers, key) ? textFault(answers[key], SPECIFY_MAXIMUM_LENGTH, true) : null;
    if (found) return found;
  }
  return null;
}

/** In characters as the server counts them, not in UTF-16 units. */
export const lengthOf = (text: string): number => [...text].length;

const fault = (code: string, parameters: AnswerFault['parameters'] = {}): AnswerFault => ({ code, parameters });
