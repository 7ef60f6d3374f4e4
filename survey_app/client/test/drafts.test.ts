// Drafts: revisions of one record that nobody can read here, promoted when their interview is over without an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InterviewSaving } from '../src/interview_saving.ts';
import { interviewLock, linkOf } from '../src/records.ts';
import type { OutboxRecord } from '../src/records.ts';
import { anId, anInterview, DAY, DEVICE, Tab, World } from './fake_world.ts';

async function anEnrolledWorld(): Promise<World> {
  const world = new World();
  await world.enrol();
  return world;
}

const withAnswers = (id: string, ...names: string[]) => anInterview(id, Object.fromEntries(names.map((name) => [name, ['yes']])));

const bodyOf = (record: OutboxRecord | undefined): { answers: object; complete: boolean; withdrawn?: boolean } =>
  JSON.parse(Buffer.from((JSON.parse(record?.envelope ?? '{}') as { body?: string }).body ?? 'e30', 'base64url').toString()) as ReturnType<typeof bodyOf>;

const frameOf = (record: OutboxRecord | undefined): { seq: number; prev: string | null; revision: number } =>
  JSON.parse(record?.envelope ?? '{}') as ReturnType<typeof frameOf>;

test('each answer makes a revision that takes the place of the one before, under the same number', async () => {
  const world = await anEnrolledWorld();
  await world.save(anId(1));
  const before = await world.outbox.head();
  for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c']]) await world.outbox.draft(withAnswers(anId(2), ...names));
  const records = (await world.records()).filter((record) => record.id === anId(2));
  const [draft] = records;
  assert.equal(records.length, 1);
  assert.deepEqual([draft?.state, draft?.kind, draft?.revision, draft?.seq, draft?.prev], ['draft', 'partial', 3, 2, before.link]);
  assert.deepEqual(frameOf(draft), { ...frameOf(draft), seq: 2, prev: before.link, revision: 3 });
  assert.deepEqual([Object.keys(bodyOf(draft).answers), bodyOf(draft).complete], [['a', 'b', 'c'], false]);
  assert.ok(draft);
  assert.deepEqual(await world.outbox.head(), { seq: 2, id: anId(2), hash: draft.hash, link: await linkOf(draft) });
});

test('the finished revision takes the place of the draft in one transaction, and waits', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.draft(withAnswers(anId(1), 'a'));
  await world.outbox.finish(withAnswers(anId(1), 'a', 'b'), DAY);
  await world.outbox.finish(withAnswers(anId(1), 'a', 'b'), DAY);
  const [record, ...others] = await world.records();
  assert.equal(others.length, 0);
  assert.deepEqual([record?.state, record?.kind, record?.revision, record?.seq], ['queued', 'finished', 2, 1]);
  assert.equal(bodyOf(record).complete, true);
  assert.equal(await world.outbox.savedOn(DAY), 1);
  await world.save(anId(2));
  assert.ok(record);
  assert.equal((await world.outbox.waiting())[1]?.prev, await linkOf(record), 'the chain goes on from it');
});

test('a draft written anew while a later interview goes on breaks no chain: what that one names does not change', async () => {
  const world = await anEnrolledWorld();
  const other = new Tab(world);
  await world.outbox.draft(withAnswers(anId(1), 'a'));
  await other.outbox.draft(withAnswers(anId(2), 'a'));
  await world.outbox.draft(withAnswers(anId(1), 'a', 'b'));
  await world.outbox.finish(withAnswers(anId(1), 'a', 'b', 'c'), DAY);
  await other.outbox.finish(withAnswers(anId(2), 'a'), DAY);
  const [first, second] = await world.outbox.waiting();
  assert.ok(first && second);
  assert.deepEqual([first.id, second.id, second.prev], [anId(1), anId(2), await linkOf(first)]);
});

test('a draft after the end changes nothing, nor does a withdrawal', async () => {
  const world = await anEnrolledWorld();
  await world.save(anId(1));
  const before = await world.records();
  await world.outbox.draft(withAnswers(anId(1), 'late'));
  await world.outbox.withdraw(anInterview(anId(1)));
  assert.deepEqual(await world.records(), before);
});

test('a visitor who cancels leaves a number and no answer', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.draft(withAnswers(anId(1), 'a', 'b'));
  await world.outbox.withdraw(withAnswers(anId(1), 'a', 'b'));
  await world.outbox.withdraw(withAnswers(anId(1), 'a', 'b'));
  const [record, ...others] = await world.records();
  assert.equal(others.length, 0);
  assert.deepEqual([record?.state, record?.kind, record?.revision, record?.seq], ['queued', 'withdrawn', 2, 1]);
  assert.deepEqual([bodyOf(record).answers, bodyOf(record).complete, bodyOf(record).withdrawn], [{}, false, true]);
  assert.equal(await world.outbox.savedOn(DAY), 0);
});

test('a visitor who cancels before anything was written uses up no number', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.withdraw(anInterview(anId(1)));
  assert.deepEqual(await world.records(), []);
  assert.equal((await world.outbox.head()).seq, 0);
});

test('a visitor who cancels on a full disk leaves no answer either, and the withdrawal is written when there is room', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.draft(withAnswers(anId(1), 'a', 'b'));
  world.disk.room = 0;
  await world.outbox.withdraw(withAnswers(anId(1), 'a', 'b'));
  const [cancelled] = await world.records();
  assert.deepEqual([cancelled?.state, cancelled?.envelope, cancelled?.withdrawal?.body.answers], ['cancelled', '', {}]);
  world.restart();
  await world.sync.run();
  assert.equal(world.server.rows.size, 0, 'not a partial answer');
  await world.sync.heartbeat();
  const told = JSON.parse(world.server.requests.at(-1)?.body ?? '{}') as { drafts: number };
  assert.equal(told.drafts, 1, 'its number is not missing');
  world.disk.room = Infinity;
  await world.sync.run();
  assert.deepEqual([...world.server.rows.values()].map(({ seq, revision, body }) => [seq, revision, body.withdrawn, body.answers]), [[1, 2, true, {}]]);
});

test('a cancelled draft is not promoted by a sender that looked before', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.draft(withAnswers(anId(1), 'a'));
  const [draft] = await world.outbox.inState('draft');
  assert.ok(draft);
  world.disk.room = 0;
  await world.outbox.withdraw(withAnswers(anId(1), 'a'));
  await world.outbox.mark(draft, { state: 'queued' });
  assert.equal(await world.outbox.count('cancelled'), 1);
});

test('a visitor who cannot cancel at all is told so', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.draft(withAnswers(anId(1), 'a'));
  world.store.write = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
  await assert.rejects(world.outbox.withdraw(withAnswers(anId(1), 'a')), { name: 'QuotaExceededError' });
});

test('a draft is not sent, and does not count as waiting', async () => {
  const world = await anEnrolledWorld();
  const saving = sittingIn(world.tab);
  saving.draft({ id: anId(1), answers: { a: ['yes'] }, complete: false, startedAt: 0 });
  await until(async () => (await world.outbox.count('draft')) === 1);
  await world.sync.run();
  assert.deepEqual([await world.waitingIds(), world.server.ids()], [[], []]);
});

test('a draft whose page is gone is sent as it is, once; one whose page lives is not', async () => {
  const world = await anEnrolledWorld();
  const other = new Tab(world);
  sittingIn(other).draft({ id: anId(1), answers: { a: ['yes'] }, complete: false, startedAt: 0 });
  sittingIn(world.tab).draft({ id: anId(2), answers: { b: ['yes'] }, complete: false, startedAt: 0 });
  await until(async () => (await world.outbox.count('draft')) === 2);
  other.kill();
  for (let round = 0; round < 2; round += 1) await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1)]);
  assert.deepEqual((await world.outbox.inState('draft')).map((record) => record.id), [anId(2)]);
});

test('while one draft is written the latest answers wait, and the ones between are not written', async () => {
  const world = await anEnrolledWorld();
  const saving = sittingIn(world.tab);
  for (let count = 1; count <= 20; count += 1) {
    saving.draft({ id: anId(1), answers: { n: [String(count)] }, complete: false, startedAt: 0 });
  }
  await until(async () => JSON.stringify(bodyOf((await world.records())[0])).includes('"20"'));
  assert.ok(((await world.records())[0]?.revision ?? 0) <= 3);
});

test('the same answers are not written twice, and no answer at all is not written', async () => {
  const world = await anEnrolledWorld();
  const saving = sittingIn(world.tab);
  saving.draft({ id: anId(1), answers: {}, complete: false, startedAt: 0 });
  for (let round = 0; round < 3; round += 1) {
    saving.draft({ id: anId(1), answers: { a: ['yes'] }, complete: false, startedAt: 0 });
    await until(async () => (await world.outbox.count('draft')) === 1);
  }
  await saving.finish({ id: anId(1), answers: { a: ['yes'] }, complete: true, startedAt: 0 });
  assert.deepEqual((await world.records()).map((record) => record.revision), [2]);
});

test('a questionnaire that discards what was begun writes nothing before the end', async () => {
  const world = await anEnrolledWorld();
  const saving = sittingIn(world.tab, false);
  saving.draft({ id: anId(1), answers: { a: ['yes'] }, complete: false, startedAt: 0 });
  await saving.finish({ id: anId(1), answers: { a: ['yes'] }, complete: true, startedAt: 0 });
  assert.deepEqual((await world.records()).map((record) => [record.revision, record.state]), [[1, 'queued']]);
});

test('a browser that is no tablet saves nothing and says so', async () => {
  const world = new World();
  await assert.rejects(world.outbox.finish(anInterview(anId(1)), DAY), /no identity/);
  assert.deepEqual(await world.records(), []);
});

test('a tablet enrolled anew during an interview keeps both chains whole', async () => {
  const world = await anEnrolledWorld();
  await world.outbox.draft(withAnswers(anId(1), 'a'));
  await world.store.write(['facts'], (transaction) => {
    transaction.objectStore('facts').put({ device: 'another' }, 'device');
    transaction.objectStore('facts').delete('head');
  });
  await world.outbox.finish(withAnswers(anId(1), 'a', 'b'), DAY);
  await world.outbox.finish(withAnswers(anId(2), 'c'), DAY);
  assert.deepEqual((await world.records()).map((record) => [record.id, record.device, record.seq, record.prev]), [
    [anId(1), DEVICE, 1, null],
    [anId(2), 'another', 1, null],
  ]);
});

test('the lock of an interview is let go at its end', async () => {
  const world = await anEnrolledWorld();
  const saving = sittingIn(world.tab);
  saving.draft({ id: anId(1), answers: { a: ['yes'] }, complete: false, startedAt: 0 });
  await saving.finish({ id: anId(1), answers: { a: ['yes'] }, complete: true, startedAt: 0 });
  await until(() => world.tab.locks.ifFree(interviewLock(anId(1)), async () => undefined));
});

function sittingIn(tab: Tab, keepPartial = true): InterviewSaving {
  return new InterviewSaving(tab.outbox, {
    locks: tab.locks,
    keepPartial,
    day: () => DAY,
    content: async ({ id, answers, complete }) => {
      const plain = anInterview(id, answers);
      return { ...plain, body: { ...plain.body, complete } };
    },
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('it never came about');
}
