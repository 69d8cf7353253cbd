import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { systemClock } from '#shared/core/clock.ts';
import type { Table } from '#shared/core/table.ts';
import { threadKey } from '#shared/threads/thread.ts';
import type { Observation } from '#shared/turn/turn-ports.ts';
import { leaseToTake } from '#shared/turn/lease.ts';
import { FurtherRefused, LeaseLost, LeaseNotTaken, Writer } from '#shared/turn/writer.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';
import { aThread, THREAD_ID } from '../../samples.ts';

let started: StartedTable;

beforeAll(async () => {
  started = await startTable();
});

afterAll(async () => {
  await started.stop();
});

test('a turn that ends beside another writer is counted once', async () => {
  const { table } = started;
  const head = aThread({ status: 'running', run: 1 });
  await table.transact([{ put: head }]);
  // A client's message came in between: the first try of the append is refused.
  await table.update({
    update: threadKey(THREAD_ID),
    expression: 'ADD #version :one',
    names: { '#version': 'version' },
    values: { ':one': 1 },
  });
  const observed: Observation[] = [];
  const ports = { table, blobs: new MemoryBlobs(), clock: systemClock };
  const writer = new Writer(
    { ...ports, observe: (observation) => void observed.push(observation) },
    head,
  );
  let tries = 0;
  await writer.append(() => {
    tries += 1;
    const event = { id: newId('event'), type: 'session.status_running' as const };
    return { lines: [{ event }], settled: 'end_turn' };
  });
  expect(tries).toBe(2);
  expect(observed).toEqual([{ type: 'settled', reason: 'end_turn' }]);
});

/** A table that takes each transaction twice, as an engine does that has forgotten its client's token. */
function forgetful(table: Table): Table {
  return {
    get: table.get.bind(table),
    getMany: table.getMany.bind(table),
    query: table.query.bind(table),
    update: table.update.bind(table),
    deleteMany: table.deleteMany.bind(table),
    transact: async (writes) => {
      await table.transact(writes);
      await table.transact(writes);
    },
  };
}

test('an append that was written, and whose reply was lost, is not made again', async () => {
  const { table } = started;
  const head = aThread({ status: 'running', run: 1, seq: 3_000 });
  await table.transact([{ put: head }]);
  const ports = { blobs: new MemoryBlobs(), clock: systemClock, observe: () => undefined };
  const writer = new Writer({ ...ports, table: forgetful(table) }, head);
  const said = await writer.append(() => ({
    lines: [{ event: { id: newId('event'), type: 'session.status_running' } }],
    patch: { rounds: 1 },
  }));
  expect(said.map(({ seq }) => seq)).toEqual([3_001]);
  expect(writer.head).toMatchObject({ seq: 3_001, rounds: 1 });
  expect(await table.get(threadKey(THREAD_ID))).toMatchObject({ seq: 3_001 });
});

test('a further row that is not as demanded is refused; not one that this append has written', async () => {
  const { table } = started;
  const head = aThread({ status: 'running', run: 1, seq: 4_000 });
  await table.transact([{ put: head }]);
  const ports = { blobs: new MemoryBlobs(), clock: systemClock, observe: () => undefined };
  const once = { put: { pk: 'FURTHER', sk: 'ROW' }, condition: 'attribute_not_exists(pk)' };
  const say = async (writer: Writer) =>
    await writer.append(() => ({
      lines: [{ event: { id: newId('event'), type: 'session.status_running' } }],
      writes: [once],
    }));
  const first = new Writer({ ...ports, table: forgetful(table) }, head);
  expect((await say(first)).map(({ seq }) => seq)).toEqual([4_001]);
  // Its head is as it was read: only the row is in the way.
  await expect(say(new Writer({ ...ports, table }, first.head))).rejects.toThrow(FurtherRefused);
  // Both are in the way.
  await expect(say(new Writer({ ...ports, table }, head))).rejects.toThrow(FurtherRefused);
  // Who has lost the lease is told that.
  await table.update({
    update: threadKey(THREAD_ID),
    expression: 'ADD lease_fence :one',
    values: { ':one': 1 },
  });
  await expect(say(new Writer({ ...ports, table }, head))).rejects.toMatchObject({
    name: 'LeaseLost',
  });
  expect(await table.get(threadKey(THREAD_ID))).toMatchObject({ seq: 4_001 });
});

const waiting = { n: 1, id: 'sevt_00000000000000000000000001', type: 'user.message' } as const;
const claim = { thread_id: THREAD_ID, run: 1, execution: 'sesn-1' };

const asked = {
  thread_id: 'sthr_00000000000000000000000002',
  parent_thread_id: THREAD_ID,
  queue: [],
  phase: 'model',
} as const;

test.each([
  ['a run that nobody has begun', {}, true],
  ['another run', { run: 2 }, false],
  ['a run that somebody has begun', { lease_holder: 'sesn-1' }, false],
  ['a run in the middle of a request', { phase: 'model' }, false],
  ['a run that has nothing to take in', { queue: [] }, false],
  ['a thread at rest', { status: 'idle' }, false],
  ['a child that has its task', asked, true],
  ['a child that was told more', { ...asked, context_tokens: 900 }, true],
  ['a child whose request a death has left open', { ...asked, open_span: 'sevt_1' }, false],
] as const)('of %s the lease may be taken with the first append: %#', (_, patch, may) => {
  const head = aThread({ status: 'running', run: 1, queue: [waiting], ...patch });
  const taken = leaseToTake(head, systemClock, claim);
  expect(taken?.lease_fence).toBe(may ? head.lease_fence + 1 : undefined);
});

test('the first append takes the lease; whoever comes second has written nothing', async () => {
  const { table } = started;
  // Its log is that of the other test: far behind it.
  const head = aThread({ status: 'running', run: 1, queue: [waiting], seq: 1_000 });
  await table.transact([{ put: head }]);
  const ports = { table, blobs: new MemoryBlobs(), clock: systemClock, observe: () => undefined };
  const open = (): Writer =>
    new Writer(ports, leaseToTake(head, systemClock, claim) ?? head, false);
  const say = (writer: Writer) =>
    writer.append(() => ({
      lines: [{ event: { id: newId('event'), type: 'session.status_running' } }],
    }));
  const [first, second] = [open(), open()];
  await say(first);
  expect(await table.get(threadKey(THREAD_ID))).toMatchObject({
    seq: head.seq + 1,
    lease_fence: head.lease_fence + 1,
    lease_holder: 'sesn-1',
  });
  await expect(say(second)).rejects.toThrow(LeaseNotTaken);
  await say(first);
  // Held, it is lost as every other is: to who has a later fence.
  await table.update({
    update: threadKey(THREAD_ID),
    expression: 'ADD lease_fence :one, #version :one',
    names: { '#version': 'version' },
    values: { ':one': 1 },
  });
  await expect(say(first)).rejects.toThrow(LeaseLost);
});

test('a look at the thread before the lease is written takes it for nobody else’s', async () => {
  const { table } = started;
  const head = aThread({ status: 'running', run: 1, queue: [waiting], seq: 2_000 });
  await table.transact([{ put: head }]);
  const ports = { table, blobs: new MemoryBlobs(), clock: systemClock, observe: () => undefined };
  const mine = leaseToTake(head, systemClock, claim) ?? head;
  const writer = new Writer(ports, mine, false);
  expect(await writer.refresh()).toEqual(mine);
  // Another has taken it first, and holds a fence of the same number.
  const theirs = { ...mine, version: mine.version + 1, open_span: 'sevt_1' };
  await table.transact([{ put: theirs }]);
  expect(await writer.refresh()).toEqual(mine);
  await table.transact([{ put: head }]);
  await writer.append(() => ({ lines: [], patch: { queue: [] } }));
  expect(await writer.refresh()).toMatchObject({ lease_fence: mine.lease_fence, queue: [] });
});
