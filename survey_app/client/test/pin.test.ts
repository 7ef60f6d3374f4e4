// The agent's PIN: right, wrong, too often wrong, and what a reload or another window changes (nothing).
import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { Enrolment } from '../src/enrolment.ts';
import { PinGate } from '../src/pin.ts';
import { DEVICE, json, SECRET, World } from './fake_world.ts';

const ITERATIONS = 1_000;
const SALT = '00112233445566778899aabbccddeeff';
/** As the server makes it: `hashed_pin` in enrolment.py. */
const PIN = { salt: SALT, hash: pbkdf2Sync('4826', Buffer.from(SALT, 'hex'), ITERATIONS, 32, 'sha256').toString('hex'), iterations: ITERATIONS };

async function aWorld(): Promise<{ world: World; gate: () => PinGate; say: (typed: string) => Promise<string> }> {
  const world = new World();
  await world.store.setFact('pin', PIN);
  const gate = (): PinGate => new PinGate(world.store, () => world.now);
  const say = async (typed: string): Promise<string> => {
    const outcome = await gate().open(typed);
    return outcome.is === 'wait' ? `wait ${outcome.seconds}` : outcome.is;
  };
  return { world, gate, say };
}

test('without a PIN the acts are open', async () => {
  const gate = new PinGate(new World().store);
  assert.equal(await gate.asks(), false);
  assert.deepEqual(await gate.open(''), { is: 'open' });
});

test('the PIN that the server hashed opens, any other does not', async () => {
  const { gate, say } = await aWorld();
  assert.equal(await gate().asks(), true);
  assert.equal(await say('4827'), 'wrong');
  assert.equal(await say(''), 'wrong');
  assert.equal(await say('4826'), 'open');
});

test('the third wrong try starts a pause that doubles, and in a pause the right PIN does not open', async () => {
  const { world, say } = await aWorld();
  for (const answer of ['wrong', 'wrong', 'wait 30', 'wait 30']) assert.equal(await say('0000'), answer);
  assert.equal(await say('4826'), 'wait 30', 'the pause holds for the right one too');
  for (const seconds of [30, 60, 120]) {
    world.now += seconds * 1_000;
    assert.equal(await say('0000'), `wait ${seconds * 2}`);
  }
  world.now += 240_000;
  assert.equal(await say('4826'), 'open');
  assert.equal(await say('0000'), 'wrong', 'the right one starts the count anew');
});

test('a pause survives a reload, and ends for a clock that is set back', async () => {
  const { world, say } = await aWorld();
  for (let tries = 0; tries < 3; tries += 1) await say('0000');
  world.restart();
  assert.equal(await say('4826'), 'wait 30');
  world.now -= 86_400_000;
  assert.equal(await say('4826'), 'wait 30', 'never longer than the pause itself');
});

test('two windows have no more tries than one', async () => {
  const { world, say } = await aWorld();
  await Promise.all(['1', '2', '3', '4', '5'].map((typed) => say(typed)));
  assert.equal(await world.store.fact('pin_failures'), 3);
  assert.equal(await say('4826'), 'wait 30');
});

test('wrong tries are counted for the server, the right one is not, and a new enrolment forgets them', async () => {
  const { world, say } = await aWorld();
  for (const typed of ['1', '4826', '2', '3', '4']) await say(typed);
  assert.equal(await world.store.fact('pin_failures'), 4);
  const answer = { device: DEVICE, secret: SECRET, site: 'hall', site_name: 'Hall', name: 'T-07', slugs: [], languages: [], pin: PIN };
  assert.equal(await new Enrolment(world.store).enrol('CODE', async () => json(200, answer)), 'enrolled');
  assert.equal(await world.store.fact('pin_failures'), undefined);
  assert.equal(await say('4826'), 'open', 'and with them the pause');
});
