// What the tablet says of itself, and what it makes of the answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Enrolment } from '../src/enrolment.ts';
import { heartbeatAnswer, runsOf } from '../src/heartbeat.ts';
import { tellEmptied } from '../src/last_word.ts';
import { Refusals } from '../src/refusals.ts';
import type { Store, Work } from '../src/store.ts';
import { anId, anInterview, DAY, DEVICE, json, SECRET, World } from './fake_world.ts';

const said = (world: World): Record<string, unknown> => JSON.parse(world.server.requests.filter(({ path }) => path.endsWith('heartbeat')).at(-1)?.body ?? '{}') as Record<string, unknown>;

test('the heartbeat counts what waits, what is drafted and what is kept, each apart', async () => {
  const world = new World();
  await world.save(anId(1));
  await world.sync.run();
  for (const number of [2, 3]) await world.save(anId(number));
  const [refused] = await world.outbox.waiting();
  assert.ok(refused);
  await world.outbox.mark(refused, { state: 'quarantined', reason: '413' });
  await world.outbox.draft(anInterview(anId(4)));
  await world.store.setFact('refusals', { '2026-06-15': 3 });
  await world.store.setFact('readiness', { colour: 'amber', reason: 'not_persisted' });
  await world.sync.heartbeat({ app_digest: 'd'.repeat(64), questionnaires: ['q'.repeat(64)], persisted: false, battery: { level: 0.5, charging: true } });
  assert.deepEqual(said(world), {
    beat: 1,
    waiting: 2,
    quarantined: 1,
    drafts: 1,
    retained: 1,
    high_seq: 4,
    held: [[2, 4]],
    former: 0,
    app_digest: 'd'.repeat(64),
    questionnaires: ['q'.repeat(64)],
    persisted: false,
    battery: { level: 0.5, charging: true },
    clock_offset_ms: null,
    last_receipt_at: (await world.store.fact('last_receipt_at')) ?? null,
    readiness: 'amber',
    readiness_reason: 'not_persisted',
    pin_failures: 0,
    refusals: { '2026-06-15': 3 },
  });
});

test('numbers are told as runs, each once, and what an earlier enrolment left is counted apart', async () => {
  assert.deepEqual(runsOf([7, 2, 3, 3, 1, 9]), [[1, 3], [7, 7], [9, 9]]);
  assert.deepEqual(runsOf([]), []);
  const world = new World();
  for (const number of [1, 2]) await world.save(anId(number));
  await world.store.setFact('device', { device: '00000000-0000-4000-8000-0000000000ff' });
  await world.sync.heartbeat();
  assert.deepEqual([said(world)['held'], said(world)['former']], [[], 2]);
});

test('each heartbeat has a higher number than the one before, after a restart too', async () => {
  const world = new World();
  await world.enrol();
  await world.sync.heartbeat();
  world.restart();
  await world.sync.heartbeat();
  assert.equal(said(world)['beat'], 2);
});

test('the answer’s PIN and time of idleness are kept, and stay where an answer has none', async () => {
  const world = new World();
  await world.enrol();
  const pin = { salt: 'aa', hash: 'bb', iterations: 10 };
  world.server.instead.push(() => json(200, { now: '2026-06-15T08:00:00Z', epoch: 'epoch 1', revoked: false, pin, idle_seconds: 90 }));
  await world.sync.heartbeat();
  world.server.instead.push(() => json(200, { now: '2026-06-15T08:00:00Z', epoch: 'epoch 1', revoked: false, pin: null }));
  await world.sync.heartbeat();
  assert.deepEqual([await world.store.fact('pin'), await world.store.fact('idle_seconds')], [pin, 90]);
});

test('the tablet knows which bundle the server named last, and of an older server nothing', async () => {
  const world = new World();
  await world.enrol();
  const answers = [{ bundle: 'b'.repeat(64) }, {}].map((named) => ({ now: '2026-06-15T08:00:00Z', epoch: 'epoch 1', revoked: false, ...named }));
  const known: unknown[] = [];
  for (const answer of answers) {
    world.server.instead.push(() => json(200, answer));
    await world.sync.heartbeat();
    known.push(await world.store.fact('bundle'));
  }
  assert.deepEqual(known, ['b'.repeat(64), null]);
});

const WHAT_A_STRANGER_SAYS = { now: '2026-06-15T08:00:00Z', epoch: 'epoch 1', watermark: '2999-01-01T00:00:00Z', revoked: true, pin: { salt: 'aa', hash: 'bb', iterations: 1 } };

/** The last true answer to a heartbeat, from which a stranger takes the code. */
async function overheard(world: World): Promise<Response> {
  world.server.instead.push(async (path, init) => {
    const answer = await world.server.answer(path, init);
    heard = answer.clone();
    return answer;
  });
  let heard = new Response();
  await world.sync.heartbeat();
  return heard;
}

const STRANGERS: Record<string, (heard: Response) => Promise<Response>> = {
  'without a code': async () => json(200, WHAT_A_STRANGER_SAYS),
  'with the code of another answer': async (heard) => json(200, WHAT_A_STRANGER_SAYS, { 'X-Signature': heard.headers.get('X-Signature') ?? '' }),
  'that was given to an earlier call': async (heard) => heard,
};

for (const [name, answers] of Object.entries(STRANGERS)) {
  test(`an answer ${name} lets no copy go, revokes nothing, sets no PIN, and is no contact`, async () => {
    const world = new World();
    await world.save(anId(1));
    await world.sync.run();
    const heard = await overheard(world);
    const contact = world.now;
    world.now += 60_000;
    world.server.before = () => () => answers(heard);
    await world.sync.heartbeat();
    assert.equal(await world.outbox.count('receipted'), 1);
    assert.deepEqual([await world.store.fact('revoked'), await world.store.fact('pin')], [null, undefined]);
    assert.deepEqual([await world.store.fact('contact'), await world.store.fact('last_contact')], ['network_login', contact]);
  });
}

test('an answer of an older server, or with parts of another shape, takes nothing away', async () => {
  const plain = { now: '2026-06-15T08:00:00Z', epoch: 'epoch 1' };
  const nothing = { ...plain, revoked: false, watermark: null, missing: [], pin: null, idleSeconds: null, bundle: null };
  assert.deepEqual(heartbeatAnswer(plain), nothing);
  assert.deepEqual(heartbeatAnswer({ ...plain, revoked: 'no', watermark: 3, missing: ['1', null], pin: { salt: 1 }, idle_seconds: '90', bundle: 7 }), nothing);
  for (const none of [null, 'x', {}, { now: plain.now }, { epoch: plain.epoch }]) assert.equal(heartbeatAnswer(none), null);
});

test('a record that the disk has changed is set apart, and the others flow', async () => {
  const world = new World();
  for (const number of [1, 2]) await world.save(anId(number));
  const [first] = await world.outbox.waiting();
  assert.ok(first);
  await world.store.write(['records'], (transaction) => void transaction.objectStore('records').put({ ...first, envelope: first.envelope.replace('usagers', 'usagerz') }));
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(2)]);
  const [kept] = await world.outbox.waiting();
  assert.deepEqual([kept?.id, kept?.device, kept?.state, kept?.reason], [anId(1), DEVICE, 'quarantined', 'damaged']);
});

/** What is under way on a revoked tablet while another tab empties it, and what of it is left in the facts. */
const UNDER_WAY: Record<string, (world: World) => Promise<unknown>> = {
  'a heartbeat': (world) => {
    world.server.instead.push(async (path, init) => {
      await emptied(world);
      const word = (await (await world.server.answer(path, init)).json()) as object;
      return json(200, { ...word, revoked: true, pin: { salt: 'aa', hash: 'bb', iterations: 10 } });
    });
    return world.sync.heartbeat();
  },
  'the sending of the last record': async (world) => {
    await world.save(anId(1));
    const { retention } = world.outbox;
    const acknowledge = retention.acknowledge.bind(retention);
    retention.acknowledge = async (...given) => {
      const noted = await acknowledge(...given);
      await emptied(world);
      return noted;
    };
    await world.sync.run();
  },
  'a count of refusals': async (world) => {
    await emptied(world);
    await new Refusals(world.store).add(DAY);
  },
};

async function emptied(world: World): Promise<void> {
  await world.outbox.retention.giveUpOldest(100); // as if a backup held them
  await world.store.setFact('revoked', DEVICE);
  assert.equal(await world.outbox.retention.wipe(), true);
}

const factsLeft = async (world: World): Promise<IDBValidKey[]> => world.store.read('facts', (store) => store.getAllKeys());

function withoutTheCheck(store: Store): void {
  (store as unknown as { unlessEmptied: (transaction: IDBTransaction, work: Work) => void }).unlessEmptied = (transaction, work) => work(transaction);
}

for (const [name, happens] of Object.entries(UNDER_WAY)) {
  test(`${name} under way while a revoked tablet is emptied leaves no fact behind`, async () => {
    const world = new World();
    await world.enrol();
    await happens(world);
    assert.deepEqual(await factsLeft(world), ['wiped']);
  });

  test(`control: ${name} would leave facts behind without the check in its transaction`, async () => {
    const world = new World();
    withoutTheCheck(world.store);
    await world.enrol();
    await happens(world);
    assert.ok((await factsLeft(world)).length > 1);
  });
}

test('an emptied tablet takes facts again once it is enrolled again', async () => {
  const world = new World();
  await world.enrol();
  await emptied(world);
  await world.store.setFact('contact', 'reached');
  assert.equal(await world.store.fact('contact'), undefined);
  const answer = { device: 'another', name: 'Accueil-2', site: 'niort', site_name: 'Niort', slugs: [], languages: [], secret: SECRET };
  assert.equal(await new Enrolment(world.store).enrol('CODE', async () => json(200, answer)), 'enrolled');
  await world.store.setFact('contact', 'reached');
  assert.deepEqual(await factsLeft(world), ['contact', 'device', 'secret another']);
});

/** What the server may say late to an identity that the tablet has no more. */
const LATE: Record<string, (pin: object) => Response> = {
  'its PIN, its pause and that it may go on': (pin) => json(200, { now: '2026-06-15T08:00:00Z', epoch: 'epoch 1', revoked: false, pin, idle_seconds: 30 }),
  'its PIN, its pause and its end': (pin) => json(200, { now: '2026-06-15T08:00:00Z', epoch: 'epoch 1', revoked: true, pin, idle_seconds: 30 }),
};

for (const [what, late] of Object.entries(LATE)) {
  test(`a tablet that was enrolled anew keeps its own PIN and pause when the server tells the earlier identity ${what}`, async () => {
    const world = new World();
    await world.enrol();
    const [earlier, own] = ['aa', 'bb'].map((salt) => ({ salt, hash: 'cc', iterations: 10 }));
    assert.ok(earlier);
    world.server.instead.push(async () => {
      const answer = { device: 'another', name: 'Accueil-2', site: 'niort', site_name: 'Niort', slugs: [], languages: [], secret: SECRET, pin: own, idle_seconds: 90 };
      assert.equal(await new Enrolment(world.store).enrol('CODE', async () => json(200, answer)), 'enrolled');
      await world.store.setFact('revoked', 'another');
      return late(earlier);
    });
    await world.sync.heartbeat();
    const facts = await Promise.all(['pin', 'idle_seconds', 'revoked'].map((key) => world.store.fact(key)));
    assert.deepEqual(facts, [own, 90, 'another']);
  });
}

test('an error inside a transaction arrives as itself, and rolls it back', async () => {
  const world = new World();
  const failing = world.store.write(['facts'], (transaction) => {
    transaction.objectStore('facts').put(1, 'x');
    throw new RangeError('ours');
  });
  await assert.rejects(failing, { name: 'RangeError' });
  assert.deepEqual(await factsLeft(world), []);
});

test('a tablet that has emptied itself says so once more, with a number after its last', async () => {
  const world = new World();
  await world.enrol();
  await world.sync.heartbeat();
  await tellEmptied(world.server.fetch, { device: DEVICE, secret: await world.secret }, 2);
  assert.deepEqual(said(world), { beat: 2, emptied: true, waiting: 0, quarantined: 0, drafts: 0, retained: 0, held: [], former: 0 });
});
