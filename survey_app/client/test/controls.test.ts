// Faults whose protection is patience: of the sender with the server, of the queue with time, of the PIN with guesses.
// Each test shows the same scenario twice: as it is, and with the protection taken out. tests/faults/README.md names them.
import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { PinGate } from '../src/pin.ts';
import type { OutboxRecord } from '../src/outbox.ts';
import { Sync } from '../src/sync.ts';
import { anId, json, World } from './fake_world.ts';
import type { Reply } from './fake_world.ts';

console.error = () => undefined; // what the sender says of the faults made here

const SECOND = 1_000;
const DAY_MS = 86_400_000;

/** What the sender does inside, for a control to take out. */
interface Inside {
  pause(attempts: number): number;
  pauseRecord(record: OutboxRecord, reason: string): Promise<unknown>;
  pauseHost(record: OutboxRecord, contact: string, atLeast?: number): Promise<unknown>;
}
const inside = (sync: Sync): Inside => sync as unknown as Inside;

async function aWorldWith(...numbers: number[]): Promise<World> {
  const world = new World();
  for (const number of numbers) await world.save(anId(number));
  return world;
}

/** From now on the server answers so, and takes nothing. */
function alwaysAnswers(world: World, reply: Reply): void {
  world.server.answer = async (path, init) => reply(path, init);
}

async function requestsInAMinute(takeOut: (sync: Sync) => void): Promise<number> {
  const world = await aWorldWith(1);
  takeOut(world.sync);
  alwaysAnswers(world, () => new Response('<h1>Bad Gateway</h1>', { status: 502 }));
  for (let second = 0; second < 60; second += 1) {
    await world.sync.run();
    world.now += SECOND;
  }
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
  return world.server.requests.length;
}

test('control: a sender without pauses asks a gateway in trouble at every occasion', async () => {
  assert.ok((await requestsInAMinute(() => undefined)) <= 6);
  assert.equal(await requestsInAMinute((sync) => (inside(sync).pause = () => 0)), 60);
});

/** The most tablets of three hundred that come back within the same tenth of a second, once a busy server sent all away. */
async function mostAtOnce(random: () => number, headers: Record<string, string> = {}): Promise<number> {
  const tenths = new Map<number, number>();
  for (let tablet = 0; tablet < 300; tablet += 1) {
    const world = await aWorldWith(1);
    const credential = { device: 'd', secret: await world.secret };
    const credentials = { current: async () => credential, of: async () => credential };
    const sync = new Sync(world.outbox, world.store, credentials, { fetch: world.server.fetch, now: () => world.now, random, locks: world.tab.locks });
    world.server.instead.push(() => json(503, {}, headers));
    await sync.run();
    const tenth = Math.floor(((await sync.nextTry()) ?? 0) / 100);
    tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
  }
  return Math.max(...tenths.values());
}

test('control: without jitter three hundred tablets come back to a busy server at once', async () => {
  const seeded = (seed: number) => () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (const headers of [{}, { 'Retry-After': '60' }]) {
    assert.ok((await mostAtOnce(seeded(7), headers)) < 60);
    assert.equal(await mostAtOnce(() => 0.5, headers), 300);
  }
});

async function secondsLeftAlone(takeOut: (sync: Sync) => void): Promise<number> {
  const world = await aWorldWith(1);
  takeOut(world.sync);
  world.server.instead.push(() => json(503, {}, { 'Retry-After': '300' }));
  await world.sync.run();
  return ((await world.sync.nextTry()) ?? 0) / SECOND;
}

test('control: a sender that does not read Retry-After asks a busy server again within seconds', async () => {
  assert.ok((await secondsLeftAlone(() => undefined)) >= 300);
  const deaf = (sync: Sync): void => {
    const pauseHost = inside(sync).pauseHost.bind(sync);
    inside(sync).pauseHost = (record, contact) => pauseHost(record, contact);
  };
  assert.ok((await secondsLeftAlone(deaf)) <= 2);
});

/** Which of three records a server has after a day that stumbles over the first, whenever it comes. */
async function receivedBesidePoison(takeOut: (world: World) => void): Promise<string[]> {
  const world = await aWorldWith(1, 2, 3);
  takeOut(world);
  const { answer } = world.server;
  world.server.answer = async (path, init) => (path.endsWith(anId(1)) ? json(500, {}) : answer.call(world.server, path, init));
  for (let minute = 0; minute < 24 * 60; minute += 11) {
    await world.sync.run();
    world.now += 11 * 60 * SECOND;
  }
  return world.server.ids();
}

test('control: where one record makes the sender wait for all, the others never arrive', async () => {
  assert.deepEqual(await receivedBesidePoison(() => undefined), [anId(2), anId(3)]);
  const forAll = ({ outbox, sync }: World): void => {
    const waiting = outbox.waiting.bind(outbox);
    outbox.waiting = async () => (await waiting()).map((record) => ({ ...record, attempts: 0 })); // always the oldest first
    inside(sync).pauseRecord = async () => 'stop';
  };
  assert.deepEqual(await receivedBesidePoison(forAll), []);
});

/** What a server has of three interviews of as many weeks, when the tablet meets a network again. */
async function receivedAfterWeeks(forgetAfterDays: number): Promise<string[]> {
  const world = new World();
  const saved = new Map<string, number>();
  const waiting = world.outbox.waiting.bind(world.outbox);
  world.outbox.waiting = async () => {
    const isOld = ({ id }: OutboxRecord): boolean => world.now - (saved.get(id) ?? 0) > forgetAfterDays * DAY_MS;
    const found = await waiting();
    for (const { id, revision } of found.filter(isOld))
      await world.store.write(['records'], (transaction) => void transaction.objectStore('records').delete([id, revision]));
    return found.filter((record) => !isOld(record));
  };
  for (const week of [1, 2, 3]) {
    await world.save(anId(week));
    saved.set(anId(week), world.now);
    world.now += 7 * DAY_MS;
  }
  await world.sync.run();
  return world.server.ids();
}

test('control: a queue that forgets after seven days, as others do, loses what waited longer', async () => {
  assert.deepEqual(await receivedAfterWeeks(Infinity), [anId(1), anId(2), anId(3)]);
  assert.deepEqual(await receivedAfterWeeks(7), [anId(3)]);
});

const SALT = '00112233445566778899aabbccddeeff';
const ITERATIONS = 100;
const GUESSES = ['0000', '1111', '1234', '2580', '4826', '9999'];
const PIN = { salt: SALT, hash: pbkdf2Sync('4826', Buffer.from(SALT, 'hex'), ITERATIONS, 32, 'sha256').toString('hex'), iterations: ITERATIONS };

/** How many of these guesses open in one go. */
async function opened(takeOut: (gate: PinGate) => void): Promise<number> {
  const world = new World();
  await world.store.setFact('pin', PIN);
  const gate = new PinGate(world.store, () => world.now);
  takeOut(gate);
  let count = 0;
  for (const guess of GUESSES) if ((await gate.open(guess)).is === 'open') count += 1;
  return count;
}

test('control: without a pause after wrong tries whoever goes on guessing finds the PIN', async () => {
  assert.equal(await opened(() => undefined), 0);
  assert.equal(await opened((gate) => ((gate as unknown as { takeTry: () => Promise<boolean> }).takeTry = async () => true)), 1);
});
