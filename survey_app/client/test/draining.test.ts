// A tablet that was long without a network.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anId, World } from './fake_world.ts';

const RECORDS = 500;

test('five hundred waiting records leave in one pass, each once and in the order of the chain', async () => {
  const world = new World();
  const ids = Array.from({ length: RECORDS }, (_, number) => anId(number));
  for (const id of ids) await world.save(id);
  await world.sync.run();
  assert.deepEqual(world.server.ids(), ids);
  assert.equal(world.server.requests.length, RECORDS);
  assert.deepEqual(await world.waitingIds(), []);
});
