import { afterEach, expect, test, vi } from 'vitest';
import type { Ports } from '#shared/core/ports.ts';
import { Follower } from '#shared/events/follow.ts';
import type { Tail, TailHead } from '#shared/threads/tail.ts';
import { aThread } from '../../samples.ts';

afterEach(() => void vi.restoreAllMocks());

/** The waits of a stream whose thread has moved, or not, at each look. */
async function waitsOf(moves: readonly boolean[]): Promise<number[]> {
  let now_ms = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now_ms);
  const waits: number[] = [];
  const ending = new AbortController();
  let head: TailHead = aThread({ status: 'running' });
  const tail = {
    head: async (_: string, wait_ms: number): Promise<TailHead> => {
      const moved = moves[waits.length];
      if (moved === undefined) ending.abort();
      else waits.push(wait_ms);
      now_ms += wait_ms;
      return (head = { ...head, version: head.version + (moved === true ? 1 : 0) });
    },
  } as unknown as Tail;
  const options = { after_id: undefined, event_deltas: [] };
  const follower = await Follower.open({} as Ports, tail, aThread({ status: 'running' }), options);
  for await (const frames of follower.frames(ending.signal)) expect(frames).toEqual([]);
  return waits;
}

test('a thread that moves on and on is looked at often for a second, and then 30 times a second', async () => {
  const waits = await waitsOf(Array.from({ length: 140 }, () => true));
  expect(new Set(waits.slice(0, 125))).toEqual(new Set([8]));
  expect(new Set(waits.slice(125))).toEqual(new Set([33]));
});

test('behind a pause the first second is a new one', async () => {
  const busy = Array.from({ length: 130 }, () => true);
  const pause = Array.from({ length: 20 }, () => false);
  const waits = await waitsOf([...busy, ...pause, true, true, true]);
  expect(waits[129]).toBe(33);
  expect(waits.at(-1)).toBe(8);
});
