// Which items a person is asked: the twin of form_definitions/routing.py (tests/conformance/routing.json holds both).
import { holds, itemsNamed } from './conditions.ts';
import type { Answers, AnswerValue, Definition, ItemDefinition, Part } from './definition.ts';

/** What is known before the first answer; `site` is null until it is chosen. */
export interface RoutingContext {
  readonly mode: string;
  readonly site: string | null;
}

type Known = Record<string, AnswerValue>;

/** The items on the path, notes included, in order. One pass: a condition names earlier items only. */
export function relevantItems(definition: Definition, answers: Answers, context: RoutingContext): ItemDefinition[] {
  const onPath: ItemDefinition[] = [];
  const known = Object.create(null) as Known;
  for (const section of definition.sections) {
    if (!isRelevant(section, known, context)) continue;
    for (const item of section.items) {
      if (!isRelevant(item, known, context)) continue;
      onPath.push(item);
      remember(item.name, answers, known);
    }
  }
  return onPath;
}

/** The items whose answers decide whether another question is asked. */
export function decidingItems(definition: Definition): ReadonlySet<string> {
  const parts: readonly Part[] = definition.sections.flatMap((section) => [section, ...section.items]);
  return new Set(parts.flatMap((part) => (part.relevant_if ? itemsNamed(part.relevant_if) : [])));
}

function isRelevant(part: Part, known: Known, { mode, site }: RoutingContext): boolean {
  if (part.sites && (site === null || !part.sites.includes(site))) return false;
  if (part.modes && !part.modes.includes(mode)) return false;
  return !part.relevant_if || holds(part.relevant_if, known);
}

function remember(name: string, answers: Answers, known: Known): void {
  const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
  if (answer !== undefined) known[name] = answer;
}

/** The answers to items that were asked, and the others (kept, never counted). */
export function splitByPath(definition: Definition, answers: Answers, context: RoutingContext): { onPath: Known; offPath: Known } {
  const asked = new Set(relevantItems(definition, answers, context).map((item) => item.name));
  const entries = Object.entries(answers);
  return {
    onPath: Object.fromEntries(entries.filter(([key]) => belongs(key, asked, answers))),
    offPath: Object.fromEntries(entries.filter(([key]) => !belongs(key, asked, answers))),
  };
}

/** The text beside an option (key `item.option`) goes with its item, and only while that option is chosen. */
function belongs(key: string, asked: ReadonlySet<string>, answers: Answers): boolean {
  const [name = '', option = ''] = splitAtFirstDot(key);
  if (!asked.has(name)) return false;
  const chosen = Object.hasOwn(answers, name) ? answers[name] : undefined;
  return option === '' || (Array.isArray(chosen) && chosen.includes(option));
}

function splitAtFirstDot(key: string): [string, string] {
  const dot = key.indexOf('.');
  return dot < 0 ? [key, ''] : [key.slice(0, dot), key.slice(dot + 1)];
}
