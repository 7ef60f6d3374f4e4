// How the interview on the page reaches the outbox: after each answer as a draft (where the questionnaire keeps what
// was begun), at its end once, or taken back. One write at a time; of what changes meanwhile, the latest is written.
import type { Content, Outbox } from './outbox.ts';
import { interviewLock } from './records.ts';
import type { Locks } from './records.ts';

/** What a finished, abandoned or living interview hands over. */
export interface Finished {
  readonly id: string;
  readonly answers: Content['body']['answers'];
  readonly complete: boolean;
  readonly startedAt: number;
}

export interface SavingWorld {
  readonly locks: Locks;
  readonly keepPartial: boolean;
  readonly content: (finished: Finished) => Promise<Content>;
  /** The day of the count that the agent sees. */
  readonly day: () => string;
}

export class InterviewSaving {
  private readonly outbox: Outbox;
  private readonly world: SavingWorld;
  private latest: Finished | null = null;
  private writing: Promise<void> | null = null;
  private written = '';
  private ended = false;
  private letGo: () => void = () => undefined;
  private held: Promise<void> | null = null;

  constructor(outbox: Outbox, world: SavingWorld) {
    this.outbox = outbox;
    this.world = world;
  }

  /** An answer was given, changed or taken away. Resolves when nothing of it is left to write. */
  async draft(interview: Finished): Promise<void> {
    const text = JSON.stringify(interview.answers);
    if (!this.world.keepPartial || this.ended || text === this.written) return;
    if (this.written === '' && text === '{}') return; // nothing was answered yet: no number is used up
    this.written = text;
    this.latest = interview;
    this.writing ??= this.writeDrafts();
    await this.writing;
  }

  /** Resolves when the record is on disk. To be tried again where it failed. */
  async finish(interview: Finished): Promise<void> {
    await this.end();
    await this.outbox.finish(await this.world.content(interview), this.world.day());
    this.letGo();
  }

  /** The visitor cancels: what was kept of the interview is replaced by a record without answers. */
  async withdraw(interview: Finished): Promise<void> {
    await this.end();
    await this.outbox.withdraw(await this.world.content(interview));
    this.letGo();
  }

  private async end(): Promise<void> {
    this.ended = true;
    this.latest = null;
    await this.writing;
  }

  private async writeDrafts(): Promise<void> {
    while (this.latest) {
      const interview = this.latest;
      this.latest = null;
      try {
        await this.alive(interview.id);
        await this.outbox.draft(await this.world.content(interview));
      } catch (error) {
        // The answers are still in the page: the next one, or the end, writes them all.
        this.written = '';
        console.error('draft not saved', error instanceof Error ? error.name : error);
      }
    }
    this.writing = null;
  }

  /** As long as this page lives, nobody sends its draft: the browser lets go of the lock when the page is gone. */
  private alive(id: string): Promise<void> {
    this.held ??= new Promise((holds, fails) => {
      const work = (): Promise<void> => {
        holds();
        return new Promise((resolve) => (this.letGo = resolve));
      };
      this.world.locks.request(interviewLock(id), work).catch(fails);
    });
    return this.held;
  }
}
