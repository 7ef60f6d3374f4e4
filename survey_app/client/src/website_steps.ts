// The steps of the website form in one page of the browser: each comes in the place of the one before, so that no page
// that was posted stays in the history. Back then steps back in the form, and after « Merci » opens an empty one; as
// posted pages, the browser would ask whether to send them again. What goes wrong is left to the browser.

/** Where in the history this is; what stands on the screen, sealed by the server, is kept for a reload. */
interface Place {
  readonly step: number;
  readonly fields?: Fields;
}

type Fields = [string, string][];

const FORM = 'form[data-questionnaire]';
const AGAIN: [string, string] = ['_action', 'again'];

export class WebsiteSteps {
  private readonly begin: (form: HTMLFormElement) => void;
  private step = 0;
  private onItsWay: Promise<void> | null = null;
  private isFinished = false;

  /** `begin` brings the form of a step to life. */
  constructor(begin: (form: HTMLFormElement) => void) {
    this.begin = begin;
  }

  /** Listen; after a reload, the step that was on the screen comes back. */
  start(): void {
    const { step, fields } = placeOf(history.state);
    this.step = step;
    document.addEventListener('submit', (event) => this.submitted(event));
    document.addEventListener('click', (event) => this.jumped(event));
    window.addEventListener('popstate', (event) => void this.travelled(event.state));
    window.addEventListener('pagehide', () => this.isFinished && document.body.replaceChildren());
    window.addEventListener('pageshow', (event) => event.persisted && this.isFinished && location.reload());
    if (fields) void this.send(fields);
  }

  private submitted(event: SubmitEvent): void {
    event.preventDefault();
    if (this.onItsWay) return;
    const button = event.submitter;
    void this.send(fieldsOf(currentForm(), button instanceof HTMLButtonElement ? [button.name, button.value] : undefined));
  }

  /** A link to a place of the page would be a step of its own in the history. */
  private jumped(event: MouseEvent): void {
    const link = event.target instanceof Element && event.target.closest<HTMLAnchorElement>('a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    location.replace(link.hash);
    this.keep();
  }

  /** Back and Forward of the browser do what the buttons of the page do. */
  private async travelled(state: unknown): Promise<void> {
    await this.onItsWay;
    const distance = placeOf(state).step - this.step;
    if (!state || distance === 0) return;
    this.step += distance;
    await this.send(fieldsOf(currentForm(), ['_action', distance < 0 ? 'back' : 'next']), true);
  }

  private send(fields: Fields, hasMoved = false): Promise<void> {
    this.onItsWay = this.sendAndShow(currentForm(), fields, hasMoved).finally(() => {
      this.onItsWay = null;
    });
    return this.onItsWay;
  }

  private async sendAndShow(form: HTMLFormElement, fields: Fields, hasMoved: boolean): Promise<void> {
    const { page, address } = await post(form.action, fields);
    if (address && new URL(address).pathname !== new URL(form.action).pathname) return this.finish(address);
    if (!page?.querySelector(FORM)) return leaveToBrowser(form, fields);
    const goesOn = fields.some(([name, value]) => name === '_action' && value === 'next');
    if (goesOn && !hasMoved && sectionOf(page) !== sectionOf(document)) this.advance();
    show(page);
    this.begin(currentForm());
    this.keep();
  }

  /** One step further; of the one before, and of any after it, nothing is kept. */
  private advance(): void {
    history.replaceState({ step: this.step } satisfies Place, '');
    this.step += 1;
    history.pushState({ step: this.step } satisfies Place, '', location.pathname + location.search);
  }

  private keep(): void {
    const form = currentForm();
    const state = form.querySelector<HTMLInputElement>('[name=_state]')?.value ?? '';
    const fields: Fields = [AGAIN, ['_state', state], ['_language', document.documentElement.lang]];
    history.replaceState({ step: this.step, fields } satisfies Place, '');
  }

  private finish(address: string): void {
    this.advance();
    this.isFinished = true;
    location.replace(address);
  }
}

function placeOf(state: unknown): Place {
  return (state as Place | null) ?? { step: 0 };
}

function currentForm(): HTMLFormElement {
  const form = document.querySelector<HTMLFormElement>(FORM);
  if (!form) throw new Error('the page has no questionnaire');
  return form;
}

const sectionOf = (page: Document): string | undefined => page.querySelector<HTMLElement>('[data-section]')?.dataset['section'];

/** What the browser itself would send; the ends of lines too. */
function fieldsOf(form: HTMLFormElement, pressed?: [string, string]): Fields {
  const written = [...new FormData(form)].map(([name, value]): [string, string] => [name, String(value).replace(/\r?\n/g, '\r\n')]);
  return [...written, pressed ?? ['_action', 'next']];
}

function post(address: string, fields: Fields): Promise<{ page: Document | null; address: string }> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // unlike `fetch`, it reads HTML without making it out of a string
    request.open('POST', address);
    request.responseType = 'document';
    request.addEventListener('loadend', () => resolve({ page: request.response as Document | null, address: request.responseURL }));
    request.send(new URLSearchParams(fields));
  });
}

/** No answer, or one without a form: the browser sends the page itself, and shows what comes. */
function leaveToBrowser(form: HTMLFormElement, fields: Fields): void {
  const [name, value] = fields.at(-1) ?? AGAIN;
  if (fields[0]?.[0] === AGAIN[0]) return; // after a reload nothing is sent: the form is empty, as it came
  const pressed = Object.assign(document.createElement('input'), { type: 'hidden', name, value });
  form.append(pressed);
  form.submit();
}

/** The page that came, and the focus where a reader is to go on. */
function show(page: Document): void {
  const { lang, dir } = page.documentElement;
  document.title = page.title;
  Object.assign(document.documentElement, { lang, dir });
  document.body.replaceWith(document.adoptNode(page.body));
  window.scrollTo(0, 0);
  const place = document.querySelector<HTMLElement>('[autofocus]') ?? document.querySelector<HTMLElement>('h1');
  if (place) place.tabIndex = -1;
  place?.focus();
}
