/**
 * The list of a thread's events. Method: a real table with a log of entries of several sizes and a
 * queue behind it; whatever the page size, order and filter, the pages put together are the list.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { SessionEvent } from '#shared/events/event.ts';
import { loadQueued } from '#shared/events/inbox.ts';
import { EventListQuery, listEvents } from '#shared/events/list-events.ts';
import { sendEvents } from '#shared/events/send.ts';
import { callKey } from '#shared/sessions/session.ts';
import { inboxKey } from '#shared/threads/thread.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { halfSeen } from '../../half-seen.ts';
import {
  aCall,
  aMessage,
  append,
  aReply,
  headOf,
  putSession,
  queue,
  takeOne,
  testPorts,
  type TestPorts,
} from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;
const call = aCall();

beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
});
afterAll(async () => await started.stop());

async function list(thread_id: string, query: Record<string, string | string[]> = {}) {
  const head = await headOf(ports, thread_id);
  return await listEvents(ports, head, parseQuery(EventListQuery, query));
}

/** How many entries the table hands over for one page. */
async function entriesOf(
  thread_id: string,
  query: Record<string, string | string[]>,
): Promise<number> {
  let entries = 0;
  const read = ports.table.query.bind(ports.table);
  const table = new Proxy(ports.table, {
    get: (target, name, self) =>
      name === 'query'
        ? async (...args: Parameters<typeof read>) => {
            const page = await read(...args);
            entries += page.rows.length;
            return page;
          }
        : (Reflect.get(target, name, self) as unknown),
  });
  const head = await headOf(ports, thread_id);
  await listEvents({ ...ports, table }, head, parseQuery(EventListQuery, query));
  return entries;
}

async function all(thread_id: string, query: Record<string, string | string[]>) {
  const events: SessionEvent[] = [];
  let page: string | null = null;
  for (let pages = 0; pages < 200; pages++) {
    const read = await list(thread_id, page === null ? query : { ...query, page });
    expect(read.data.length).toBeLessThanOrEqual(Number(query['limit'] ?? 1_000));
    events.push(...read.data);
    page = read.next_page;
    if (page === null) return events;
  }
  throw new Error('the list has no end');
}

/** A log of entries with 1 to 3 events, one second apart, and some that wait. */
async function aLog(sizes: readonly number[], waiting: number) {
  const { thread_id } = await putSession(ports, call);
  const ids: string[] = [];
  const times: string[] = [];
  for (const size of sizes) {
    ports.clock.ms += 1_000;
    const events = Array.from({ length: size }, (_, index) =>
      index === 0 ? aMessage(`${ids.length}`) : aReply(`${ids.length}`),
    );
    ids.push(...(await append(ports, thread_id, events)));
    times.push(...events.map(() => ports.clock.now().toISOString()));
  }
  const messages = Array.from({ length: waiting }, (_, index) => aMessage(`waits ${index}`));
  const queued = waiting === 0 ? [] : await queue(ports, thread_id, messages);
  return { thread_id, ids, queued, times };
}

test('what a client has sent is waited for where only the head is seen yet, and not where TTL took it', async () => {
  const { thread_id } = await putSession(ports, call);
  const old = newId('event', ports.clock.ms - 91 * 24 * 3_600_000);
  const ids = await queue(ports, thread_id, [aMessage('old', old), aMessage('a'), aMessage('b')]);
  const head = await headOf(ports, thread_id);
  const table = halfSeen(ports.table);
  await table.deleteMany([inboxKey(thread_id, 1)]);
  table.hide(inboxKey(thread_id, 3), 2);
  const queued = await loadQueued({ ...ports, table }, thread_id, head.queue);
  expect(queued.map(({ id }) => id)).toEqual(ids.slice(1));
  table.hide(inboxKey(thread_id, 2), limits.unseen_attempts_max);
  await expect(loadQueued({ ...ports, table }, thread_id, head.queue)).rejects.toMatchObject({
    kind: 'busy',
  });
});

test('a call that was made a moment ago is waited for where a client answers before its row is seen', async () => {
  const { session_id, thread_id } = await putSession(ports, call);
  const table = halfSeen(ports.table);
  const answer = async (custom_tool_use_id: string) =>
    await sendEvents({ ...ports, table }, call, session_id, [
      { type: 'user.custom_tool_result', custom_tool_use_id },
    ]);
  const event_id = newId('event', ports.clock.ms);
  const key = callKey(session_id, event_id);
  await table.transact([{ put: { ...key, event_id, thread_id, kind: 'custom' } }]);
  table.hide(key, 2);
  expect((await answer(event_id)).data).toMatchObject([{ custom_tool_use_id: event_id }]);
  const late = newId('event', ports.clock.ms - limits.transaction_seen_ms);
  for (const none of [late, `sevt_${'z'.repeat(26)}`, `sevt_${'0'.repeat(20)}`, 'x']) {
    await expect(answer(none)).rejects.toMatchObject({ kind: 'invalid' });
  }
});

describe('pages', () => {
  test('put together are the whole list, for any log, limit and order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 12 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('asc', 'desc'),
        async (sizes, waiting, limit, order) => {
          const { thread_id, ids, queued } = await aLog(sizes, waiting);
          const listed = await all(thread_id, { limit: String(limit), order });
          const expected = [...ids, ...queued];
          expect(listed.map(({ id }) => id)).toEqual(
            order === 'asc' ? expected : expected.toReversed(),
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  test('keep to a type, in both orders, without losing one between pages', async () => {
    const { thread_id } = await aLog([3, 1, 2, 3, 1], 1);
    for (const order of ['asc', 'desc']) {
      for (const limit of ['1', '2', '50']) {
        const listed = await all(thread_id, { limit, order, types: ['agent.message'] });
        expect(listed.map(({ type }) => type)).toEqual(Array(5).fill('agent.message'));
        expect(new Set(listed.map(({ id }) => id)).size).toBe(5);
      }
    }
  });

  test('keep to bounds of processed_at, each inclusive or not, and leave out what waits', async () => {
    const { thread_id, ids, times } = await aLog([1, 2, 1, 3, 1], 2);
    const [low = '', high = ''] = [times[1], times[4]];
    const expected: [string, string, (at: string) => boolean][] = [
      ['created_at[gt]', low, (at) => at > low],
      ['created_at[gte]', low, (at) => at >= low],
      ['created_at[lt]', high, (at) => at < high],
      ['created_at[lte]', high, (at) => at <= high],
    ];
    for (const [name, time, keeps] of expected) {
      const listed = await all(thread_id, { [name]: time, limit: '2' });
      expect({ name, ids: listed.map(({ id }) => id) }).toEqual({
        name,
        ids: ids.filter((_, at) => keeps(times[at] ?? '')),
      });
    }
    const none = await list(thread_id, { 'created_at[gt]': '2030-01-01T00:00:00Z' });
    expect(none).toEqual({ data: [], next_page: null });
  });

  test('end where the answer grows too large, and go on from there', async () => {
    const { thread_id } = await putSession(ports, call);
    const text = 'x'.repeat(limits.page_bytes_max / 4);
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) {
      ids.push(...(await append(ports, thread_id, [aMessage(text)])));
    }
    const first = await list(thread_id);
    expect(first.data.length).toBeGreaterThan(1);
    expect(first.data.length).toBeLessThan(5);
    expect((await all(thread_id, {})).map(({ id }) => id)).toEqual(ids);
    expect((await all(thread_id, { order: 'desc' })).map(({ id }) => id)).toEqual(ids.toReversed());
  });

  test('read no more entries of a long log than of a short one, however many events each holds', async () => {
    const events = limits.entry_events_max / 10;
    const [short, long] = [
      await aLog(Array(22).fill(events), 0),
      await aLog(Array(66).fill(events), 0),
    ];
    for (const query of [
      { limit: '20' },
      { limit: '20', order: 'desc' },
      { limit: '20', types: ['agent.message'] },
    ]) {
      const entries = await entriesOf(short.thread_id, query);
      expect({ query, entries: await entriesOf(long.thread_id, query) }).toEqual({
        query,
        entries,
      });
    }
  });

  test('hold an event that alone is larger than a page', async () => {
    const { thread_id } = await putSession(ports, call);
    const ids: string[] = [];
    for (const chars of [1, limits.page_bytes_max + 1, 1, limits.page_bytes_max + 1, 1]) {
      ids.push(...(await append(ports, thread_id, [aMessage('x'.repeat(chars))])));
    }
    expect((await all(thread_id, {})).map(({ id }) => id)).toEqual(ids);
    expect((await all(thread_id, { order: 'desc' })).map(({ id }) => id)).toEqual(ids.toReversed());
  });
});

test('what waits has no time, and has one and another place once it is taken', async () => {
  const { thread_id, ids, queued } = await aLog([2], 2);
  const before = (await list(thread_id)).data;
  expect(before.map(({ id }) => id)).toEqual([...ids, ...queued]);
  expect(before.slice(2).map((event) => event.processed_at)).toEqual([null, null]);
  await takeOne(ports, thread_id);
  const after = (await list(thread_id, { order: 'desc' })).data;
  expect(after.map(({ id }) => id)).toEqual([queued[1], queued[0], ...ids.toReversed()]);
  expect(after[1]?.processed_at).toEqual(expect.any(String));
});

test.each(['asc', 'desc'])(
  'a page that ends among what waits loses nothing of what is taken meanwhile (%s)',
  async (order) => {
    const { thread_id, ids, queued } = await aLog([2], 3);
    const limit = order === 'asc' ? '3' : '1';
    const first = await list(thread_id, { order, limit });
    expect(first.data.map(({ id }) => id)).toEqual(
      order === 'asc' ? [...ids, queued[0]] : [queued[2]],
    );
    await takeOne(ports, thread_id);
    await takeOne(ports, thread_id);
    const page = first.next_page ?? '';
    const rest = (await list(thread_id, { order, page })).data.map(({ id }) => id);
    expect(rest).toEqual(order === 'asc' ? queued : [queued[1], queued[0], ...ids.toReversed()]);
  },
);

describe('a cursor is refused', () => {
  test('with another order, outside changed bounds, of another thread, and when it is no cursor', async () => {
    const { thread_id, times } = await aLog([1, 1, 1, 1], 0);
    const page = (await list(thread_id, { limit: '2' })).next_page ?? '';
    await expect(list(thread_id, { page, order: 'desc' })).rejects.toThrow(/order/);
    await expect(list(thread_id, { page, 'created_at[gte]': times[3] ?? '' })).rejects.toThrow(
      /filters leave out/,
    );
    await expect(list(thread_id, { page: 'nonsense' })).rejects.toThrow(/cursor/);
    const nothing = { 'created_at[gt]': '2030-01-01T00:00:00Z' };
    await expect(list(thread_id, { page: 'nonsense', ...nothing })).rejects.toThrow(/cursor/);
    const other = await aLog([1, 1, 1, 1], 0);
    await expect(list(other.thread_id, { page })).rejects.toThrow(/cursor/);
  });
});

test.each([
  [{ limit: '0' }],
  [{ limit: '1001' }],
  [{ order: 'up' }],
  [{ types: ['user.shout'] }],
  [{ unknown: '1' }],
  [{ 'created_at[gt]': 'yesterday' }],
])('%j is refused', (query) => {
  expect(() => parseQuery(EventListQuery, query)).toThrow(
    expect.objectContaining({ kind: 'invalid' }),
  );
});
