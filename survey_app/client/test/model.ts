// Random lives of a tablet, against a ledger kept outside: what visitors were told, and what the server has in the end.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Enrolment } from '../src/enrolment.ts';
import { InterviewSaving } from '../src/interview_saving.ts';
import type { Finished } from '../src/interview_saving.ts';
import type { Content } from '../src/outbox.ts';
import { linkOf } from '../src/records.ts';
import { anId, anInterview, DAY, DEVICE, json, SECRET, Tab, World } from './fake_world.ts';
import { SEALING_KEY } from './server_key.ts';
import type { Reply } from './fake_world.ts';
import type { Row } from './fake_server.ts';

const TABS = [0, 1] as const;
type TabNumber = (typeof TABS)[number];

const IN_A_TAB = ['answer', 'finish', 'cancel', 'kill', 'freeze', 'thaw', 'send'] as const;
const FATES = ['lost answer', 'never arrives', 'portal', 'error', 'busy', 'refused', 'truncated', 'twice'] as const;
const AROUND = ['wait', 'backup', 'restore', 'loses a row', 'disk full', 'disk free', 'revoke', 'enrol anew', 'new key', ...FATES] as const;

type InTab = (typeof IN_A_TAB)[number];
type Fate = (typeof FATES)[number];
type Around = (typeof AROUND)[number];

/** `turns`: how long the schedule looks on before it goes on; null: until the work is done. */
export type Event = { readonly what: InTab; readonly tab: TabNumber; readonly turns: number | null } | { readonly what: Around };

export const inTab = (what: InTab, tab: TabNumber = 0, turns: number | null = null): Event => ({ what, tab, turns });
export { AROUND, IN_A_TAB, TABS };

/** What one interview was, as its visitor saw it. */
interface Entry {
  answers: number;
  /** Of the last draft that was on disk. */
  drafted: number;
  asked: 'finish' | 'cancel' | null;
  /** The visitor read « Merci », or the start page after a cancel. */
  told: boolean;
  alive: boolean;
  /** The key of the bundle that its page came with. */
  readonly key: string;
}

interface Sitting {
  readonly id: string;
  readonly saving: InterviewSaving;
}

const REPLIES: Record<Fate, (world: World) => Reply> = {
  'lost answer': (world) => async (path, init) => {
    await world.server.answer(path, init);
    throw new TypeError('Failed to fetch');
  },
  'never arrives': () => () => Promise.reject(new TypeError('Failed to fetch')),
  portal: () => () => new Response('<html></html>', { status: 200 }),
  error: () => () => json(500, {}),
  busy: () => () => json(503, {}, { 'Retry-After': '60' }),
  refused: () => () => json(413, {}),
  truncated: () => () => new Response('{"id": "0000', { status: 200 }),
  twice: (world) => async (path, init) => {
    await world.server.answer(path, init);
    return world.server.answer(path, init);
  },
};

export class Life {
  readonly world = new World();
  readonly ledger = new Map<string, Entry>();
  readonly sentTooEarly: string[] = [];
  private readonly tabs: [Tab, Tab];
  private readonly sittings: [Sitting | null, Sitting | null] = [null, null];
  private readonly thaws: [(() => void) | null, (() => void) | null] = [null, null];
  private readonly underWay: { readonly tab: Tab; readonly work: Promise<unknown> }[] = [];
  private device = DEVICE;
  private enrolments = 0;
  private key = SEALING_KEY;
  /** Pages that are opening: as the sittings, they hold the lock under which no tablet is emptied. */
  private opening = 0;
  private wiping: Promise<unknown> = Promise.resolve();
  private readonly breakIt: (tab: Tab) => void;

  /** `breakIt` takes one protection out of a tab: the controls. */
  constructor(breakIt: (tab: Tab) => void = () => undefined) {
    this.breakIt = breakIt;
    this.tabs = [this.opened(), this.opened()];
    this.world.server.onrow = (row) => this.arrived(row);
  }

  async live(events: readonly Event[]): Promise<void> {
    await this.tabs[0].store.setFact('device', { device: DEVICE });
    for (const event of events) await this.happen(event);
    if (this.tabs.some((tab) => tab.frozen !== null)) return;
    // What a killed tab was at never ends.
    await Promise.allSettled(this.underWay.filter(({ tab }) => !tab.dead).map(({ work }) => work));
  }

  /** The network is good again, but a frozen tab stays frozen: another one sends in its place. */
  async drainBesideFrozenTabs(): Promise<void> {
    await nextTurns(50);
    this.world.server.instead.length = 0;
    this.world.disk.room = Infinity;
    await this.drain();
    for (const row of this.saved()) assert.ok(row.found, `${row.id}: the visitor was told, and the server has nothing`);
  }

  async closeEverything(): Promise<void> {
    for (const tab of TABS) this.kill(tab);
    await this.drain();
  }

  async assertAll(): Promise<void> {
    assert.deepEqual(this.sentTooEarly, [], 'sent while its visitor was answering');
    for (const [id, entry] of this.ledger) this.assertOne(id, entry);
    await this.assertNumbers();
  }

  /** Once a backup holds everything, nothing stays on the tablet. */
  async assertGivenUpAfterBackup(): Promise<void> {
    this.world.server.takeBackup();
    await this.drain();
    assert.deepEqual(await this.world.records(), []);
  }

  private opened(): Tab {
    const tab = new Tab(this.world);
    this.breakIt(tab);
    const draft = tab.outbox.draft.bind(tab.outbox);
    tab.outbox.draft = async (content) => {
      await draft(content);
      const entry = this.ledger.get(content.id);
      if (entry && !tab.dead) entry.drafted = Math.max(entry.drafted, numberIn(content.body.answers));
    };
    return tab;
  }

  private arrived(row: Row): void {
    if (this.ledger.get(row.id)?.alive && !row.body.complete && row.body.withdrawn !== true) this.sentTooEarly.push(row.id);
  }

  private async happen(event: Event): Promise<void> {
    if (!('tab' in event)) return event.what === 'enrol anew' ? this.enrol() : this.around(event.what);
    if (event.what === 'thaw') return this.thaw(event.tab);
    if (this.tabs[event.tab].frozen) return;
    const tab = this.tabs[event.tab];
    const work = this.inTab(event.what, event.tab).catch(() => undefined);
    this.underWay.push({ tab, work });
    await (event.turns === null ? work : nextTurns(event.turns));
  }

  private async inTab(what: InTab, tab: TabNumber): Promise<void> {
    if (what === 'answer') return this.answer(tab);
    if (what === 'finish' || what === 'cancel') return this.end(tab, what);
    if (what === 'kill') return this.kill(tab);
    if (what === 'freeze') return this.freeze(tab);
    await this.tabs[tab].sync.run();
    await this.tabs[tab].sync.heartbeat();
    if (this.opening === 0 && this.sittings.every((sitting) => sitting === null)) await (this.wiping = this.tabs[tab].outbox.retention.wipe());
  }

  private async answer(tab: TabNumber): Promise<void> {
    const sitting = this.sittings[tab] ?? (await this.welcomed(tab));
    if (!sitting) return; // nobody is asked on a revoked tablet
    const entry = this.entry(sitting.id);
    if (entry.asked) return; // « Enregistrement… » is on the screen: there is nothing to answer
    entry.answers += 1;
    const written = sitting.saving.draft(finished(sitting.id, entry.answers));
    await Promise.race([written, this.tabs[tab].killed]); // it never writes then
  }

  /** What the page of an interview does first, in its order: hold the lock, then look whether it may ask. */
  private async welcomed(tab: TabNumber): Promise<Sitting | null> {
    const { store, killed } = this.tabs[tab];
    const owner = this.tabs[tab];
    this.opening += 1;
    try {
      await Promise.race([this.wiping, killed]);
      const asking = Promise.all([store.fact<{ device: string }>('device'), store.fact<string | null>('revoked')]);
      const [device, revoked] = (await Promise.race([asking, killed])) ?? [];
      if (owner.dead || !device || revoked === device.device) return null;
      return (this.sittings[tab] ??= this.sitDown(tab));
    } finally {
      this.opening -= 1;
    }
  }

  private sitDown(tab: TabNumber): Sitting {
    const id = anId(this.ledger.size);
    const { key } = this;
    this.ledger.set(id, { answers: 0, drafted: 0, asked: null, told: false, alive: true, key: key.key_id });
    const { outbox, locks } = this.tabs[tab];
    const content = async (interview: Finished): Promise<Content> => {
      const plain = anInterview(interview.id, interview.answers);
      return { ...plain, sealingKey: key, body: { ...plain.body, complete: interview.complete } };
    };
    return { id, saving: new InterviewSaving(outbox, { locks, keepPartial: true, content, day: () => DAY }) };
  }

  private async end(tab: TabNumber, how: 'finish' | 'cancel'): Promise<void> {
    const sitting = this.sittings[tab];
    if (!sitting) return;
    const owner = this.tabs[tab];
    const entry = this.entry(sitting.id);
    entry.asked ??= how;
    const last = finished(sitting.id, entry.answers, entry.asked === 'finish');
    await (entry.asked === 'finish' ? sitting.saving.finish(last) : sitting.saving.withdraw(last));
    if (owner.dead) return;
    entry.told = true;
    entry.alive = false;
    if (this.sittings[tab] === sitting) this.sittings[tab] = null;
  }

  private kill(tab: TabNumber): void {
    const sitting = this.sittings[tab];
    if (sitting) this.entry(sitting.id).alive = false;
    this.sittings[tab] = null;
    this.tabs[tab].kill();
    this.thaw(tab);
    this.tabs[tab] = this.opened();
  }

  private freeze(tab: TabNumber): void {
    this.tabs[tab].frozen = new Promise((resolve) => (this.thaws[tab] = resolve));
  }

  private thaw(tab: TabNumber): void {
    this.tabs[tab].frozen = null;
    this.thaws[tab]?.();
    this.thaws[tab] = null;
  }

  /** Somebody types a new code in a page of its own. */
  private async enrol(): Promise<void> {
    const tab = this.opened();
    this.enrolments += 1;
    this.device = `99999999-2222-4333-8444-${String(this.enrolments).padStart(12, '0')}`;
    const answer = { device: this.device, name: '', site: 'niort', site_name: '', slugs: [], languages: [], secret: SECRET };
    assert.equal(await new Enrolment(tab.store).enrol('CODE', async () => json(200, answer)), 'enrolled');
  }

  private around(what: Around): void {
    const { world } = this;
    const others: Partial<Record<Around, () => void>> = {
      wait: () => (world.now += 120_000),
      backup: () => world.server.takeBackup(),
      restore: () => world.server.restore(),
      'loses a row': () => world.server.loseARow(this.device),
      revoke: () => world.server.revokedDevices.add(this.device),
      'new key': () => (this.key = { ...this.key, key_id: `${this.key.key_id}+` }),
      'disk full': () => (world.disk.room = 2),
      'disk free': () => (world.disk.room = Infinity),
    };
    const other = others[what];
    if (other) other();
    else world.server.instead.push(REPLIES[what as Fate](world));
  }

  /** A tab that the agent opens, who also sends again what was refused. */
  private async drain(): Promise<void> {
    const tab = this.opened();
    for (let round = 0; round < 3; round += 1) {
      this.world.now += 11 * 60_000;
      await tab.sync.heartbeat();
      for (const record of await tab.outbox.inState('quarantined')) await tab.outbox.mark(record, { state: 'queued', notBefore: 0 });
      await tab.sync.hurry();
      await tab.sync.run();
    }
    await tab.sync.heartbeat();
    this.world.tab = tab;
  }

  private rowsOf(id: string): Row[] {
    return [...this.world.server.rows.values()].filter((row) => row.id === id).sort((one, other) => one.revision - other.revision);
  }

  private *saved(): Iterable<{ id: string; found: boolean }> {
    for (const [id, entry] of this.ledger) {
      const last = this.rowsOf(id).at(-1)?.body;
      const nothingWritten = entry.asked === 'cancel' && entry.drafted === 0;
      if (entry.told && !nothingWritten) yield { id, found: entry.asked === 'finish' ? last?.complete === true : last?.withdrawn === true };
    }
  }

  private assertOne(id: string, entry: Entry): void {
    const rows = this.rowsOf(id);
    for (const row of rows) assert.equal(row.keyId, entry.key, `${id}: sealed with another key than its page has`);
    const complete = rows.filter((row) => row.body.complete);
    assert.ok(complete.length <= 1, `${id} is there twice`);
    if (entry.told && entry.asked === 'finish') assert.equal(numberIn(complete[0]?.body.answers), entry.answers, `${id}: not what was saved`);
    if (entry.asked !== 'finish') assert.equal(complete.length, 0);
    if (entry.told || entry.drafted === 0) return;
    const last = rows.at(-1)?.body;
    assert.ok(last, `${id}: drafted, and nowhere`);
    if (last.withdrawn !== true) assert.ok(numberIn(last.answers) >= entry.drafted, `${id}: an answer is missing`);
  }

  /** Numbers from 1 on without a gap, each of one record, each record with one; each names the link of the one before. */
  private async assertNumbers(): Promise<void> {
    const rows = [...this.world.server.rows.values()];
    for (const device of new Set(rows.map((row) => row.device))) await this.assertChain(rows.filter((row) => row.device === device));
  }

  private async assertChain(rows: readonly Row[]): Promise<void> {
    const ids = new Map<number, Set<string>>();
    for (const row of rows) ids.set(row.seq, (ids.get(row.seq) ?? new Set()).add(row.id));
    const numbers = [...ids.keys()].sort((one, other) => one - other);
    assert.deepEqual(numbers, numbers.map((_, index) => index + 1), 'a number never arrived');
    for (const set of ids.values()) assert.equal(set.size, 1, 'one number, two records');
    assert.equal(new Set(rows.map((row) => row.id)).size, numbers.length, 'one record, two numbers');
    const links = new Map<number, string | null>([[0, null]]);
    for (const row of rows) links.set(row.seq, await linkOf(row));
    for (const row of rows) assert.equal(row.prev, links.get(row.seq - 1), `${row.id}: it follows no record of this tablet`);
  }

  private entry(id: string): Entry {
    const found = this.ledger.get(id);
    assert.ok(found);
    return found;
  }
}

const finished = (id: string, answers: number, complete = false): Finished => ({ id, answers: { n: [String(answers)] }, complete, startedAt: 0 });

const numberIn = (answers: Readonly<Record<string, unknown>> | undefined): number => Number((answers?.['n'] as string[] | undefined)?.[0] ?? 0);

async function nextTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}
