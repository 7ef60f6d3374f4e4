// From what a form holds to answers as a record carries them: the twin of `parse` in form_definitions/question_types.py
// (tests/conformance/answers.json holds both). No DOM: the caller gives the form's entries.
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
  return Object.fromEntries(itemsOf(definition).flatMap((item) => [...answerTo(item, entries), ...specified(item, entries)]));
}

function answerTo(item: ItemDefinition, entries: FormEntries): [string, AnswerValue][] {
  const answer = parsed(item, valuesOf(item.name, entries));
  return answer === null ? [] : [[item.name, answer]];
}

/** One answer from the texts of a form; null when there is none. */
export function parsed(item: ItemDefinition, raw: readonly string[]): AnswerValue | null {
  if (item.type === 'note') return null;
  if (isChoice(item)) return inOrder(item, raw.map((code) => code.trim()));
  const text = normalised(raw[0] ?? '');
  if (text === '') return null;
  if (isNumeric(item)) return wholeNumber(text) ?? text;
  return item.type === 'short_text' ? text.replaceAll('\n', ' ') : text;
}

/** The codes in the order of the questionnaire, each once; unknown codes last. */
function inOrder(item: ItemDefinition, codes: readonly string[]): string[] | null {
  const chosen = new Set(codes.filter((code) => code !== ''));
  const known = (item.options ?? []).map((option) => option.code).filter((code) => chosen.delete(code));
  const all = [...known, ...chosen];
  return all.length > 0 ? all : null;
}

/** The texts beside options. */
function specified(item: ItemDefinition, entries: FormEntries): [string, AnswerValue][] {
  return (item.options ?? [])
    .filter((option) => option.specify)
    .map(({ code }): [string, string] => {
      const texts = valuesOf(`${item.name}.${code}`, entries).map(normalised).filter((text) => text !== '');
      return [`${item.name}.${code}`, (texts[0] ?? '').replaceAll('\n', ' ')];
    })
    .filter(([, text]) => text !== '');
}

const valuesOf = (name: string, entries: FormEntries): string[] => entries.filter(([key]) => key === name).map(([, value]) => value);

/** NFC, line ends as `\n`, no blanks around. */
export const normalised = (raw: string): string => raw.replace(/\r\n|[\r\v\f\u0085\u2028\u2029]/g, '\n').normalize('NFC').trim();

const DIGITS = new Map([...'٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫,−'].map((sign, index) => [sign, '01234567890123456789..-'.charAt(index)]));

/** Digits as a keyboard in the visitor's language types them, made plain. */
export const plainDigits = (text: string): string => [...text].map((sign) => DIGITS.get(sign) ?? sign).join('');

function wholeNumber(text: string): number | null {
  const match = /^([+-]?[0-9]{1,15})(?:\.0*)?$/.exec(plainDigits(text).replace(/[ \u00a0\u202f]/g, ''));
  return match ? Number(match[1]) + 0 : null; // + 0: "-0" is 0
}
