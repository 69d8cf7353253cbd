import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { globMatcher } from '../../../functions/sandbox/glob.ts';

const table: [pattern: string, file: string, matches: boolean][] = [
  ['*.ts', 'a.ts', true],
  ['*.ts', 'src/a.ts', false],
  ['**/*.ts', 'a.ts', true],
  ['**/*.ts', 'src/deep/a.ts', true],
  ['src/**', 'src/a/b', true],
  ['src/**/x', 'src/x', true],
  ['src/**/x', 'srcx', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[^a-c]x', 'dx', true],
  ['[]x', '[]x', true],
  ['*.{ts,js}', 'a.js', true],
  ['*.{ts,js}', 'a.css', false],
  ['{a,b{c,d}}', 'bd', true],
  ['{a', '{a', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['.*', '.env', true],
  ['*', '\u{1f600}', true],
  ['?', '\u{1f600}', true],
];

test.each(table)('%s against %s: %s', (pattern, file, matches) => {
  expect(globMatcher(pattern)(file)).toBe(matches);
});

test('it agrees with Node\u2019s own matcher where both know the pattern', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
  const part = fc.oneof(
    name,
    fc.constant('**'),
    fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 4 }),
  );
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.array(name, { minLength: 1, maxLength: 4 }),
      (parts, names) => {
        // Node takes a `**` beside other characters, and at the end, in ways of its own.
        fc.pre(parts.every((one) => one === '**' || !one.includes('**')) && parts.at(-1) !== '**');
        const [pattern, file] = [parts.join('/'), names.join('/')];
        expect(globMatcher(pattern)(file), `${pattern} ${file}`).toBe(
          path.matchesGlob(file, pattern),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('no pattern takes long', () => {
  const began = performance.now();
  const long = `${'a'.repeat(250)}/`.repeat(4);
  for (const pattern of [
    '*a'.repeat(30),
    '**/'.repeat(30),
    `${'*a'.repeat(20)}/**/${'a*'.repeat(20)}b`,
  ]) {
    globMatcher(pattern)(long);
  }
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(() => globMatcher('{a,b}'.repeat(12))).toThrow('256');
});
