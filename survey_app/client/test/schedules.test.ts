// Random schedules of saving, sending, crashes, lost answers, portals and refusals, against a ledger kept outside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anId, json, World } from './fake_world.ts';
import type { Reply } from './fake_world.ts';

type Event = 'save' | 'send' | 'crash' | 'wait' | 'lost answer' | 'never arrives' | 'portal' | 'error' | 'busy' | 'refused' | 'truncated' | 'twice';

const EVENTS: readonly Event[] = ['save', 'send', 'crash', 'wait', 'lost answer', 'never arrives', 'portal', 'error', 'busy', 'refused', 'truncated', 'twice'];

/** The server keeps the record, its answer is lost, and the next try meets a refusal: held at both ends, told apart by id. */
const KEPT_AND_REFUSED: Event[] = ['save', 'lost answer', 'send', 'wait', 'refused', 'send'];

/** What happens to the next request of this world. */
function fateOf(event: Event, world: World): Reply | null {
  const fates: Partial<Record<Event, Reply>> = {
    'lost answer': async (path, init) => {
      await world.server.answer(path, init);
      throw new TypeError('Failed to fetch');
    },
    'never arrives': () => Promise.reject(new TypeError('Failed to fetch')),
    portal: () => new Response('<html></html>', { status: 200 }),
    error: () => json(500, {}),
    busy: () => json(503, {}, { 'Retry-After': '60' }),
    refused: () => json(413, {}),
    truncated: () => new Response('{"id": "0000', { status: 200 }),
    twice: async (path, init) => {
      await world.server.answer(path, init);
      return world.server.answer(path, init);
    },
  };
  return fates[event] ?? null;
}

test('whatever happens, every saved record is on the tablet or at the server, and at the server once', async () => {
  const schedule = fc.array(fc.constantFrom(...EVENTS), { minLength: 1, maxLength: 40 });
  await fc.assert(fc.asyncProperty(schedule, (events) => holdsFor(events)), { numRuns: 300, examples: [[KEPT_AND_REFUSED]] });
});

async function holdsFor(events: readonly Event[]): Promise<void> {
  const world = new World();
  const ledger: string[] = [];
  for (const event of events) await happen(event, world, ledger);
  const here = new Set(await world.waitingIds());
  for (const id of ledger) assert.ok(here.has(id) || world.server.kept.has(id), `${id} is nowhere`);
  await drain(world);
  const refused = (await world.outbox.waiting()).filter((record) => record.state === 'quarantined').map((record) => record.id);
  assert.deepEqual([...new Set([...world.server.kept.keys(), ...refused])].sort(), [...ledger].sort());
  assertChain(world, ledger, await world.outbox.waiting().then((records) => new Map(records.map((record) => [record.id, record.envelope]))));
}

async function happen(event: Event, world: World, ledger: string[]): Promise<void> {
  if (event === 'save') {
    const id = anId(ledger.length);
    await world.save(id);
    ledger.push(id);
  } else if (event === 'crash') {
    world.restart();
  } else if (event === 'wait') {
    world.now += 120_000;
  } else if (event === 'send') {
    await world.sync.run();
  } else {
    const fate = fateOf(event, world);
    if (fate) world.server.instead.push(fate);
  }
}

async function drain(world: World): Promise<void> {
  world.server.instead.length = 0;
  for (let round = 0; round < 3; round += 1) {
    world.now += 11 * 60_000;
    await world.sync.run();
  }
}

/** The numbers have no gap, in the order in which the visitors finished. */
function assertChain(world: World, ledger: readonly string[], waiting: ReadonlyMap<string, string>): void {
  const numbers = ledger.map((id) => (JSON.parse(world.server.kept.get(id) ?? waiting.get(id) ?? '{}') as { seq?: number }).seq);
  assert.deepEqual(numbers, ledger.map((_, index) => index + 1));
}
