import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Key, ReadOptions, Row, Table } from '#shared/core/table.ts';
import { PAUSE_MS, pollInterval, SPEAKING_QUIET_MS, Tail } from '#shared/threads/tail.ts';

test.each([
  [true, 0, 8],
  [true, 80, 8],
  [true, SPEAKING_QUIET_MS, 15],
  [true, 600, 60],
  [true, 1_000, 100],
  [true, 3_600_000, 100],
  [false, 0, 8],
  [false, 1_500, 15],
  [false, 15_500, 155],
  [false, 25_000, 250],
  [false, 599_999, 250],
  [false, 600_000, 1_000],
])('running %s and quiet for %i ms: the next look is after %i ms', (running, quiet_ms, wait_ms) => {
  expect(pollInterval({ running, quiet_ms, busy_ms: 999 })).toBe(wait_ms);
});

test.each([
  [true, 0, 33],
  [true, SPEAKING_QUIET_MS, 33],
  [true, 400, 40],
  [false, PAUSE_MS - 1, 33],
  [false, PAUSE_MS, 8],
])(
  'busy for a second, running %s and quiet for %i ms: the next look is after %i ms',
  (running, quiet_ms, wait_ms) => {
    expect(pollInterval({ running, quiet_ms, busy_ms: 1_000 })).toBe(wait_ms);
  },
);

test('a stream costs less than half a cent an hour in read units, but while things begin', () => {
  const dollars = (wait_ms: number) => ((3_600_000 / wait_ms) * 0.5 * 0.125) / 1_000_000;
  const wait = (running: boolean, quiet_ms: number) =>
    pollInterval({ running, quiet_ms, busy_ms: 0 });
  expect(dollars(wait(true, 5_000))).toBeLessThan(0.005);
  expect(dollars(wait(false, 30_000))).toBeLessThan(0.005);
  expect(dollars(wait(false, 600_000))).toBeLessThan(0.0005);
});

/** A table that only counts which heads are asked for together. */
function counting(read: () => Promise<void> = async () => await sleep(1)) {
  const batches: string[][] = [];
  const getMany = async (keys: readonly Key[], options?: ReadOptions): Promise<Row[]> => {
    expect(options).toMatchObject({ eventual: true });
    expect(options?.attributes).toContain('version');
    batches.push(keys.map(({ pk }) => pk));
    await read();
    return keys.map((key) => ({ ...key, version: batches.length }));
  };
  return { batches, table: { getMany } as unknown as Table };
}

const never = new AbortController().signal;

test('those that are due together are read in one request', async () => {
  const { batches, table } = counting();
  const tail = new Tail(table);
  const ids = Array.from({ length: 50 }, (_, n) => String(n));
  // All join at one moment, also where the machine stalls among them.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  const joined = ids.map(async (id) => await tail.head(id, 15, never));
  clock.mockRestore();
  const heads = await Promise.all(joined);
  expect(batches.length).toBe(1);
  expect(heads.map((head) => head?.pk)).toEqual(ids.map((id) => `THREAD#${id}`));
});

test('one that waits for long does not hold up one that waits for little', async () => {
  const { batches, table } = counting();
  const tail = new Tail(table);
  const slow = tail.head('slow', 200, never);
  await tail.head('fast', 10, never);
  expect(batches).toEqual([['THREAD#fast']]);
  await slow;
  expect(batches).toEqual([['THREAD#fast'], ['THREAD#slow']]);
});

test('one that joins while others are read is read next', async () => {
  const { batches, table } = counting(async () => await sleep(30));
  const tail = new Tail(table);
  const first = tail.head('first', 0, never);
  await sleep(10);
  const second = tail.head('second', 0, never);
  await Promise.all([first, second]);
  expect(batches).toEqual([['THREAD#first'], ['THREAD#second']]);
});

test('a reader that leaves is answered at once and not read for', async () => {
  const { batches, table } = counting();
  const tail = new Tail(table);
  const leaving = new AbortController();
  const head = tail.head('gone', 50, leaving.signal);
  leaving.abort();
  expect(await head).toBeUndefined();
  expect(await tail.head('gone', 0, leaving.signal)).toBeUndefined();
  await sleep(80);
  expect(batches).toEqual([]);
});

test('a read that fails fails for those that waited, and the next one is made', async () => {
  let fails = true;
  const { table } = counting(async () => {
    if (fails) throw new Error('throttled');
  });
  const tail = new Tail(table);
  await expect(tail.head('a', 0, never)).rejects.toThrow('throttled');
  fails = false;
  expect(await tail.head('a', 0, never)).toBeDefined();
});

test('who has made the process busy leaves it four times as long to others; to wait for an answer is no work', async () => {
  const { batches, table } = counting(async () => await sleep(30));
  const tail = new Tail(table);
  const load = vi.spyOn(performance, 'eventLoopUtilization');
  const busy = (active: number) => load.mockReturnValue({ idle: 0, active, utilization: 1 });
  busy(0);
  await tail.head('a', 0, never);
  await tail.head('a', 0, never);
  busy(500);
  await tail.head('a', 0, never);
  load.mockRestore();
  const leaving = new AbortController();
  const held = tail.head('a', 0, leaving.signal);
  await sleep(200);
  expect(batches.length).toBe(3);
  leaving.abort();
  expect(await held).toBeUndefined();
});
