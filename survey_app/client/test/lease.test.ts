// One sender over all tabs, whatever becomes of the tab that sends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS } from '../src/lease.ts';
import { anId, Tab, World } from './fake_world.ts';

/** So many records were claimed, and their senders stand still before their request. */
async function untilSending(world: World, count: number): Promise<void> {
  for (let round = 0; round < 5_000 && (await world.outbox.count('sending')) < count; round += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await world.outbox.count('sending'), count);
}

/** A world in which one tab began to send and froze in the middle; it thaws when told. */
async function aFrozenSender(...ids: string[]): Promise<{ world: World; frozen: Tab; thaw: () => void; pass: Promise<void> }> {
  const world = new World();
  for (const id of ids) await world.save(id);
  const frozen = new Tab(world);
  let thaw = (): void => undefined;
  frozen.frozen = new Promise((resolve) => (thaw = () => { frozen.frozen = null; resolve(); }));
  const pass = frozen.sync.run();
  await untilSending(world, 1);
  return { world, frozen, thaw, pass };
}

test('a second tab sends nothing while the first one is at it', async () => {
  const { world, thaw, pass } = await aFrozenSender(anId(1));
  await world.sync.run();
  assert.equal(world.server.requests.length, 0);
  thaw();
  await pass;
  assert.deepEqual(world.server.ids(), [anId(1)]);
});

test('a frozen sender is passed when its lease is over, and stops when it wakes', async () => {
  const { world, thaw, pass } = await aFrozenSender(anId(1), anId(2), anId(3));
  world.now += LEASE_MS;
  await world.sync.run();
  assert.deepEqual(world.server.ids().sort(), [anId(1), anId(2), anId(3)]);
  const before = world.server.requests.length;
  thaw();
  await pass;
  assert.equal(world.server.requests.length, before + 1, 'only the request that was under way');
  assert.equal(await world.outbox.count('receipted'), 3);
});

test('a killed sender is passed at once: its lock is free', async () => {
  const { world, frozen, thaw, pass } = await aFrozenSender(anId(1));
  frozen.kill();
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1)]);
  thaw();
  await pass;
});

test('a sender that passed a frozen one is not passed by a third, whoever gets the lock', async () => {
  const { world, frozen, thaw, pass } = await aFrozenSender(anId(1), anId(2));
  world.now += LEASE_MS;
  const second = new Tab(world);
  second.frozen = new Promise(() => undefined);
  void second.sync.run();
  await untilSending(world, 2);
  frozen.kill();
  thaw();
  await pass;
  await world.sync.run();
  assert.equal(world.server.requests.length, 0);
  world.now += LEASE_MS;
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1), anId(2)]);
});

test('a clock set back does not make a lease last for years', async () => {
  const { world } = await aFrozenSender(anId(1));
  world.now -= 10 * 365 * 86_400_000;
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1)]);
});

test('the lease is given back after each pass', async () => {
  const world = new World();
  await world.save(anId(1));
  await world.sync.run();
  assert.equal(await world.store.fact('lease'), undefined);
});
