// What both pages of the tablet do to the markup that the server drew.

/** Put numbers into a translated sentence that the page carries in `data-text`. */
export function fill(id: string, values: Readonly<Record<string, string | number>>): void {
  const element = document.getElementById(id);
  const text = element?.dataset['text'];
  if (!element || text === undefined) return;
  element.textContent = text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

export function setHidden(id: string, hidden: boolean): void {
  const element = document.getElementById(id);
  if (element) element.hidden = hidden;
}

/** What sticks to the bottom of the screen stays above this line, however many rows its words take. */
export function keepAbove(line: HTMLElement): void {
  const measure = (): void => document.body.style.setProperty('--agent-line', `${Math.ceil(line.getBoundingClientRect().height)}px`);
  new ResizeObserver(measure).observe(line, { box: 'border-box' });
}

/** Focus on the heading or legend moves readers of the screen along, and scrolls to the top. */
export function focusOn(block: HTMLElement | null): void {
  const target = block?.querySelector<HTMLElement>('legend, h1, h2, label') ?? block;
  if (!target) return;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** An element that the page cannot do without. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`#${id} is missing from the page`);
  return found as T;
}

/** Of the parts that carry this data attribute, show those with this value. */
export function showOnlyNamed(attribute: string, value: string | null): void {
  for (const part of document.querySelectorAll<HTMLElement>(`[data-${attribute}]`)) part.hidden = part.getAttribute(`data-${attribute}`) !== value;
}
