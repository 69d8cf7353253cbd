/** Lines that are gone are found in whatever repeats them, also in a store as large as stores can be. */
import { expect, test } from 'vitest';
import { repeating } from '#shared/redactions/passages.ts';

const SECRET = 'The phone of Anna Meier is 0151-2345678.';

test('a text repeats a line wherever it stands in it; short lines and lines that stay give nothing away', () => {
  const gone = [`# Anna\n  ${SECRET}\n- the door of the house is green`];
  const kept = ['- the door of the house is green\n'];
  expect(
    repeating(gone, kept, [
      `He said: ${SECRET} Call her.`,
      '# Anna',
      'The phone of Anna Meier is 0160-1.',
      '- the door of the house is green',
      '',
    ]),
  ).toEqual([true, false, false, false, false]);
});

test('a long line is known by its beginning, and one of just the least length is a line', () => {
  const long = `${'a long line says '.repeat(10)}0151`;
  const least = 'x'.repeat(20);
  expect(
    repeating([`${long}\n${least}`], [], [long, long.slice(0, 100), least, 'x'.repeat(19)]),
  ).toEqual([true, false, true, false]);
});

test('the lines of 32 MiB are looked for in the texts of hundreds of changes', () => {
  const gone = Array.from({ length: 2_000 }, (_, n) =>
    Array.from({ length: 350 }, (__, at) => `- line ${n} ${at} says something at length`).join(
      '\n',
    ),
  );
  const texts = Array.from({ length: 200 }, (_, n) => `- line ${n} is new. `.repeat(200));
  texts.push(`And: - line 1999 349 says something at length!`);
  const found = repeating(gone, [], texts);
  expect(found.filter((is_found) => is_found)).toHaveLength(1);
  expect(found.at(-1)).toBe(true);
});
