// Random schedules of two tabs, crashes, frozen tabs, full disks, lost answers, portals, refusals, backups and restores,
// revoked tablets that are emptied, new enrolments and new keys.
// SCHEDULES=… runs more of them; a failure prints its seed and the shortest schedule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Tab } from './fake_world.ts';
import { AROUND, IN_A_TAB, inTab, Life, TABS } from './model.ts';
import type { Event } from './model.ts';

const RUNS = Number(process.env['SCHEDULES'] ?? 400);
console.error = () => undefined; // what the sender and the drafts say of the faults made here

const anEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom(...IN_A_TAB), tab: fc.constantFrom(...TABS), turns: fc.option(fc.nat(40), { freq: 2, nil: null }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom(...AROUND) }) },
);

async function holdsFor(events: readonly Event[], breakIt?: (tab: Tab) => void): Promise<void> {
  const life = new Life(breakIt);
  await life.live(events);
  await life.drainBesideFrozenTabs();
  await life.closeEverything();
  await life.assertAll();
  await life.assertGivenUpAfterBackup();
}

test(`whatever happens, what a visitor was told is true, each number arrives, and nothing arrives twice (${RUNS} schedules)`, async () => {
  const schedule = fc.array(anEvent, { minLength: 1, maxLength: 30 });
  await fc.assert(fc.asyncProperty(schedule, (events) => holdsFor(events)), { numRuns: RUNS });
});

test('a tab that is killed while its visitor waits for « Merci » holds up nothing', async () => {
  for (const turns of [0, 1, 3, 8]) await holdsFor([inTab('answer', 1), inTab('answer', 0, turns), inTab('finish', 1, 2), inTab('kill', 1)]);
});

interface Control {
  readonly without: string;
  readonly breakIt: (tab: Tab) => void;
  readonly schedule: readonly Event[];
  readonly says?: RegExp;
}

const deleteRecord = (tab: Tab, id: string, revision: number): Promise<void> =>
  tab.store.write(['records'], (transaction) => void transaction.objectStore('records').delete([id, revision]));

const CONTROLS: readonly Control[] = [
  {
    without: 'copies that stay on a revoked tablet until a backup holds them',
    breakIt: (tab) => {
      const wipe = tab.outbox.retention.wipe.bind(tab.outbox.retention);
      tab.outbox.retention.wipe = async () => {
        if ((await tab.store.fact('revoked')) && (await tab.outbox.waiting()).length === 0) await tab.outbox.retention.giveUpOldest(100);
        return wipe();
      };
    },
    schedule: [{ what: 'backup' }, inTab('answer'), inTab('finish'), { what: 'revoke' }, inTab('send'), { what: 'restore' }, { what: 'new key' }, { what: 'enrol anew' }, inTab('answer'), inTab('finish')],
  },
  {
    without: 'a link that no later draft changes',
    breakIt: (tab) => {
      const draft = tab.outbox.draft.bind(tab.outbox);
      tab.outbox.draft = async (content) => {
        await draft(content);
        const last = (await tab.outbox.inState('draft')).find(({ id }) => id === content.id);
        if (last?.seq === (await tab.outbox.head()).seq) await tab.store.setFact('head', { ...(await tab.outbox.head()), link: last.hash });
      };
    },
    schedule: [inTab('answer'), inTab('answer', 1), inTab('answer'), inTab('finish'), inTab('finish', 1)],
    says: /it follows no record of this tablet/,
  },
  {
    without: 'copies kept after the receipt',
    breakIt: (tab) => {
      const acknowledge = tab.outbox.retention.acknowledge.bind(tab.outbox.retention);
      tab.outbox.retention.acknowledge = async (record, answer, secret) => {
        const is = await acknowledge(record, answer, secret);
        if (is) await deleteRecord(tab, record.id, record.revision);
        return is;
      };
    },
    schedule: [{ what: 'backup' }, inTab('answer'), inTab('finish'), inTab('send'), { what: 'restore' }],
  },
  {
    without: 'a look at the watermark',
    breakIt: (tab) => {
      const follow = tab.outbox.retention.follow.bind(tab.outbox.retention);
      tab.outbox.retention.follow = (word, device, asked) => follow({ ...word, watermark: '2999-01-01T00:00:00Z' }, device, asked);
    },
    schedule: [{ what: 'backup' }, inTab('answer'), inTab('finish'), inTab('send'), { what: 'restore' }],
  },
  {
    without: 'a look at the epoch, and at the numbers that the server lacks',
    breakIt: (tab) => {
      const follow = tab.outbox.retention.follow.bind(tab.outbox.retention);
      tab.outbox.retention.follow = (word, device, asked) => follow({ ...word, epoch: 'epoch 1', missing: [] }, device, asked);
    },
    schedule: [{ what: 'backup' }, inTab('answer'), inTab('finish'), inTab('send'), { what: 'restore' }],
  },
  {
    without: 'a look at the numbers that the server lacks',
    breakIt: (tab) => {
      const follow = tab.outbox.retention.follow.bind(tab.outbox.retention);
      tab.outbox.retention.follow = (word, device, asked) => follow({ ...word, missing: [] }, device, asked);
    },
    schedule: [inTab('answer'), inTab('finish'), inTab('send'), { what: 'loses a row' }],
  },
  {
    without: 'promotion of what a crash left',
    breakIt: (tab) => void (tab.outbox.promote = async () => undefined),
    schedule: [inTab('answer'), inTab('kill')],
    says: /drafted, and nowhere/,
  },
  {
    without: 'the lock of a living interview',
    breakIt: (tab) => void (tab.locks.ifFree = (_name, work) => work().then(() => true)),
    schedule: [inTab('answer'), inTab('send', 1)],
    says: /sent while its visitor was answering/,
  },
  {
    without: 'a lease that ends, beside a frozen sender',
    breakIt: (tab) => {
      const { ifFree } = tab.locks;
      tab.locks.ifFree = async (name, work) => (await ifFree(name, work)) || name === 'outbox sender';
    },
    schedule: [inTab('answer'), inTab('finish'), inTab('freeze', 1, 0), inTab('thaw', 1), inTab('send', 1, 0), inTab('freeze', 1, 0)],
  },
  {
    without: 'care for what has no receipt when room is made',
    breakIt: (tab) =>
      void (tab.outbox.retention.giveUpOldest = async () => {
        const [oldest] = await tab.outbox.waiting();
        if (oldest) await deleteRecord(tab, oldest.id, oldest.revision);
        return oldest ? 1 : 0;
      }),
    schedule: [inTab('answer'), inTab('finish'), inTab('answer'), inTab('finish'), { what: 'disk full' }, inTab('answer'), inTab('finish')],
  },
  {
    without: 'patience: a record over which the server or a gateway stumbled is deleted',
    breakIt: (tab) => {
      const mark = tab.outbox.mark.bind(tab.outbox);
      tab.outbox.mark = (record, change) => (/^5/.test(change.reason ?? '') ? deleteRecord(tab, record.id, record.revision) : mark(record, change));
    },
    schedule: [inTab('answer'), inTab('finish'), { what: 'error' }, inTab('send')],
  },
  {
    without: 'quarantine: a refused record is deleted',
    breakIt: (tab) => {
      const mark = tab.outbox.mark.bind(tab.outbox);
      tab.outbox.mark = (record, change) => (change.state === 'quarantined' ? deleteRecord(tab, record.id, record.revision) : mark(record, change));
    },
    schedule: [inTab('answer'), inTab('finish'), { what: 'refused' }, inTab('send')],
  },
  {
    without: 'a record in the place of one taken back',
    breakIt: (tab) =>
      void (tab.outbox.withdraw = async ({ id }) => {
        for (const draft of await tab.outbox.inState('draft')) if (draft.id === id) await deleteRecord(tab, id, draft.revision);
      }),
    schedule: [inTab('answer'), inTab('cancel'), inTab('answer'), inTab('finish')],
  },
];

for (const { without, breakIt, schedule, says } of CONTROLS) {
  test(`control: without ${without}, the same schedule fails`, async () => {
    await holdsFor(schedule);
    await assert.rejects(holdsFor(schedule, breakIt), says ?? /the visitor was told, and the server has nothing/);
  });
}
