import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInputs } from './inputs.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inputs-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('text files come by name; READMEs, dot files, folders, empty and binary files stay', async () => {
  await mkdir(join(folder, 'sub.csv'));
  const files: Record<string, string | Uint8Array> = {
    'b.csv': 'x,y',
    'a.json': '{}',
    'README.md': 'about',
    '.hidden': 'no',
    'empty.csv': '',
    'picture.png': new Uint8Array([0x89, 0xff, 0xfe]),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  expect(await readInputs(folder)).toEqual([
    { name: 'a.json', text: '{}' },
    { name: 'b.csv', text: 'x,y' },
  ]);
});

test.each([
  ['nothing', {}, 'no text file'],
  ['one file too large', { 'a.csv': 400_001 }, "'a.csv' has more"],
  ['too much together', { 'a.csv': 250_000, 'b.csv': 250_000 }, 'too much'],
])('a folder with %s is refused with a reason', async (_, files, says) => {
  for (const [name, chars] of Object.entries(files)) {
    await writeFile(join(folder, name), 'x'.repeat(chars));
  }
  await expect(readInputs(folder)).rejects.toThrow(says);
});

test('a folder that is not there is named, and so is what is a file or has too many', async () => {
  await expect(readInputs(join(folder, 'none'))).rejects.toThrow('There is no folder');
  for (let n = 0; n < 1_000; n++) await writeFile(join(folder, `${n}.csv`), 'x');
  await expect(readInputs(folder)).rejects.toThrow('1000 text files: one message takes 999');
  await expect(readInputs(join(folder, '0.csv'))).rejects.toThrow('is a file. Give the folder');
});
