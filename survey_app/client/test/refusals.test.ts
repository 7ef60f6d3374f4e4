// Who said no: a number per day.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APART_MS, Refusals } from '../src/refusals.ts';
import { DAY, World } from './fake_world.ts';

const perDay = (world: World): Promise<Record<string, number> | undefined> => world.store.fact('refusals');

test('each refusal counts once, however fast the finger', async () => {
  const world = new World();
  const time = { now: 0 };
  const refusals = new Refusals(world.store, () => time.now);
  assert.equal(await refusals.add(DAY), 1);
  time.now += APART_MS - 1;
  assert.equal(await refusals.add(DAY), null, 'the second tap of the same finger');
  time.now += 1;
  assert.equal(await refusals.add(DAY), 2, 'the next person');
  assert.deepEqual(await perDay(world), { [DAY]: 2 });
});

test('two taps in the same moment are one', async () => {
  const world = new World();
  const refusals = new Refusals(world.store, () => 0);
  assert.deepEqual(await Promise.all([refusals.add(DAY), refusals.add(DAY)]), [1, null]);
});

test('a refusal right after one was taken back is another person’s', async () => {
  const world = new World();
  const refusals = new Refusals(world.store, () => 0);
  await refusals.add(DAY);
  await refusals.undo(DAY);
  assert.equal(await refusals.add(DAY), 1);
});

test('what is taken back is not counted, and never below nothing', async () => {
  const world = new World();
  const refusals = new Refusals(world.store, () => 0);
  await refusals.add(DAY);
  assert.equal(await refusals.undo(DAY), 0);
  assert.equal(await refusals.undo(DAY), 0);
});

test('the latest 62 days are kept, through a restart', async () => {
  const world = new World();
  for (let day = 0; day < 70; day += 1) {
    const date = new Date(Date.parse(DAY) + day * 86_400_000).toISOString().slice(0, 10);
    await new Refusals(world.store, () => 0).add(date);
  }
  world.restart();
  const days = Object.keys((await perDay(world)) ?? {}).sort();
  assert.deepEqual([days.length, days[0], days.at(-1)], [62, '2026-06-23', '2026-08-23']);
});
