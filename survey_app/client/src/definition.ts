// What the page says of its questionnaire: the JSON block `#definition` that the server writes (the contract).

/** A condition in its JSON form, already checked by the server. */
export type Condition =
  | { readonly answered: string }
  | { readonly is: readonly [string, string] }
  | { readonly any_of: readonly [string, readonly string[]] }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

/** Choices are option codes, also for a single choice; an item without an answer has no key. */
export type AnswerValue = readonly string[] | string | number;
export type Answers = Readonly<Record<string, AnswerValue>>;

export interface OptionDefinition {
  readonly code: string;
  readonly exclusive?: boolean;
  readonly specify?: boolean;
}

/** What routing needs to know of a section or an item. */
export interface Part {
  readonly name: string;
  readonly sites?: readonly string[] | null;
  readonly modes?: readonly string[] | null;
  readonly relevant_if?: Condition | null;
}

export interface ItemDefinition extends Part {
  readonly type: string;
  readonly requirement?: 'required' | 'advised' | 'optional';
  readonly options?: readonly OptionDefinition[];
  readonly minimum?: number | null;
  readonly maximum?: number | null;
  readonly maximum_length?: number | null;
}

export interface SectionDefinition extends Part {
  readonly items: readonly ItemDefinition[];
}

export interface Definition {
  readonly sections: readonly SectionDefinition[];
  /** Sentences in the language of the page, by code; `{name}` stands for a parameter. */
  readonly messages?: Readonly<Record<string, string>>;
}

/** The definition written in a page, or null on a page without a questionnaire. */
export function definitionIn(page: Document): Definition | null {
  const block = page.getElementById('definition');
  return block?.textContent ? (JSON.parse(block.textContent) as Definition) : null;
}

/** The sentence for a code with its parameters filled in; the code itself where the page has no sentence. */
export function message(definition: Definition, code: string, parameters: Readonly<Record<string, string | number>> = {}): string {
  const messages = definition.messages ?? {};
  const sentence = Object.hasOwn(messages, code) ? (messages[code] ?? code) : code;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(parameters, name) ? String(parameters[name]) : whole,
  );
}
