// The screens of the tablet: one question, or one grid, with the notes before it.

export interface Screen {
  /** What is drawn: questions, grids, notes. */
  readonly blocks: readonly HTMLElement[];
  /** The names of the items on it, notes included. */
  readonly items: readonly string[];
}

const BLOCK = '[data-grid], [data-item]';

/** The screens of a form, whether relevant now or not. A note goes with what follows it, the last with what precedes. */
export function screensOf(form: HTMLFormElement): Screen[] {
  const screens: HTMLElement[][] = [];
  let notes: HTMLElement[] = [];
  for (const block of form.querySelectorAll<HTMLElement>(BLOCK)) {
    if (block.parentElement?.closest('[data-grid]')) continue;
    notes.push(block);
    if (block.dataset['type'] === 'note') continue;
    screens.push(notes);
    notes = [];
  }
  const last = screens.at(-1);
  if (last) last.push(...notes);
  else if (notes.length > 0) screens.push(notes);
  return screens.map((blocks) => ({ blocks, items: blocks.flatMap(namesIn) }));
}

function namesIn(block: HTMLElement): string[] {
  const parts = block.dataset['item'] === undefined ? [...block.querySelectorAll<HTMLElement>('[data-item]')] : [block];
  return parts.map((part) => part.dataset['item'] ?? '');
}

/** Leave only this screen drawn (and the sections that it lies in). */
export function showOnly(screen: Screen, form: HTMLFormElement): void {
  for (const block of form.querySelectorAll<HTMLElement>(BLOCK)) {
    const shown = screen.blocks.some((own) => own === block || own.contains(block));
    block.toggleAttribute('data-off-screen', !shown);
  }
  for (const section of form.querySelectorAll<HTMLElement>('[data-section]')) {
    section.toggleAttribute('data-off-screen', !screen.blocks.some((block) => section.contains(block)));
  }
}
