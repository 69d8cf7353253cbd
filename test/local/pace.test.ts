/** When the tasks of a Map begin. Method: a clock that stands, and what each was told to wait. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../infra/local/states/pace.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function paced(processors: number) {
  const waits: number[] = [];
  const pace = new Pace(processors, async (ms) => void waits.push(ms));
  return { pace, waits };
}

test.each([
  [1, [30, 60, 90]],
  [2, [15, 30, 45]],
  [8, [3.75, 7.5, 11.25]],
])('with %i processors those behind the first wait %j ms', async (processors, expected) => {
  const { pace, waits } = paced(processors);
  await Promise.all(Array.from({ length: 4 }, async () => await pace.turn()));
  expect(waits).toEqual(expected);
});

test('a task that comes when the others have begun does not wait', async () => {
  const { pace, waits } = paced(2);
  await pace.turn();
  vi.advanceTimersByTime(14);
  await pace.turn();
  vi.advanceTimersByTime(16);
  await pace.turn();
  expect(waits).toEqual([1]);
});
