// From what a form holds to answers as a record carries them. No DOM: the caller gives the form's entries.
import type { Answers, AnswerValue, Definition, ItemDefinition } from './definition.ts';

const CHOICES = new Set(['single_choice', 'multiple_choice', 'satisfaction']);
const NUMBERS = new Set(['number', 'recommendation']);

export type FormEntries = readonly (readonly [string, string])[];

/** The items of a questionnaire in order. */
export const itemsOf = (definition: Definition): ItemDefinition[] => definition.sections.flatMap((section) => [...section.items]);

/** Whether the answer is a list of option codes. */
export const isChoice = (item: ItemDefinition): boolean => CHOICES.has(item.type);

export const isNumeric = (item: ItemDefinition): boolean => NUMBERS.has(item.type);

/** The answers that these form entries stand for; items without an answer have no key. */
export function answersFrom(entries: FormEntries, definition: Definition): Answers {
  const found: [string, AnswerValue][] = [];
  for (const item of itemsOf(definition)) found.push(...answersTo(item, entries));
  return Object.fromEntries(found);
}

function answersTo(item: ItemDefinition, entries: FormEntries): [string, AnswerValue][] {
  const texts = valuesOf(item.name, entries);
  if (!isChoice(item)) {
    const answer = isNumeric(item) ? numberOrText(texts[0] ?? '') : cleaned(texts[0] ?? '');
    return answer === '' ? [] : [[item.name, answer]];
  }
  const codes = [...new Set(texts)].filter((code) => code !== '');
  return codes.length === 0 ? [] : [[item.name, codes], ...specified(item, codes, entries)];
}

/** The texts beside the options that are chosen. */
function specified(item: ItemDefinition, codes: readonly string[], entries: FormEntries): [string, AnswerValue][] {
  return codes
    .map((code): [string, string] => [`${item.name}.${code}`, cleaned(valuesOf(`${item.name}.${code}`, entries)[0] ?? '')])
    .filter(([, text]) => text !== '');
}

const valuesOf = (name: string, entries: FormEntries): string[] => entries.filter(([key]) => key === name).map(([, value]) => value);

const cleaned = (text: string): string => text.normalize('NFC').replace(/\r\n?/g, '\n').trim();

/** A whole number as a number; anything else stays as written, so that it can be shown again with its fault. */
function numberOrText(raw: string): number | string {
  const text = cleaned(raw);
  const number = /^[+-]?\d+([.,]0+)?$/.test(text) ? Number(text.replace(',', '.')) : Number.NaN;
  return Number.isSafeInteger(number) ? number : text;
}
