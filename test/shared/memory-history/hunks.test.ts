import { applyPatch, parsePatch } from 'diff';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hunksOf, unifiedOf } from '#shared/memory-history/hunks.ts';

/** A patch makes one text of the other, whatever they are. */

const text = fc
  .array(fc.constantFrom('a', 'b', '', 'ü', '-x', '+y', '\\ z'), { maxLength: 12 })
  .chain((lines) => fc.constantFrom(lines.join('\n'), `${lines.join('\n')}\n`));

test('a patch of two texts makes the second of the first', () => {
  fc.assert(
    fc.property(text, text, (from, to) => {
      const unified = unifiedOf({ from_path: '/a', to_path: '/a', from, to });
      expect(applyPatch(from, unified)).toBe(to);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['different throughout', 'a', 'b'],
  ['new', '', 'b'],
  ['gone', 'a', ''],
])('also of long texts that are %s', (_, from_word, to_word) => {
  const long = (word: string): string =>
    word === '' ? '' : Array.from({ length: 3_000 }, (_line, n) => word + (n % 5)).join('\n');
  const [from, to] = [long(from_word), long(to_word)];
  const unified = unifiedOf({ from_path: '/a', to_path: '/a', from, to });
  expect(parsePatch(unified)[0]?.hunks).toHaveLength(1);
  expect(applyPatch(from, unified)).toBe(to);
});

test('lines count from 1; a side without lines says which one they would follow', () => {
  const hunks = hunksOf({ from_path: undefined, to_path: '/a', from: '', to: 'x\ny\n' });
  expect(hunks).toEqual([
    { from_line: 0, from_count: 0, to_line: 1, to_count: 2, lines: ['+x', '+y'] },
  ]);
});
