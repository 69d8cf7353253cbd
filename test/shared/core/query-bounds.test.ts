/**
 * DynamoDB refuses to compare sort keys with more than a key can be. Method: bounds and keys about as long
 * as that, of characters of one to four bytes; what is asked for and then held is what was meant.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boundsOf } from '#shared/core/query-bounds.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';

const KEY_BYTES_MAX = 1_024;

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What differs between two long keys is at their end. */
const end = fc.string({
  unit: fc.constantFrom('\0', '!', '~', '\u007f', 'é', '\u07ff', '€', '\uffff', '\u{10ffff}'),
  maxLength: 4,
});
const long = fc
  .tuple(fc.integer({ min: 1_016, max: 1_026 }), end)
  .map(([bytes, behind]) => 'k'.repeat(bytes) + behind);
const near = fc.oneof(
  long,
  end.filter((text) => text !== ''),
);
const key = near.filter((text) => Buffer.byteLength(text) <= KEY_BYTES_MAX);

test('what is asked for has no longer bounds than keys, and holds just the keys between those that were meant', () => {
  fc.assert(
    fc.property(near, near, fc.array(key, { maxLength: 20 }), (one, other, keys) => {
      const [from, to] = byBytes(one, other) <= 0 ? [one, other] : [other, one];
      const asked = boundsOf(from, to);
      for (const bound of [asked.from, asked.to]) {
        expect(Buffer.byteLength(bound)).toBeLessThanOrEqual(KEY_BYTES_MAX);
        expect(bound.isWellFormed()).toBe(true);
      }
      expect(byBytes(asked.from, asked.to)).toBeLessThanOrEqual(0);
      const between = (low: string, high: string) => (sort_key: string) =>
        byBytes(low, sort_key) <= 0 && byBytes(sort_key, high) <= 0;
      const found = keys.filter(between(asked.from, asked.to)).filter(asked.holds ?? (() => true));
      expect(found).toEqual(keys.filter(between(from, to)));
    }),
    { numRuns: 2_000 },
  );
});

test('a page goes on behind a key that is as long as it can be', async () => {
  const { table } = started;
  const full = 'k'.repeat(KEY_BYTES_MAX);
  const keys = [full.slice(0, -1), full, `${full.slice(0, -1)}l`, 'l', 'm'];
  await table.transact(keys.map((sk) => ({ put: { pk: 'A', sk } })));
  const read = async (range: { from: string; to: string; limit?: number; reverse?: boolean }) => {
    const { rows, more } = await table.query({ pk: 'A', ...range });
    return [rows.map(({ sk }) => keys.indexOf(sk)), more];
  };
  expect(await read({ from: `${full}\0`, to: '~' })).toEqual([[2, 3, 4], false]);
  expect(await read({ from: `${full}\0`, to: '~', limit: 2 })).toEqual([[2, 3], true]);
  expect(await read({ from: ' ', to: `${full}~` })).toEqual([[0, 1], false]);
  expect(await read({ from: ' ', to: `${full}~`, limit: 1, reverse: true })).toEqual([[1], true]);
});
