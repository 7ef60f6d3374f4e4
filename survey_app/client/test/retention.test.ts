// After the receipt: how long a copy stays, what brings it back into the queue, and how a revoked tablet is emptied.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microseconds } from '../src/records.ts';
import { anId, anInterview, DAY, DEVICE, World } from './fake_world.ts';

const FIRST = '2026-06-15T08:00:00.000001+00:00';

/** A world in which so many records were sent and have their receipts. */
async function aWorldThatSent(count: number): Promise<World> {
  const world = new World();
  for (let number = 1; number <= count; number += 1) await world.save(anId(number));
  await world.sync.run();
  assert.equal(await world.outbox.count('receipted'), count);
  return world;
}

test('a receipted record stays with the receipt’s epoch and time, and waits no more', async () => {
  const world = await aWorldThatSent(1);
  const [record] = await world.records();
  assert.deepEqual([record?.state, record?.epoch, record?.storedAt], ['receipted', 'epoch 1', FIRST]);
  assert.deepEqual(await world.waitingIds(), []);
  assert.equal(await world.store.fact('last_receipt_at'), FIRST);
});

const WORDS: Record<string, [object, number]> = {
  'no backup yet': [{ watermark: null }, 2],
  'a watermark before it': [{ watermark: '2026-06-15T08:00:00.000000+00:00' }, 2],
  'a watermark at the same microsecond': [{ watermark: FIRST }, 1],
  'a later watermark': [{ watermark: '2026-06-15T08:00:00.000002+00:00' }, 0],
  'a later watermark written more coarsely': [{ watermark: '2026-06-15T08:00:01Z' }, 0],
  'a later watermark in another zone': [{ watermark: '2026-06-15T10:00:01+02:00' }, 0],
  'a later watermark of another history': [{ epoch: 'epoch 2', watermark: '2030-01-01T00:00:00Z' }, 2],
  'a watermark that is none': [{ watermark: 'yesterday' }, 2],
};

for (const [name, [word, stay]] of Object.entries(WORDS)) {
  test(`${name}: ${stay} of two copies stay`, async () => {
    const world = await aWorldThatSent(2);
    await world.outbox.retention.follow({ epoch: 'epoch 1', watermark: null, missing: [], ...word }, DEVICE, 1);
    assert.equal((await world.records()).length, stay);
  });
}

test('no clock of the tablet takes a copy away', async () => {
  const world = await aWorldThatSent(1);
  world.now += 10 * 365 * 86_400_000;
  await world.sync.heartbeat();
  await world.sync.run();
  assert.equal(await world.outbox.count('receipted'), 1);
});

test('a restored server is refilled with what its backup did not hold', async () => {
  const world = await aWorldThatSent(1);
  world.server.takeBackup();
  await world.save(anId(2));
  await world.sync.run();
  world.server.restore();
  assert.deepEqual(world.server.ids(), [anId(1)]);
  await world.sync.heartbeat();
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1), anId(2)]);
  assert.deepEqual((await world.records()).map((record) => record.epoch), ['epoch 2', 'epoch 2']);
});

test('numbers that the server lacks are sent again, those of another identity are not meant', async () => {
  const world = await aWorldThatSent(3);
  await world.outbox.retention.follow({ epoch: 'epoch 1', watermark: '2030-01-01T00:00:00Z', missing: [2, 77] }, DEVICE, 1);
  assert.deepEqual(await world.waitingIds(), [anId(2)], 'whatever the watermark says');
  const other = await aWorldThatSent(1);
  await other.outbox.retention.follow({ epoch: 'epoch 1', watermark: null, missing: [1] }, 'another', 1);
  assert.deepEqual(await other.waitingIds(), []);
});

/** The paths of what was sent, heartbeats left out. */
const sentPaths = (world: World): string[] => world.server.requests.map(({ path }) => path).filter((path) => !path.endsWith('heartbeat'));

test('a record that is sent while a heartbeat is under way is sent once, whatever the answer knew', async () => {
  const world = new World();
  await world.save(anId(1));
  world.server.instead.push(async (path, init) => {
    const word = await world.server.answer(path, init);
    await world.sync.run();
    return word;
  });
  await world.sync.heartbeat();
  await world.sync.run();
  assert.deepEqual(sentPaths(world), [`/api/v1/records/${anId(1)}`]);
  world.server.loseARow(DEVICE);
  await world.sync.heartbeat();
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1)], 'the next answer knows');
});

test('a history that ended while its answer was on the way brings back nothing of the next one', async () => {
  const world = await aWorldThatSent(1);
  world.server.takeBackup();
  await world.save(anId(2));
  world.server.instead.push(async (path, init) => {
    const word = await world.server.answer(path, init);
    world.server.restore();
    await world.sync.run();
    return word;
  });
  await world.sync.heartbeat();
  await world.sync.run();
  assert.deepEqual(sentPaths(world), [1, 2].map((number) => `/api/v1/records/${anId(number)}`));
});

test('a record without room is saved at the price of the oldest receipted copies, and of nothing else', async () => {
  const world = await aWorldThatSent(2);
  await world.save(anId(3));
  world.disk.room = 2;
  await world.save(anId(4));
  assert.deepEqual((await world.records()).map((record) => record.id), [anId(3), anId(4)]);
  await assert.rejects(world.save(anId(5)), { name: 'QuotaExceededError' });
  assert.equal(world.store.fault, 'full');
  assert.deepEqual(await world.waitingIds(), [anId(3), anId(4)]);
  assert.equal((await world.outbox.head()).seq, 4, 'no number is used up');
  world.disk.room = 3;
  await world.save(anId(5));
  assert.equal(world.store.fault, null);
});

test('a slow sender does not bring a receipted record back', async () => {
  const world = await aWorldThatSent(1);
  const [record] = await world.records();
  assert.ok(record);
  await world.outbox.mark(record, { state: 'quarantined', reason: '413' });
  assert.equal(await world.outbox.count('receipted'), 1);
});

test('a revoked tablet is emptied once a backup holds everything, and only then', async () => {
  const world = await aWorldThatSent(1);
  await world.save(anId(2));
  await world.store.setFact('secret x', 'a key');
  assert.equal(await world.outbox.retention.wipe(), false, 'nobody revoked it');
  await world.store.setFact('revoked', DEVICE);
  assert.equal(await world.outbox.retention.wipe(), false, 'one record waits');
  await world.sync.run();
  await world.outbox.draft(anInterview(anId(3)));
  assert.equal(await world.outbox.retention.wipe(), false, 'somebody is answering');
  await world.sync.run();
  world.server.revoked = true;
  await world.sync.heartbeat();
  assert.equal(await world.outbox.retention.wipe(), false, 'no backup holds what it sent');
  world.server.takeBackup();
  await world.sync.heartbeat();
  assert.equal(await world.outbox.retention.wipe(), true);
  assert.deepEqual(await world.records(), []);
  assert.deepEqual(await world.store.read('facts', (store) => store.getAllKeys()), ['wiped']);
  await assert.rejects(world.outbox.finish(anInterview(anId(4)), DAY), /no identity/);
});

test('a server that is restored after the revocation gets everything from the revoked tablet', async () => {
  const world = await aWorldThatSent(2);
  world.server.takeBackup();
  await world.save(anId(3));
  await world.sync.run();
  world.server.revoked = true;
  await world.sync.heartbeat();
  assert.equal(await world.outbox.retention.wipe(), false);
  world.server.restore();
  await world.sync.heartbeat();
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1), anId(2), anId(3)]);
});

test('a tablet is not emptied while a refused record is on it', async () => {
  const world = await aWorldThatSent(0);
  await world.save(anId(1));
  const [record] = await world.outbox.waiting();
  assert.ok(record);
  await world.outbox.mark(record, { state: 'quarantined', reason: '413' });
  await world.store.setFact('revoked', DEVICE);
  assert.equal(await world.outbox.retention.wipe(), false);
});

test('times of the server are compared to the microsecond', () => {
  assert.equal(microseconds('2026-06-15T08:00:00.000002+00:00') - microseconds('2026-06-15T08:00:00Z'), 2);
  assert.equal(microseconds('2026-06-15T08:00:00.1+00:00') - microseconds('2026-06-15T08:00:00.000+00:00'), 100_000);
  assert.equal(microseconds('2026-06-15T08:00:00.0005Z') - microseconds('2026-06-15T08:00:00Z'), 500);
});
