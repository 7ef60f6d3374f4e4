// The database itself: new and old versions of it, connections that close, stores that are emptied, damaged or full.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { Outbox } from '../src/outbox.ts';
import { Store } from '../src/store.ts';
import type { Fault } from '../src/store.ts';
import { anId, DEVICE, World } from './fake_world.ts';

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** The database as the first version of the application made it, with one record that waits. */
async function versionOne(factory: globalThis.IDBFactory): Promise<void> {
  const request = factory.open('tablet', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('records', { keyPath: ['id', 'revision'] });
    request.result.createObjectStore('facts');
  };
  const database = await done(request);
  const transaction = database.transaction(['records', 'facts'], 'readwrite');
  const record = { id: anId(1), revision: 1, device: DEVICE, seq: 1, hash: 'a'.repeat(64), envelope: '{}', state: 'queued', attempts: 0, notBefore: 0, reason: null };
  transaction.objectStore('records').add(record);
  transaction.objectStore('facts').put({ seq: 1, hash: 'a'.repeat(64) }, 'head');
  transaction.objectStore('facts').put({ device: DEVICE }, 'device');
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  database.close();
}

test('the next step of the database finds what this one made, and a tablet that has it already opens', async () => {
  const factory = new IDBFactory() as unknown as globalThis.IDBFactory;
  await new Store(factory).setFact('a', 1);
  const later = { ...factory, open: (name: string, version: number) => factory.open(name, version + 1) };
  assert.equal(await new Store(later as unknown as globalThis.IDBFactory).fact('a'), 1);
});

test('the store tells whether its writes are strict, as its transactions got them', async () => {
  for (const durability of ['strict', 'relaxed'] as const) {
    const store = new Store(new IDBFactory() as unknown as globalThis.IDBFactory, durability);
    assert.equal(store.strict, null);
    await store.setFact('a', 1);
    assert.equal(store.strict, durability === 'strict');
  }
});

const namesOf = async (factory: globalThis.IDBFactory): Promise<string[]> => (await factory.databases()).map(({ name }) => name ?? '');

test('a database of the first version is taken over with its records and its chain', async () => {
  const world = new World();
  await versionOne(world.factory as unknown as globalThis.IDBFactory);
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
  const saved = await world.save(anId(2));
  assert.deepEqual([saved.seq, saved.prev], [2, 'a'.repeat(64)]);
  const again = await world.save(anId(1));
  assert.equal(again.envelope, '{}', 'a record without a kind is finished');
});

test('an older application that meets a newer database stops, and deletes nothing', async () => {
  const factory = new IDBFactory() as unknown as globalThis.IDBFactory;
  const request = factory.open('tablet', 99);
  request.onupgradeneeded = () => request.result.createObjectStore('records').put('kept', 'one');
  (await done(request)).close();
  const store = new Store(factory);
  await assert.rejects(store.setFact('x', 1), { name: 'VersionError' });
  assert.equal(store.fault, 'newer');
  const kept = await done(factory.open('tablet'));
  assert.equal(await done(kept.transaction('records').objectStore('records').get('one')), 'kept');
});

test('a newer version of the application gets the database at once, unless somebody is answering', async () => {
  for (const busy of [false, true]) {
    const factory = new IDBFactory() as unknown as globalThis.IDBFactory;
    const opening: IDBOpenDBRequest[] = [];
    const store = new Store({ open: (name: string, version: number) => (opening.push(factory.open(name, version)), opening.at(-1)) } as unknown as globalThis.IDBFactory);
    await store.setFact('x', 1);
    store.busy = busy;
    const newer = factory.open('tablet', 99);
    const blocked = new Promise<string>((resolve) => (newer.onblocked = () => resolve('blocked')));
    const opened = done(newer).then((database) => (database.close(), 'opened'));
    assert.equal(await Promise.race([blocked, opened]), busy ? 'blocked' : 'opened');
    if (busy) await store.setFact('still', 'writes');
    opening[0]?.result.close(); // the interview is over
    assert.equal(await opened, 'opened');
  }
});

/** A store whose connections fail with this name: so many of them, or all. */
function failing(name: string, times: number): { store: Store; faults: (Fault | null)[]; factory: globalThis.IDBFactory } {
  const factory = new IDBFactory() as unknown as globalThis.IDBFactory;
  const left = { times };
  const open = (...given: [string, number]): IDBOpenDBRequest => {
    const request = factory.open(...given);
    request.addEventListener('success', () => {
      const begin = request.result.transaction.bind(request.result);
      request.result.transaction = (names, mode, options) => {
        left.times -= 1;
        if (left.times >= 0) throw new DOMException('it happens', name);
        return begin(names, mode, options);
      };
    });
    return request;
  };
  const store = new Store({ open, deleteDatabase: factory.deleteDatabase.bind(factory) } as unknown as globalThis.IDBFactory);
  const faults: (Fault | null)[] = [];
  store.onfault = () => faults.push(store.fault);
  return { store, faults, factory };
}

test('a connection that the system closed is opened anew and the write repeated; nobody is alarmed', async () => {
  const { store, faults } = failing('InvalidStateError', 1);
  await store.setFact('x', 1);
  assert.equal(await store.fact('x'), 1);
  assert.deepEqual(faults, []);
});

const TWICE: Record<string, Fault> = { InvalidStateError: 'closed', UnknownError: 'damaged' };

for (const [name, fault] of Object.entries(TWICE)) {
  test(`${name} at the second try too gives the alarm «${fault}», and deletes nothing`, async () => {
    const { store, faults, factory } = failing(name, 2);
    await assert.rejects(store.setFact('x', 1), { name });
    assert.deepEqual(faults, [fault]);
    assert.deepEqual(await namesOf(factory), ['tablet']);
  });
}

test('a full disk gives the alarm at once: another try would not help', async () => {
  const { store, faults } = failing('DataError', 1);
  await assert.rejects(store.setFact('x', 1), { name: 'DataError' });
  assert.deepEqual(faults, ['full']);
});

/** A factory that notes what begins and what is done. */
function noting(factory: globalThis.IDBFactory): { noted: string[]; factory: globalThis.IDBFactory; opened: IDBDatabase[] } {
  const [noted, opened]: [string[], IDBDatabase[]] = [[], []];
  const open = (...given: [string, number]): IDBOpenDBRequest => {
    const request = factory.open(...given);
    request.addEventListener('success', () => {
      opened.push(request.result);
      const begin = request.result.transaction.bind(request.result);
      request.result.transaction = (names, mode, options) => (noted.push(mode ?? 'readonly'), begin(names, mode, options));
    });
    return request;
  };
  const deleteDatabase = (name: string): IDBOpenDBRequest => {
    const request = factory.deleteDatabase(name);
    request.addEventListener('success', () => noted.push('fresh log'));
    return request;
  };
  return { noted, opened, factory: { open, deleteDatabase } as unknown as globalThis.IDBFactory };
}

test('a page has a fresh log before its first write, and does not wait for it to read', async () => {
  const disk = new IDBFactory() as unknown as globalThis.IDBFactory;
  for (const _page of [1, 2]) {
    const { noted, factory } = noting(disk);
    const store = new Store(factory);
    await store.fact('x');
    await Promise.all([store.setFact('x', 1), store.setFact('y', 2)]);
    await store.setFact('z', 3);
    assert.deepEqual(noted, ['readonly', 'fresh log', 'readwrite', 'readwrite', 'readwrite']);
    assert.deepEqual(await namesOf(disk), ['tablet']);
  }
});

test('a page that has the word of the one before begins no log, until its connection ends badly', async () => {
  const { noted, opened, factory } = noting(new IDBFactory() as unknown as globalThis.IDBFactory);
  const store = new Store(factory);
  store.logIsWhole = true;
  await store.setFact('x', 1);
  opened[0]?.onclose?.(new Event('close'));
  assert.equal(store.logIsWhole, false, 'no word for the next page');
  await store.setFact('y', 2);
  assert.equal(store.logIsWhole, true);
  assert.deepEqual(noted, ['readwrite', 'fresh log', 'readwrite']);
});

test('where no log can be begun the write goes on, and the next one tries again', async () => {
  const { noted, factory } = noting(new IDBFactory() as unknown as globalThis.IDBFactory);
  const left = { failures: 1 };
  const failing = (name: string): IDBOpenDBRequest => {
    left.failures -= 1;
    if (left.failures >= 0) throw new DOMException('it happens', 'UnknownError');
    return factory.deleteDatabase(name);
  };
  const store = new Store({ open: factory.open, deleteDatabase: failing } as unknown as globalThis.IDBFactory);
  await store.setFact('x', 1);
  await store.setFact('y', 2);
  assert.deepEqual(noted, ['readwrite', 'fresh log', 'readwrite']);
  assert.equal(store.fault, null);
});

test('a log that is not begun in time holds up one write, and no longer than two seconds', async () => {
  const disk = new IDBFactory() as unknown as globalThis.IDBFactory;
  const never = (): IDBOpenDBRequest => ({}) as IDBOpenDBRequest;
  const store = new Store({ open: disk.open.bind(disk), deleteDatabase: never } as unknown as globalThis.IDBFactory);
  const start = performance.now();
  for (const key of ['x', 'y', 'z']) await store.setFact(key, 1);
  const waited = performance.now() - start;
  assert.ok(waited > 1_900 && waited < 3_900, `${waited} ms`);
  assert.equal(store.logIsWhole, false);
});

test('what a browser that died has left of a fresh log goes with the next one', async () => {
  const disk = new IDBFactory() as unknown as globalThis.IDBFactory;
  (await done(disk.open('fresh log of a page that died'))).close();
  await new Store(disk).setFact('x', 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await namesOf(disk), ['tablet']);
});

test('a database emptied under an open page is not quietly made anew', async () => {
  const factory = new IDBFactory() as unknown as globalThis.IDBFactory;
  const store = new Store(factory);
  await store.setFact('x', 1);
  await done(factory.deleteDatabase('tablet'));
  for (let round = 0; round < 2; round += 1) await assert.rejects(store.setFact('y', 2), { fault: 'cleared' });
  assert.equal(store.fault, 'cleared');
  const fresh = new Store(factory);
  assert.equal(await fresh.fact('x'), undefined, 'after a reload it is a new tablet');
});

test('a browser without a database is refused before anything is asked', async () => {
  const store = new Store({ open: () => { throw new DOMException('private mode', 'SecurityError'); } } as unknown as globalThis.IDBFactory);
  await assert.rejects(store.fact('device'), { name: 'SecurityError' });
});

test('the probe says whether a record could be written, and leaves nothing behind', async () => {
  const world = new World();
  assert.equal(await world.outbox.probe(), true);
  assert.deepEqual(await world.store.read('facts', (store) => store.getAllKeys()), []);
  const { store } = failing('DataError', 1);

  assert.equal(await new Outbox(store, world.tab.locks).probe(), false);
  assert.equal(store.fault, 'full');
  assert.equal(await new Outbox(store, world.tab.locks).probe(), true);
  assert.equal(store.fault, null);
});
