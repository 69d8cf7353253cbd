/**
 * Walking a log. Method: logs of entries of any size in a real table; every range, both directions
 * and any size of read give exactly the numbers of the range.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import {
  eventBytes,
  eventText,
  loadEvent,
  newestLines,
  walkLog,
  type LogRange,
} from '#shared/threads/log.ts';
import { Context, type ContextCache } from '#shared/turn/context.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { halfSeen } from '../../half-seen.ts';
import {
  aCall,
  append,
  aReply,
  headOf,
  putSession,
  testPorts,
  type TestPorts,
} from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;

beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
});
afterAll(async () => await started.stop());

async function walked(thread_id: string, range: LogRange): Promise<number[]> {
  const seqs: number[] = [];
  for await (const lines of walkLog(started.table, thread_id, range)) {
    seqs.push(...lines.map(({ seq }) => seq));
  }
  return seqs;
}

async function aLog(sizes: readonly number[]): Promise<string> {
  const { thread_id } = await putSession(ports, aCall());
  for (const size of sizes) {
    await append(
      ports,
      thread_id,
      Array.from({ length: size }, () => aReply('x')),
    );
  }
  return thread_id;
}

test('the newest events are read by one key where one append holds them, also a part of it', async () => {
  const thread_id = await aLog([2, 3]);
  const newest = async (after: number) =>
    (await newestLines(started.table, thread_id, { after, through: 5 }))?.map(({ seq }) => seq);
  expect([await newest(2), await newest(4), await newest(1)]).toEqual([[3, 4, 5], [5], undefined]);
  // Not the end of an append.
  expect(await newestLines(started.table, thread_id, { after: 2, through: 4 })).toBeUndefined();
});

test('an entry holds what is small as it is, and one of before as a text within its text', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  const [small, large] = [aReply('"quoted"'), aReply('x'.repeat(limits.inline_bytes_max))];
  await append(ports, thread_id, [small, large]);
  const old = { ...aReply('old'), processed_at: '2026-11-20T10:00:00.000Z' };
  const line = { id: old.id, type: old.type, processed_at: old.processed_at };
  const pk = `THREAD#${thread_id}`;
  const entry = {
    pk,
    sk: 'E#000000000003',
    first_seq: 3,
    lines: [{ ...line, event: { json: JSON.stringify(old) } }],
  };
  await started.table.transact([{ put: entry }]);
  const key = { pk, sk: 'E#000000000002' };
  expect((await started.table.get(key))?.['lines']).toMatchObject([
    { value: small },
    { id: large.id, event: { blob: `sessions/${session_id}/events/${large.id}.json` } },
  ]);
  const events = [];
  for await (const lines of walkLog(started.table, thread_id)) {
    for (const one of lines) {
      const event = await loadEvent(ports.blobs, one);
      expect(await eventText(ports.blobs, one)).toBe(JSON.stringify(event));
      expect(eventBytes(one)).toBe(Buffer.byteLength(JSON.stringify(event)));
      expect(one).toMatchObject({ id: event.id, type: event.type });
      events.push(event);
    }
  }
  expect(events).toMatchObject([small, large, old]);
});

test('events that are small each and too much together for one transaction are all kept', async () => {
  const { thread_id } = await putSession(ports, aCall());
  const said = Array.from({ length: 150 }, (_, n) => aReply(`${n} ${'x'.repeat(60_000)}`));
  await append(ports, thread_id, said);
  const kept: string[] = [];
  for await (const lines of walkLog(started.table, thread_id)) {
    kept.push(...(await Promise.all(lines.map((line) => eventText(ports.blobs, line)))));
  }
  expect(kept.map((text) => JSON.parse(text) as unknown)).toMatchObject(said);
});

test('an append that is not wholly seen yet is waited for where its head says that it is there', async () => {
  const thread_id = await aLog([2, 1, 3]);
  const table = halfSeen(started.table);
  const hideMiddle = (reads: number) =>
    table.hide({ pk: `THREAD#${thread_id}`, sk: 'E#000000000003' }, reads);
  const read = async (range: LogRange) => {
    const seqs: number[] = [];
    for await (const lines of walkLog(table, thread_id, range)) {
      seqs.push(...lines.map(({ seq }) => seq));
    }
    return seqs;
  };
  hideMiddle(2);
  expect(await read({ through: 6 })).toEqual([1, 2, 3, 4, 5, 6]);
  hideMiddle(1);
  expect(await read({})).toEqual([1, 2]);
  // A model that is asked without a part of its conversation would answer something else.
  const head = await headOf(ports, thread_id);
  const context = Context.of(new Map(), head);
  hideMiddle(limits.unseen_attempts_max);
  await expect(context.sync({ table, blobs: ports.blobs }, head)).rejects.toMatchObject({
    kind: 'busy',
  });
  await context.sync({ table, blobs: ports.blobs }, head);
  const cache: ContextCache = new Map();
  context.keep(cache);
  expect(cache.get(thread_id)?.seq).toBe(6);
});

test('any range in any direction and size of read gives its numbers, each once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        after: fc.nat(45),
        through: fc.option(fc.nat(45), { nil: undefined }),
        reverse: fc.boolean(),
        entries: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      }),
      async ({ sizes, after, through: wanted, reverse, entries }) => {
        const thread_id = await aLog(sizes);
        const last = sizes.reduce((a, b) => a + b, 0);
        // What a head does not count is waited for.
        const through = wanted === undefined ? undefined : Math.min(wanted, last);
        const expected = Array.from({ length: last }, (_, index) => index + 1).filter(
          (seq) => seq > after && seq <= (through ?? last),
        );
        const range = {
          after,
          reverse,
          ...(through === undefined ? {} : { through }),
          ...(entries === undefined ? {} : { entries }),
        };
        expect(await walked(thread_id, range)).toEqual(reverse ? expected.toReversed() : expected);
      },
    ),
    { numRuns: 30 },
  );
});

test('it ends before a gap, because the rows of one append need not become visible together', async () => {
  const thread_id = await aLog([1, 1, 1, 1]);
  await started.table.deleteMany([{ pk: `THREAD#${thread_id}`, sk: 'E#000000000003' }]);
  expect(await walked(thread_id, {})).toEqual([1, 2]);
  expect(await walked(thread_id, { entries: 1 })).toEqual([1, 2]);
  expect(await walked(thread_id, { after: 2 })).toEqual([]);
});
