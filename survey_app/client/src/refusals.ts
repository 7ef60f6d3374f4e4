// Who was asked and said no: a number per day, never a person, never an agent.
import type { Store } from './store.ts';

type PerDay = Readonly<Record<string, number>>;

/** As many as the server reads. */
const DAYS_KEPT = 62;

/** Two taps of one finger are one refusal. */
export const APART_MS = 1_500;

export class Refusals {
  private readonly store: Store;
  private readonly now: () => number;
  private last = -Infinity;

  constructor(store: Store, now: () => number = () => performance.now()) {
    this.store = store;
    this.now = now;
  }

  /** One more on this day; gives the number of the day, or null for the second tap of one finger. */
  async add(day: string): Promise<number | null> {
    if (this.now() - this.last < APART_MS) return null;
    this.last = this.now();
    return this.change(day, 1);
  }

  /** The agent takes the last one back. (The server keeps the highest number it was told, until the next refusal.) */
  async undo(day: string): Promise<number> {
    this.last = -Infinity; // the next tap is another person's
    return this.change(day, -1);
  }

  private async change(day: string, by: number): Promise<number> {
    const outcome = { count: 0 };
    await this.store.write(['facts'], (transaction) => {
      const facts = transaction.objectStore('facts');
      const found: IDBRequest<PerDay | undefined> = facts.get('refusals');
      found.onsuccess = () => {
        outcome.count = Math.max(0, (found.result?.[day] ?? 0) + by);
        facts.put(latest({ ...found.result, [day]: outcome.count }), 'refusals');
      };
    });
    return outcome.count;
  }
}

function latest(perDay: PerDay): PerDay {
  const days = Object.entries(perDay).sort(([one], [other]) => (one < other ? 1 : -1));
  return Object.fromEntries(days.slice(0, DAYS_KEPT));
}
