import { expect, test } from 'vitest';
import { median, percentile, samples } from './measure.ts';
import { latency, passes, tableOf } from './result.ts';

test.each([
  [[5], 0.5, 5],
  [[4, 1, 3, 2], 0.5, 2],
  [[1, 2, 3, 4], 0.95, 4],
  [Array.from({ length: 100 }, (_, n) => n + 1), 0.95, 95],
])('of %j the share %d lies below %d', (values, p, expected) => {
  expect(percentile(values, p)).toBe(expected);
});

test('the median does not sort ten after nine as text would', () => {
  expect(median([10, 9, 100])).toBe(10);
});

test('what warms up is not counted', async () => {
  const seen: number[] = [];
  const measured = await samples(2, async (n) => void seen.push(n), 3);
  expect(measured).toHaveLength(2);
  expect(seen).toEqual([-1, -2, -3, 0, 1]);
});

test('a latency has its percentiles, its rate and its bounds', () => {
  const results = latency('read', [10, 10, 20], { p50_ms: 9, p95_ms: 20 });
  expect(results.map(({ name }) => name)).toEqual(['read_p50_ms', 'read_p95_ms', 'read_per_s']);
  expect(results.map(({ value }) => value)).toEqual([10, 20, 75]);
  expect(results.map(passes)).toEqual([false, true, undefined]);
});

test('the table shows what missed its target', () => {
  const table = tableOf([
    { name: 'slow_ms', value: 12.3456, unit: 'ms', target: { at_most: 9.999999999 } },
    { name: 'turns_per_s', value: 70, unit: 'per_s', target: { at_least: 60 } },
  ]);
  expect(table).toMatch(/slow_ms +12\.35 +ms +≤ 10 +MISS/);
  expect(table).toMatch(/turns_per_s +70 +per_s +≥ 60 +pass/);
});
