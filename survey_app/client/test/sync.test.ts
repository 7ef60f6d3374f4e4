import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rescueFile } from '../src/rescue_file.ts';
import { anId, DEVICE, json, receiptFor, World } from './fake_world.ts';
import type { Reply } from './fake_world.ts';

async function aWorldWith(...numbers: number[]): Promise<World> {
  const world = new World();
  for (const number of numbers) await world.save(anId(number));
  return world;
}

const html: Reply = () => new Response('<html>Bienvenue sur le réseau</html>', { status: 200, headers: { 'Content-Type': 'text/html' } });
const status = (code: number, headers: Record<string, string> = {}): Reply => () => json(code, { error: code }, headers);
const cutOff: Reply = () => Promise.reject(new TypeError('Failed to fetch'));

test('what waits is sent once, in order, signed, and leaves on its receipt', async () => {
  const world = await aWorldWith(1, 2, 3);
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1), anId(2), anId(3)]);
  assert.deepEqual(await world.waitingIds(), []);
  const [first] = world.server.requests;
  assert.equal(first?.path, `/api/v1/records/${anId(1)}`);
  assert.equal(first?.headers.get('X-Device'), DEVICE);
  assert.match(first?.headers.get('X-Signature') ?? '', /^[0-9a-f]{64}$/);
  assert.match(first?.headers.get('Content-Digest') ?? '', /^sha-256=:[A-Za-z0-9+/]{43}=:$/);
});

test('an answer that got lost after the server stored the record is asked for again: one row', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(async (path, init) => {
    await world.server.answer(path, init);
    throw new TypeError('Failed to fetch');
  });
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
  world.now += 60_000;
  await world.sync.run();
  assert.equal(world.server.rows.size, 1);
  assert.deepEqual(await world.waitingIds(), []);
});

const DOUBTS: Record<string, [Reply, string]> = {
  'a captive portal (200, HTML)': [html, 'network_login'],
  'network authentication required (511)': [status(511), 'network_login'],
  'a redirect': [() => Response.redirect('http://portal.example/', 302), 'network_login'],
  'a JSON 200 that is no receipt': [() => json(200, { ok: true }), 'network_login'],
  'an empty 200': [() => new Response('', { status: 200 }), 'network_login'],
  'no network': [cutOff, 'unreachable'],
  'an unknown device (401)': [status(401), 'unknown_device'],
  'a busy server (503)': [status(503), 'busy'],
};

for (const [name, [reply, contact]] of Object.entries(DOUBTS)) {
  test(`${name} means not sent: nothing is deleted, nothing else is tried, and the agent is told`, async () => {
    const world = await aWorldWith(1, 2);
    world.server.instead.push(reply);
    await world.sync.run();
    assert.deepEqual(await world.waitingIds(), [anId(1), anId(2)]);
    assert.equal(world.server.requests.length, 1);
    assert.equal(await world.store.fact('contact'), contact);
    world.now += 11 * 60_000;
    await world.sync.run();
    assert.deepEqual(await world.waitingIds(), []);
  });
}

for (const code of [400, 413]) {
  test(`a record refused with ${code} goes into quarantine, is kept, and the others flow`, async () => {
    const world = await aWorldWith(1, 2);
    world.server.instead.push(status(code));
    await world.sync.run();
    const [record, ...others] = await world.outbox.waiting();
    assert.equal(others.length, 0);
    assert.deepEqual([record?.id, record?.state, record?.reason], [anId(1), 'quarantined', String(code)]);
    assert.deepEqual(world.server.ids(), [anId(2)]);
    world.now += 365 * 86_400_000;
    await world.sync.run();
    assert.deepEqual(await world.waitingIds(), [anId(1)]);
  });
}

test('a record over which the server stumbles waits alone', async () => {
  const world = await aWorldWith(1, 2, 3);
  world.server.instead.push(status(500));
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
  await world.sync.run();
  assert.equal(world.server.requests.length, 3, 'too early: not tried again');
  world.now += 60_000;
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

const HOLDS_UP: Record<string, Reply> = { 'a line that is cut': cutOff, 'a busy server (503)': status(503), 'a success that is no receipt': html };

for (const [name, reply] of Object.entries(HOLDS_UP)) {
  test(`one record that always meets ${name} waits alone, ever longer, while the server answers`, async () => {
    const world = await aWorldWith(1, 2, 3, 4);
    let tries = 0;
    world.server.before = (path) => (path.endsWith(anId(1)) ? ((tries += 1), reply) : null);
    for (let minute = 0; minute < 90; minute += 1) {
      await world.sync.run();
      await world.sync.heartbeat();
      world.now += 60_000;
    }
    assert.deepEqual(world.server.ids(), [anId(2), anId(3), anId(4)]);
    const [held] = await world.outbox.waiting();
    assert.deepEqual([held?.id, held?.state, held?.reason], [anId(1), 'queued', 'held_up']);
    assert.ok((held?.heldUp ?? 0) >= 5 && tries < 30, `${tries} tries in ninety minutes`);
    await world.save(anId(5));
    await world.sync.run();
    assert.ok(world.server.ids().includes(anId(5)), 'the next person’s is not held up either');
    world.server.before = () => null;
    world.now += 11 * 60_000;
    await world.sync.run();
    assert.deepEqual(await world.waitingIds(), []);
  });
}

test('an outage blames no record: when it is over, all are sent at once', async () => {
  const world = await aWorldWith(1, 2, 3);
  await world.sync.heartbeat();
  world.server.before = () => cutOff;
  for (let round = 0; round < 20; round += 1) {
    await world.sync.run();
    await world.sync.heartbeat();
    world.now += (await world.sync.nextTry()) ?? 0;
  }
  assert.ok(((await world.sync.nextTry()) ?? 0) < 10_000);
  const pause = Number(await world.store.fact('host_not_before')) - world.now;
  await world.sync.run();
  const grown = Number(await world.store.fact('host_not_before')) - world.now;
  assert.ok(grown > 60_000, `the pauses of the host grow over all records: ${pause}, then ${grown} ms`);
  world.server.before = () => null;
  await world.sync.heartbeat();
  world.now += 2_000;
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('a conflict with its receipt takes the record away: the server keeps both contents', async () => {
  const world = await aWorldWith(1);
  await world.server.answer('/api/v1/records', { body: (await world.outbox.waiting())[0]?.envelope.replace('usagers-2026', 'usagers-2027') ?? '' });
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('Retry-After is honoured, and half as long again at most', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(status(503, { 'Retry-After': '300' }));
  await world.sync.run();
  assert.equal(await world.sync.nextTry(), 375_000, 'a quarter more, for this one');
  world.now += 374_000;
  await world.sync.run();
  assert.equal(world.server.requests.length, 1);
  assert.equal(await world.sync.nextTry(), 1_000);
  world.now += 1_000;
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('a network that comes and goes does not end the pause that a busy server asked for; the agent’s button does', async () => {
  const world = await aWorldWith(1);
  world.server.before = () => status(503, { 'Retry-After': '600' });
  for (let second = 0; second < 5; second += 1) {
    await world.sync.run();
    world.now += 1_000;
    assert.equal(await world.sync.backOnline(), 750_000 - 1_000 * (second + 1));
  }
  await world.sync.run();
  assert.equal(world.server.requests.length, 1);
  await world.sync.hurry();
  await world.sync.run();
  assert.equal(world.server.requests.length, 2);
});

test('tablets whose network is back do not send in the same instant', async () => {
  const world = await aWorldWith(1);
  world.server.before = () => cutOff;
  for (let round = 0; round < 8; round += 1) {
    await world.sync.run();
    world.now += (await world.sync.nextTry()) ?? 0;
  }
  await world.sync.run();
  world.server.before = () => null;
  assert.ok(((await world.sync.nextTry()) ?? 0) > 60_000);
  assert.equal(await world.sync.backOnline(), 2_500, 'half of five seconds, for this one');
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
  world.now += 2_500;
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('pauses grow and never exceed ten minutes', async () => {
  const world = await aWorldWith(1);
  const pauses: number[] = [];
  for (let round = 0; round < 14; round += 1) {
    world.server.instead.push(status(500));
    await world.sync.run();
    pauses.push((await world.sync.nextTry()) ?? 0);
    world.now += pauses.at(-1) ?? 0;
  }
  assert.deepEqual(pauses.slice(0, 3), [1_500, 3_000, 6_000]);
  assert.equal(Math.max(...pauses), 450_000);
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
});

test('a clock set back by ten years does not hold anything up', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(status(503, { 'Retry-After': '300' }));
  await world.sync.run();
  world.now -= 10 * 365 * 86_400_000;
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('a browser killed while sending sends again', async () => {
  const world = await aWorldWith(1);
  const [record] = await world.outbox.waiting();
  assert.ok(record);
  await world.outbox.mark(record, { state: 'sending' });
  world.restart();
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(1)]);
  assert.deepEqual(await world.waitingIds(), []);
});

test('a receipt for another record, answered to this one, takes nothing away', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(async () => json(200, await receiptFor(anId(7), 1, '1'.repeat(64))));
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), [anId(1)]);
});

test('records of an identity that the server has forgotten wait, and those of the present one flow', async () => {
  const world = new World();
  const former = '99999999-2222-4333-8444-555555555555';
  await world.enrol(former);
  await world.save(anId(1));
  await world.save(anId(2));
  await world.enrol();
  await world.save(anId(3));
  await world.save(anId(4));
  world.server.forgotten.add(former);
  await world.sync.run();
  assert.deepEqual(world.server.ids(), [anId(3), anId(4)]);
  assert.equal(world.server.requests.length, 3, 'one try for the forgotten identity is enough');
  assert.equal(await world.store.fact('contact'), 'reached');
  const left = await world.outbox.waiting();
  assert.deepEqual(left.map((record) => [record.id, record.state, record.reason]), [
    [anId(1), 'queued', 'unknown_device'],
    [anId(2), 'queued', 'unknown_device'],
  ]);
  await world.sync.run();
  assert.equal(world.server.requests.length, 3, 'too early: not tried again');
  world.server.forgotten.clear();
  world.now += 11 * 60_000;
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('the heartbeat tells how much waits and learns the difference between the clocks', async () => {
  const world = await aWorldWith(1);
  world.now += 5_000;
  await world.sync.heartbeat();
  assert.equal(await world.store.fact('clock_offset_ms'), -5_000);
  assert.equal(await world.store.fact('contact'), 'reached');
});

test('contact that is back ends a long pause, but not the one that a busy server asked for', async () => {
  for (const [reply, left] of [[() => Promise.reject(new TypeError('Failed to fetch')), 2_000], [() => json(503, {}, { 'Retry-After': '300' }), 375_000]] as const) {
    const world = new World();
    await world.save(anId(1));
    for (let attempt = 0; attempt < 8; attempt += 1) {
      world.server.instead.push(reply);
      world.now += 11 * 60_000;
      await world.sync.run();
    }
    await world.sync.heartbeat();
    const pause = await world.sync.nextTry();
    assert.ok(pause !== null && pause <= left && (left === 2_000 || pause > 60_000), `${pause} ms`);
  }
});

test('a tablet learns from the heartbeat that it is revoked, and still sends what it holds', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(() => json(200, { now: '2026-06-15T08:00:00Z', epoch: 'e', revoked: true }));
  await world.sync.heartbeat();
  assert.equal(await world.store.fact('revoked'), DEVICE);
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
});

test('a heartbeat answered by a portal is not a contact', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(html);
  await world.sync.heartbeat();
  assert.equal(await world.store.fact('contact'), 'network_login');
  assert.equal(await world.store.fact('last_contact'), undefined);
});

test('a tablet that the server has lost gets its receipts, and goes on saying that it is unknown until a heartbeat is answered', async () => {
  const world = await aWorldWith(1);
  world.server.instead.push(() => json(401, { unknown: true }));
  await world.sync.heartbeat();
  await world.sync.run();
  assert.deepEqual(await world.waitingIds(), []);
  assert.equal(await world.store.fact('contact'), 'unknown_device');
  await world.sync.heartbeat();
  assert.equal(await world.store.fact('contact'), 'reached');
});

test('the rescue file holds each record as it would be sent, with the signature of that call', async () => {
  const world = await aWorldWith(1, 2);
  const [first] = await world.outbox.waiting();
  assert.ok(first);
  const file = JSON.parse(await rescueFile(await world.outbox.waiting(), { of: async (device) => ({ device, secret: await world.secret }) })) as { records: string[]; signatures: string[] };
  assert.equal(file.records[0], first.envelope);
  await world.sync.run();
  const sent = world.server.requests.filter(({ path }) => path.includes('/records/')).map(({ headers }) => headers.get('X-Signature'));
  assert.deepEqual(file.signatures, sent);
  const lost = JSON.parse(await rescueFile([first], { of: () => Promise.resolve(null) })) as { records: string[]; signatures: string[] };
  assert.deepEqual([lost.records.length, lost.signatures], [1, ['']], 'without its secret it is brought all the same');
});
