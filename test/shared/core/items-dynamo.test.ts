import { expect, test } from 'vitest';
import { itemOf } from '#shared/core/items-dynamo.ts';

/** That a row comes back as it went is shown against the table: see table.test.ts. */

test('what is undefined is left out, at every depth', () => {
  expect(itemOf({ a: undefined, b: { c: undefined, d: 1 }, e: [undefined, 'f'] })).toEqual({
    b: { M: { d: { N: '1' } } },
    e: { L: [{ S: 'f' }] },
  });
});

test.each([
  ['a number above what JavaScript counts by ones', Number.MAX_SAFE_INTEGER + 1],
  ['infinity', Number.POSITIVE_INFINITY],
  ['no number', Number.NaN],
  ['an instance', new Date(0)],
  ['a set', new Set(['a'])],
  ['a function', () => undefined],
])('%s is no value of a row', (_, value) => {
  expect(() => itemOf({ value })).toThrow(/rows hold/);
});
