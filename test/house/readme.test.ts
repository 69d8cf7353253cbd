// Goal: what the README shows is what the code does. Method: its made parts are made again.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { partOf, parts, withPart } from './readme-parts.ts';
import { read, root } from './sources.ts';

test.each(Object.keys(parts))(
  'the part %s is what npx node test/house/write-readme.ts writes',
  (name) => {
    const made = parts[name]?.();
    expect(partOf(read('README.md'), name)).toBe(made);
  },
);

test('writing a part leaves the rest as it was', () => {
  const before = 'a\n<!-- x -->\n<!-- /x -->\nb $& $1';
  const after = withPart(before, 'x', '$& one');
  expect(after).toBe('a\n<!-- x -->\n$& one\n<!-- /x -->\nb $& $1');
  expect(partOf(after, 'x')).toBe('$& one');
  expect(withPart(after, 'x', 'two')).toBe('a\n<!-- x -->\ntwo\n<!-- /x -->\nb $& $1');
  expect(() => withPart('no marks', 'x', '')).toThrow('no marks for x');
});

test('the quickstart is shorter than 50 lines', () => {
  expect(read('test/quickstart.ts').trimEnd().split('\n').length).toBeLessThan(50);
});

test('the README shows the figures of `npm run bench -- --readme`', () => {
  const shown = partOf(read('README.md'), 'bench') ?? '';
  for (const name of ['send_to_message_p50_ms', 'load_turns_per_s', 'cost_session_hour_usd']) {
    expect(shown).toContain(`\`${name}\``);
  }
});

test('every path that the README links to is there', () => {
  const links = [...read('README.md').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to]) => to);
  expect(links.filter((to) => !existsSync(join(root, to ?? '')))).toEqual([]);
});

test('every script that the README names is in package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read('README.md').matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name]) => name);
  expect([...new Set(named)].filter((name) => !(String(name) in scripts))).toEqual([]);
});
