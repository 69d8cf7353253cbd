/** Whose call the engine takes next. Method: calls that end when the test says so, and who began in which order. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Turns } from '../../infra/local/dynamodb/turns.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** Calls by who makes them; `end` lets the oldest that has begun come to its end. */
function engine() {
  const turns = new Turns();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const call = (caller: string): void => {
    vi.advanceTimersByTime(1);
    const work = (): Promise<void> => {
      begun.push(caller);
      return new Promise((resolve) => ends.push(resolve));
    };
    void turns.take(caller, work);
  };
  const end = async (count = 1): Promise<void> => {
    for (let n = 0; n < count; n++) {
      ends.shift()?.();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await vi.waitFor(() => undefined);
    }
  };
  return { begun, call, end };
}

test('two calls are under way at most, and the next waits for one of them', async () => {
  const { begun, call, end } = engine();
  for (const caller of ['a', 'b', 'c']) call(caller);
  await end(0);
  expect(begun).toEqual(['a', 'b']);
  await end();
  expect(begun).toEqual(['a', 'b', 'c']);
});

test('who began first is served first with what it asks later, too', async () => {
  const { begun, call, end } = engine();
  for (const caller of ['a', 'b', 'c', 'd', 'b', 'a']) call(caller);
  await end(4);
  expect(begun).toEqual(['a', 'b', 'a', 'b', 'c', 'd']);
});

test('who has rested for a while comes behind those who came meanwhile', async () => {
  const { begun, call, end } = engine();
  call('a');
  await end();
  for (const caller of ['b', 'c']) call(caller);
  vi.advanceTimersByTime(99);
  for (const caller of ['d', 'a']) call(caller);
  await end(2);
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'a']);
});

test('who never rests is behind the others after 32 calls', async () => {
  const { begun, call, end } = engine();
  for (let n = 0; n < 32; n++) call('a');
  for (const caller of ['b', 'a']) call(caller);
  await end(32);
  expect(begun.slice(-3)).toEqual(['a', 'b', 'a']);
});
