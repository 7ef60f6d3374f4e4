// Behaviour over the markup that the server drew, on the website and on the tablet alike: show and hide what is
// relevant, exclusive options, texts beside an option, counters, messages. Draws nothing of its own.
import { answersFrom, itemsOf } from './answers.ts';
import { message } from './definition.ts';
import type { Answers, Definition, ItemDefinition } from './definition.ts';
import { decidingItems, relevantItems, splitByPath } from './routing.ts';
import type { RoutingContext } from './routing.ts';
import { faultOf, lengthOf } from './validation.ts';

/** A form on the page with its definition. */
export class QuestionnairePage {
  readonly form: HTMLFormElement;
  readonly definition: Definition;
  private readonly context: RoutingContext;
  private readonly items: ReadonlyMap<string, ItemDefinition>;
  private readonly questions: ReadonlyMap<string, HTMLElement>;
  private readonly deciding: ReadonlySet<string>;
  private readonly controls: readonly Control[];

  constructor(form: HTMLFormElement, definition: Definition, context: RoutingContext) {
    this.form = form;
    this.definition = definition;
    this.context = context;
    this.deciding = decidingItems(definition);
    this.controls = [...form.elements].filter(isInput);
    this.items = new Map(itemsOf(definition).map((item) => [item.name, item]));
    this.questions = new Map([...form.querySelectorAll<HTMLElement>('[data-item]')].map((part) => [part.dataset['item'] ?? '', part]));
  }

  /** Listen, and bring the page into the state of what is already filled in. */
  start(): void {
    this.form.noValidate = true;
    this.form.addEventListener('input', (event) => this.changed(event.target));
    this.refresh();
    for (const area of this.form.querySelectorAll('textarea')) this.count(area);
  }

  /** The answers now in the form. */
  answers(): Answers {
    return answersFrom(entriesOf(this.controls), this.definition);
  }

  /** The answers to what was asked: on the tablet nothing else enters the record. */
  answersOnPath(): Answers {
    return splitByPath(this.definition, this.answers(), this.context).onPath;
  }

  /** The items on the path now. */
  relevant(): ItemDefinition[] {
    return relevantItems(this.definition, this.answers(), this.context);
  }

  question(name: string): HTMLElement | undefined {
    return this.questions.get(name);
  }

  /** Show what is relevant and hide the rest. What is hidden is not sent, and comes back as it was. */
  refresh(): void {
    const shown = new Set(this.relevant().map((item) => item.name));
    for (const [name, question] of this.questions) setAsked(question, shown.has(name));
    for (const group of this.form.querySelectorAll<HTMLElement>('[data-section], [data-grid]')) hideWhenEmpty(group);
    this.showBesideOptions('[name*="."]');
  }

  /** Write the message of each fault beside its question; the first question at fault, or null. */
  showFaults(items: readonly ItemDefinition[]): HTMLElement | null {
    const answers = this.answers();
    let first: HTMLElement | null = null;
    for (const item of items) {
      const fault = faultOf(item, answers);
      this.setMessage(item.name, fault && message(this.definition, fault.code, fault.parameters));
      if (fault) first ??= this.questions.get(item.name) ?? null;
    }
    return first;
  }

  /** Write (or with null take away) the message of one question. */
  setMessage(name: string, text: string | null): void {
    const place = this.form.ownerDocument.getElementById(`error-${name}`);
    if (place) {
      place.textContent = text ?? '';
      place.hidden = text === null;
    }
    this.questions.get(name)?.classList.toggle('in-error', text !== null);
    for (const input of this.inputs(name)) text === null ? input.removeAttribute('aria-invalid') : input.setAttribute('aria-invalid', 'true');
  }

  /** Take away the answer to one item, and the text beside its options. */
  clear(name: string): void {
    for (const input of this.controls) {
      if (input.name !== name && !input.name.startsWith(`${name}.`)) continue;
      if (input instanceof HTMLInputElement && /^(radio|checkbox)$/.test(input.type)) input.checked = false;
      else input.value = '';
    }
    this.setMessage(name, null);
    this.refresh();
  }

  private changed(target: EventTarget | null): void {
    if (!isInput(target)) return;
    const item = this.items.get(target.name);
    if (item && target instanceof HTMLInputElement) this.keepExclusive(item, target);
    if (target instanceof HTMLTextAreaElement) this.count(target);
    // Most answers decide nothing about other questions, and slow tablets feel each look at the whole form.
    if (this.deciding.has(target.name)) this.refresh();
    else this.showBesideOptions(`[name^="${target.name}."]`);
    const isWrong = this.questions.get(target.name)?.classList.contains('in-error');
    if (item && isWrong && !faultOf(item, this.answers())) this.setMessage(item.name, null);
  }

  /** Ticking an exclusive option unticks the others; ticking another one unticks the exclusive ones. */
  private keepExclusive(item: ItemDefinition, ticked: HTMLInputElement): void {
    if (ticked.type !== 'checkbox' || !ticked.checked) return;
    const exclusive = new Set(item.options?.filter((option) => option.exclusive).map((option) => option.code));
    for (const input of this.inputs(item.name)) {
      const together = !exclusive.has(ticked.value) && !exclusive.has(input.value);
      if (input !== ticked && input instanceof HTMLInputElement && !together) input.checked = false;
    }
  }

  private inputs(name: string): Control[] {
    return this.controls.filter((input) => input.name === name);
  }

  private showBesideOptions(selector: string): void {
    for (const input of this.form.querySelectorAll<HTMLInputElement>(selector)) this.showBesideOption(input);
  }

  /** « Précisez » is there while its option is chosen. */
  private showBesideOption(input: HTMLInputElement): void {
    const dot = input.name.indexOf('.');
    const code = input.name.slice(dot + 1);
    const chosen = this.inputs(input.name.slice(0, dot)).some((option) => option.value === code && 'checked' in option && option.checked);
    setHidden(input.closest<HTMLElement>('.specify') ?? input, !chosen);
  }

  private count(area: HTMLTextAreaElement): void {
    const place = this.form.ownerDocument.getElementById(`counter-${area.name}`);
    const maximum = this.items.get(area.name)?.maximum_length;
    if (!place || !maximum) return;
    const written = lengthOf(area.value);
    place.textContent = message(this.definition, 'counter', { count: written, written, maximum, remaining: maximum - written });
    place.classList.toggle('over', written > maximum);
  }
}

type Control = HTMLInputElement | HTMLTextAreaElement;

function isInput(target: unknown): target is Control {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/** Touch the attribute only when it changes: every write costs a style recalculation. */
function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** A hidden question is disabled too, so that the browser does not send it: the server is told what was asked. */
function setAsked(question: HTMLElement, asked: boolean): void {
  if (question.hidden === !asked) return;
  question.hidden = !asked;
  if (question instanceof HTMLFieldSetElement) question.disabled = !asked;
  for (const input of question.querySelectorAll<HTMLInputElement>('input, textarea')) input.disabled = !asked;
}

/** What is filled in, disabled controls included: routing decides what of it counts. */
function entriesOf(controls: readonly Control[]): [string, string][] {
  return controls
    .filter((input) => !(input instanceof HTMLInputElement && /^(radio|checkbox)$/.test(input.type)) || input.checked)
    .map((input) => [input.name, wellFormed(input.value)]);
}

/** As the browser itself does on submission: half a surrogate pair becomes U+FFFD. */
const wellFormed = (text: string): string => text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');

function hideWhenEmpty(group: HTMLElement): void {
  const parts = [...group.querySelectorAll<HTMLElement>('[data-item]')];
  setHidden(group, parts.length > 0 && parts.every((part) => part.hidden));
}
