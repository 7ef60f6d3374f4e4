// The agent's PIN: it opens the agent's own acts, never an answer. Checked here, without a network.
import { bytesOfHex, hex, utf8 } from './envelope.ts';
import type { Pin } from './heartbeat.ts';
import type { Store } from './store.ts';

/** Wrong tries in a row, and until when no other is taken (milliseconds since 1970). Both survive a reload. */
interface Tries {
  readonly wrong: number;
  readonly until: number;
}

export type PinOutcome = { readonly is: 'open' | 'wrong' } | { readonly is: 'wait'; readonly seconds: number };

const FREE_TRIES = 3;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
const NONE: Tries = { wrong: 0, until: 0 };

export class PinGate {
  private readonly store: Store;
  private readonly now: () => number;

  constructor(store: Store, now: () => number = () => Date.now()) {
    this.store = store;
    this.now = now;
  }

  /** Without a PIN the acts are open. */
  async asks(): Promise<boolean> {
    return (await this.store.fact<Pin>('pin')) !== undefined;
  }

  async secondsLeft(): Promise<number> {
    return Math.ceil(pauseLeft((await this.store.fact<Tries>('pin_tries')) ?? NONE, this.now()) / 1_000);
  }

  /** A try counts as wrong until it is found right: to reload the page in mid-check gains nothing. */
  async open(typed: string): Promise<PinOutcome> {
    const pin = await this.store.fact<Pin>('pin');
    if (pin === undefined) return { is: 'open' };
    if (!(await this.takeTry())) return { is: 'wait', seconds: await this.secondsLeft() };
    if ((await hashOf(typed, pin)) !== pin.hash) return this.refusal();
    await this.store.write(['facts'], (transaction) => {
      const facts = transaction.objectStore('facts');
      facts.put(NONE, 'pin_tries');
      addTo(facts, -1);
    });
    return { is: 'open' };
  }

  private async refusal(): Promise<PinOutcome> {
    const seconds = await this.secondsLeft();
    return seconds > 0 ? { is: 'wait', seconds } : { is: 'wrong' };
  }

  /** Looked up and counted in one transaction, so that two windows have no more tries than one. */
  private async takeTry(): Promise<boolean> {
    const outcome = { taken: false };
    await this.store.write(['facts'], (transaction) => {
      const facts = transaction.objectStore('facts');
      const found: IDBRequest<Tries | undefined> = facts.get('pin_tries');
      found.onsuccess = () => {
        const before = found.result ?? NONE;
        outcome.taken = pauseLeft(before, this.now()) === 0;
        if (!outcome.taken) return;
        const wrong = before.wrong + 1;
        facts.put({ wrong, until: this.now() + pauseAfter(wrong) } satisfies Tries, 'pin_tries');
        addTo(facts, 1);
      };
    });
    return outcome.taken;
  }
}

/** All wrong tries since the enrolment: the server is told. */
function addTo(facts: IDBObjectStore, by: number): void {
  const found: IDBRequest<number | undefined> = facts.get('pin_failures');
  found.onsuccess = () => facts.put(Math.max(0, (found.result ?? 0) + by), 'pin_failures');
}

function pauseAfter(wrong: number): number {
  return wrong < FREE_TRIES ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (wrong - FREE_TRIES), LONGEST_PAUSE_MS);
}

/** Never longer than the pause was: a clock that was set back locks nobody out. */
const pauseLeft = ({ wrong, until }: Tries, now: number): number => Math.min(Math.max(0, until - now), pauseAfter(wrong));

async function hashOf(typed: string, { salt, iterations }: Pin): Promise<string> {
  const key = await crypto.subtle.importKey('raw', utf8(typed), 'PBKDF2', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytesOfHex(salt), iterations }, key, 256);
  return hex(new Uint8Array(bits));
}
