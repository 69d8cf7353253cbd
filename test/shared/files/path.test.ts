import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  besidePath,
  isInside,
  mountAt,
  normalPath,
  resolvePath,
  roots,
} from '#shared/files/path.ts';

const good: [written: string, normal: string][] = [
  ['a', '/workspace/a'],
  ['./a//b/./c/', '/workspace/a/b/c'],
  ['a/../b', '/workspace/b'],
  ['/workspace', '/workspace'],
  ['/mnt/session/outputs/r.md', '/mnt/session/outputs/r.md'],
  ['../tmp/x', '/tmp/x'],
  ['/../../tmp/x', '/tmp/x'],
  ['...', '/workspace/...'],
  ['a b\u00e9\u{1f600}', '/workspace/a b\u00e9\u{1f600}'],
  ['..\\..\\etc', '/workspace/..\\..\\etc'],
  ['%2e%2e/etc', '/workspace/%2e%2e/etc'],
];

test.each(good)('%j is %s', (written, normal) => {
  expect(normalPath(written)).toBe(normal);
});

const long = [
  `/tmp/${'x/'.repeat(508)}y`,
  `/mnt/memory/store/${'x'.repeat(1_023)}`,
  `/mnt/memory/${'s'.repeat(255)}/${'x/'.repeat(511)}yy`,
];

test.each(long)('a path as long as its row can be is taken', (written) => {
  expect(normalPath(written)).toBe(written);
});

const hostile: string[] = [
  `/tmp/${'x/'.repeat(508)}yyy`,
  `/mnt/memory/${'x'.repeat(4_096)}`,
  `/mnt/memory/../session/${'x'.repeat(256)}`,
  '',
  '/',
  '..',
  '/etc/passwd',
  '../etc/passwd',
  '/workspace/../etc/passwd',
  '/workspace/../../../../etc/passwd',
  '/workspacex/a',
  '/mnt',
  '/mnt/sessionx',
  '/proc/self/environ',
  '/dev/null',
  '/bin/sh',
  'a\0b',
  '\ud800',
  'x'.repeat(256),
  'x/'.repeat(600),
  `${'\u00e9'.repeat(128)}`,
];

test.each(hostile)('%j is refused', (written) => {
  expect(() => normalPath(written)).toThrow(expect.objectContaining({ kind: 'invalid' }));
});

const parts = fc.array(fc.constantFrom('a', 'b', '.', '..', '', 'workspace', 'tmp', 'etc'), {
  maxLength: 12,
});

test('whatever is written, the result is inside of a root and is its own normal form', () => {
  fc.assert(
    fc.property(parts, fc.boolean(), (names, is_absolute) => {
      const written = `${is_absolute ? '/' : ''}${names.join('/')}`;
      let normal: string;
      try {
        normal = normalPath(written);
      } catch {
        return;
      }
      expect(isInside(normal, roots)).toBe(true);
      expect(normal).not.toMatch(/\/\.{0,2}(\/|$)/);
      expect(normalPath(normal)).toBe(normal);
    }),
  );
});

test('resolving twice is resolving once', () => {
  fc.assert(
    fc.property(parts, (names) => {
      const once = resolvePath('/workspace', `x/${names.join('/')}`);
      expect(resolvePath('/', once)).toBe(once);
    }),
  );
});

test('the innermost mount decides', () => {
  const mounts = [
    { path: '/mnt/memory/a', access: 'read_only' as const },
    { path: '/mnt/memory/a/b', access: 'read_write' as const },
  ];
  expect(mountAt('/mnt/memory/a/x', mounts)?.path).toBe('/mnt/memory/a');
  expect(mountAt('/mnt/memory/a/b/x', mounts)?.path).toBe('/mnt/memory/a/b');
  expect(mountAt('/mnt/memory/ab', mounts)).toBeUndefined();
});

const bounds = { name_bytes_max: 12, path_bytes_max: 20, spare: '/s' };
test.each([
  ['/a/b', '/a/b.new'],
  ['/a/abcdefghijkl', '/a/abcdefgh.new'],
  ['/a/abcdefg\u00e9', '/a/abcdefg.new'],
  ['/0123456789abcdefg/x', '/s/x.new'],
])('beside %j is %j', (path, beside) => {
  expect(besidePath(path, '.new', bounds)).toBe(beside);
});
