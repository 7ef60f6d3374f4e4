// What is wrong with one answer, with the codes that the server uses. No DOM. The server checks again: its word counts.
import { isNumeric } from './answers.ts';
import type { Answers, AnswerValue, ItemDefinition } from './definition.ts';

export interface AnswerFault {
  readonly code: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The first fault of the answer to one item on the path, or null. */
export function faultOf(item: ItemDefinition, answers: Answers): AnswerFault | null {
  const answer = Object.hasOwn(answers, item.name) ? answers[item.name] : undefined;
  if (answer === undefined) return item.requirement === 'required' && item.type !== 'note' ? fault('missing') : null;
  if (isNumeric(item)) return numberFault(item, answer);
  if (typeof answer === 'string') return textFault(item, answer);
  return Array.isArray(answer) ? exclusiveFault(item, answer) : null;
}

/** Whether an item that the questionnaire would like answered is left without an answer. */
export const isAdvisedAndMissing = (item: ItemDefinition, answers: Answers): boolean =>
  item.requirement === 'advised' && !Object.hasOwn(answers, item.name);

function numberFault(item: ItemDefinition, answer: AnswerValue): AnswerFault | null {
  if (typeof answer !== 'number') return fault(looksLikeNumber(answer) ? 'not_a_whole_number' : 'not_a_number');
  const { minimum, maximum } = boundsOf(item);
  if (minimum !== null && answer < minimum) return fault('too_small', { minimum });
  if (maximum !== null && answer > maximum) return fault('too_large', { maximum });
  return null;
}

const looksLikeNumber = (answer: AnswerValue): boolean => typeof answer === 'string' && /^[+-]?\d+([.,]\d+)?$/.test(answer);

function boundsOf(item: ItemDefinition): { minimum: number | null; maximum: number | null } {
  const [lowest, highest] = item.type === 'recommendation' ? [0, 10] : [null, null];
  return { minimum: item.minimum ?? lowest, maximum: item.maximum ?? highest };
}

function textFault(item: ItemDefinition, answer: string): AnswerFault | null {
  const maximum = item.maximum_length ?? null;
  return maximum !== null && lengthOf(answer) > maximum ? fault('too_long', { maximum_length: maximum, maximum }) : null;
}

/** In characters as the server counts them, not in UTF-16 units. */
export const lengthOf = (text: string): number => [...text].length;

function exclusiveFault(item: ItemDefinition, codes: readonly string[]): AnswerFault | null {
  const alone = codes.some((code) => item.options?.some((option) => option.code === code && option.exclusive));
  return alone && codes.length > 1 ? fault('exclusive_option') : null;
}

const fault = (code: string, parameters: AnswerFault['parameters'] = {}): AnswerFault => ({ code, parameters });
