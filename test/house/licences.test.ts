// Goal: nobody who deploys this takes on terms that they have not been told. Method: the lock file's own words.
import { expect, test } from 'vitest';
import { licensed } from './licences.ts';

/** Terms that ask for no more than a notice. Of a choice the first is taken. */
const permissive = [
  'MIT',
  'MIT-0',
  'Apache-2.0',
  '0BSD',
  'ISC',
  'BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'Unlicense',
  '(MIT OR GPL-3.0-or-later)',
  '(MIT OR Apache-2.0)',
  '(MIT OR WTFPL)',
  '(MIT AND Zlib)',
  '(BSD-2-Clause OR MIT OR Apache-2.0)',
];

/** An optional library of the interpreter for `xz`, which no bundle holds and nothing here calls. */
const optional_only = ['node-liblzma'];

test('what is installed to deploy and run it has permissive terms', () => {
  const other = licensed().filter(({ licence }) => !permissive.includes(licence));
  expect(other.map(({ name }) => name)).toEqual(optional_only);
  expect(other.every(({ is_optional }) => is_optional)).toBe(true);
});
