import { expect, test } from 'vitest';
import * as z from 'zod';
import { parseBody } from '#shared/core/parse.ts';
import { beginningOf, textUpTo, upToUnits } from '#shared/core/text.ts';

/** How long a text is: as its reader counts, and not as UTF-16 does. */

const Body = z.strictObject({ name: textUpTo(3).min(1) });

test.each(['abc', '\u{1F600}\u{1F600}\u{1F600}', '\u{20BB7}\u91CE\u5BB6', 'e\u0301a'])(
  '%j has at most three characters',
  (name) => {
    expect(parseBody(Body, { name })).toEqual({ name });
  },
);

test.each(['abcd', '\u{1F600}\u{1F600}\u{1F600}a', 'x'.repeat(1_000_000)])(
  '%.20j has more than three',
  (name) => {
    expect(() => parseBody(Body, { name })).toThrow(/^name: must have at most 3 characters\.$/);
  },
);

test('what is no text, or none at all, is refused as ever', () => {
  expect(() => parseBody(Body, { name: 1 })).toThrow(/^name: must be of type string\.$/);
  expect(() => parseBody(Body, { name: '' })).toThrow(/^name: must have at least 1 character\.$/);
});

test('the beginning of a text has whole characters', () => {
  expect(beginningOf('abc', 3)).toBe('abc');
  expect(beginningOf('a\u{1F600}\u{1F600}\u{1F600}', 2)).toBe('a\u{1F600}');
  expect(beginningOf('\u{1F600}\u{1F600}', 2)).toBe('\u{1F600}\u{1F600}');
});

test('a text that is cut at a unit of UTF-16 ends with a whole character', () => {
  expect(upToUnits('abc', 2)).toBe('ab');
  expect(upToUnits('a\u{1F600}b', 2)).toBe('a');
  expect(upToUnits('a\u{1F600}b', 3)).toBe('a\u{1F600}');
  expect(upToUnits('a', 3)).toBe('a');
});
