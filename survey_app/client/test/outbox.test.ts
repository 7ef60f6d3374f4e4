import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSecret } from '../src/credential.ts';
import { sha256Hex } from '../src/envelope.ts';
import { Outbox } from '../src/outbox.ts';
import type { OutboxRecord } from '../src/outbox.ts';
import { linkOf, patiently } from '../src/records.ts';
import { anId, anInterview, DAY, DEVICE, NO_LOCKS, receiptFor, SECRET, Tab, World } from './fake_world.ts';
import { opened } from './server_key.ts';

interface Frame {
  readonly seq: number;
  readonly prev: string | null;
  readonly device: string;
}

const frameOf = (record: OutboxRecord): Frame => JSON.parse(record.envelope) as Frame;

async function onlyRecord(world: World): Promise<OutboxRecord> {
  const [record, ...others] = await world.outbox.waiting();
  assert.ok(record);
  assert.equal(others.length, 0);
  return record;
}

test('a saved interview waits with its number, its hash and the answers in its sealed body', async () => {
  const world = new World();
  await world.enrol();
  await new Outbox(world.store, world.tab.locks).finish(anInterview(anId(1)), DAY);
  const record = await onlyRecord(world);
  const frame = frameOf(record);
  assert.equal(record.hash, await sha256Hex(record.envelope));
  assert.deepEqual([record.state, frame.seq, frame.prev, frame.device], ['queued', 1, null, DEVICE]);
  assert.deepEqual((await opened(record.envelope)).answers, { welcome_courtesy: ['very_satisfied'] });
});

test('each record names the link of the one before, without a gap in the numbers', async () => {
  const world = new World();
  for (const number of [1, 2, 3]) await world.save(anId(number));
  const records = await world.outbox.waiting();
  assert.deepEqual(records.map((record) => record.seq), [1, 2, 3]);
  assert.deepEqual(records.map((record) => frameOf(record).prev), [null, ...(await Promise.all(records.map(linkOf))).slice(0, 2)]);
});

test('a double tap saves one record', async () => {
  const world = new World();
  await Promise.all([world.save(anId(1)), world.save(anId(1))]);
  assert.equal((await onlyRecord(world)).seq, 1);
  assert.equal(await world.outbox.savedOn(DAY), 1);
});

test('the chain stays whole when two tabs save at once and no lock holds them apart', async () => {
  const world = new World(NO_LOCKS);
  await Promise.all(Array.from({ length: 8 }, (_, number) => world.save(anId(number))));
  const records = await world.outbox.waiting();
  assert.deepEqual(records.map((record) => record.seq), [1, 2, 3, 4, 5, 6, 7, 8]);
  const links = await Promise.all(records.map(linkOf));
  records.forEach((record, index) => assert.equal(frameOf(record).prev, links[index - 1] ?? null));
});

test('a tab that stands still with the lock of the writes holds up nobody for longer than a few seconds', async () => {
  const world = new World();
  await world.enrol();
  const other = new Tab(world);
  void other.locks.request('outbox', () => new Promise(() => undefined));
  const saved = world.outbox.finish(anInterview(anId(1)), DAY);
  const patience = { over: (): void => undefined };
  const still = new Promise((resolve) => {
    const timer = setTimeout(resolve, 20_000, 'still waiting');
    patience.over = () => clearTimeout(timer);
  });
  assert.equal(await Promise.race([saved.then(({ seq }) => seq), still]), 1);
  patience.over();
  await assert.rejects(
    patiently(world.locks.of(world.tab), 'another', 1_000, () => Promise.reject(new RangeError('ours'))),
    { name: 'RangeError' },
    'what fails under the lock is not done a second time',
  );
});

test('a transaction that is rolled back after its requests succeeded is not "saved"', async () => {
  const world = new World();
  await assert.rejects(
    world.store.write(['records', 'facts'], (transaction) => {
      transaction.objectStore('facts').put(1, 'head').onsuccess = () => transaction.abort();
    }),
  );
  assert.deepEqual(await world.outbox.head(), { seq: 0, hash: null });
});

test('every write asks for strict durability', async () => {
  const world = new World();
  const asked: unknown[] = [];
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    if (mode === 'readwrite') asked.push(options?.durability);
    return transaction.call(this, names, mode, options);
  };
  try {
    await world.save(anId(1));
    await world.outbox.mark(await onlyRecord(world), { state: 'sending' });
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
  assert.deepEqual([...new Set(asked)], ['strict']);
  assert.ok(asked.length >= 2);
});

test('today counts what was saved today, not what waits', async () => {
  const world = new World();
  await world.save(anId(1));
  await world.outbox.finish(anInterview(anId(2)), '2026-06-16');
  assert.equal(await world.outbox.savedOn('2026-06-16'), 1);
  assert.equal(await world.outbox.savedOn(DAY), 0);
});

test('today counts neither practice nor an interview that somebody left', async () => {
  const world = new World();
  const { body, ...rest } = anInterview(anId(1));
  await world.save(anId(2));
  for (const [number, change] of [{ practice: true }, { complete: false }].entries()) {
    await world.outbox.finish({ ...rest, id: anId(10 + number), body: { ...body, ...change } }, DAY);
  }
  assert.equal((await world.outbox.waiting()).length, 3, 'all of them are sent');
  assert.equal(await world.outbox.savedOn(DAY), 1);
});

const FORGERIES: Record<string, object> = {
  'names another record': { id: anId(9) },
  'names another hash': { sha256: '0'.repeat(64) },
  'names another revision': { revision: 2 },
  'carries a wrong code': { mac: '0'.repeat(64) },
  'carries no code': { mac: undefined },
  'was altered after it was signed': { stored_at: '2027-01-01T00:00:00Z' },
};

for (const [fault, change] of Object.entries(FORGERIES)) {
  test(`a receipt that ${fault} takes nothing away`, async () => {
    const world = new World();
    await world.save(anId(1));
    const record = await onlyRecord(world);
    const receipt = { ...(await receiptFor(record.id, 1, record.hash)), ...change };
    assert.equal(await world.outbox.retention.acknowledge(record, receipt, await importSecret(SECRET)), false);
    assert.equal((await onlyRecord(world)).id, record.id);
  });
}

test('a receipt signed with another secret takes nothing away, the right one does', async () => {
  const world = new World();
  await world.save(anId(1));
  const record = await onlyRecord(world);
  const receipt = await receiptFor(record.id, 1, record.hash);
  assert.equal(await world.outbox.retention.acknowledge(record, receipt, await importSecret('00'.repeat(32))), false);
  assert.equal(await world.outbox.retention.acknowledge(record, receipt, await importSecret(SECRET)), true);
  assert.deepEqual(await world.waitingIds(), []);
});

test('marking a record whose receipt has come does not bring it back', async () => {
  const world = new World();
  await world.save(anId(1));
  const record = await onlyRecord(world);
  await world.outbox.retention.acknowledge(record, await receiptFor(record.id, 1, record.hash), await importSecret(SECRET));
  await world.outbox.mark(record, { state: 'queued' });
  assert.deepEqual(await world.waitingIds(), []);
});

test('what the tablet ended itself says so; a draft, or what went through to the end, does not', async () => {
  const world = new World();
  await world.enrol();
  const ended = async (record: OutboxRecord | undefined): Promise<unknown> => {
    const { body } = JSON.parse(record?.envelope ?? '{}') as { body: string };
    return (JSON.parse(Buffer.from(body, 'base64url').toString()) as { ended?: unknown }).ended;
  };
  const unfinished = anInterview(anId(1));
  assert.equal(await ended(await world.outbox.finish({ ...unfinished, body: { ...unfinished.body, complete: false } }, DAY)), true);
  assert.equal(await ended(await world.outbox.finish(anInterview(anId(2)), DAY)), undefined);
  await world.outbox.draft(anInterview(anId(3)));
  assert.equal(await ended((await world.outbox.inState('draft'))[0]), undefined);
});
