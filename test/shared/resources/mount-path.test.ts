import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { Fault } from '#shared/core/fault.ts';
import { isInside, normalPath } from '#shared/files/path.ts';
import { checkFree, mountPath, storePath, uploadPath } from '#shared/resources/mount-path.ts';

describe('the folder of a memory store', () => {
  test.each([
    ['User Preferences', 'user-preferences'],
    ['  --Team_A  (2026)! ', 'team-a-2026'],
    ['Überblick', 'berblick'],
    ['日本', 'memory'],
    ['x'.repeat(255), 'x'.repeat(240)],
  ])('of %j is %s', (name, slug) => {
    expect(storePath(name, new Set())).toBe(`/mnt/memory/${slug}`);
  });

  test('that is taken gets the next free number', () => {
    const taken = new Set<string>();
    for (const name of ['a', 'A', 'a!', 'a-2']) taken.add(storePath(name, taken));
    expect([...taken].map((path) => path.slice('/mnt/memory/'.length))).toEqual([
      'a',
      'a-2',
      'a-3',
      'a-2-2',
    ]);
  });

  test('is one of the session’s paths, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 255 }), (name) => {
        const path = storePath(name, new Set());
        expect(path).toMatch(/^\/mnt\/memory\/[a-z0-9]+(-[a-z0-9]+)*$/);
        expect(Buffer.byteLength(path)).toBeLessThan(limits.file_name_bytes_max);
      }),
    );
  });
});

test('whatever path is taken is plain, below a root, and no memory; else its field is named', () => {
  const part = fc.oneof(
    fc.constantFrom('', '.', '..', 'workspace', 'mnt', 'memory', 'session', 'tmp', 'a\nb'),
    fc.constantFrom('\0', '\ud800', 'x'.repeat(limits.path_bytes_max)),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const path = parts.join('/');
      try {
        expect(mountPath(path, 'mount_path')).toBe(path);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
        expect(String(error)).toMatch(/: mount_path: /);
        return;
      }
      expect(normalPath(path)).toBe(path);
      expect(isInside(path, ['/mnt/memory'])).toBe(false);
      expect(path).not.toMatch(/\p{Cc}/u);
    }),
    {
      examples: [
        [['', 'workspace', 'a']],
        [['', 'mnt', 'memory', 'a']],
        [['', 'tmp', 'a\nb']],
        [['', 'tmp', '\0']],
        [['', 'tmp', '\ud800']],
      ],
    },
  );
});

test.each([
  ['/data.csv', '/mnt/session/uploads/data.csv'],
  ['/uploads/data.csv', '/mnt/session/uploads/data.csv'],
  ['/uploadsx/data.csv', '/mnt/session/uploads/uploadsx/data.csv'],
  ['/etc/passwd', '/mnt/session/uploads/etc/passwd'],
  ['/workspace/data.csv', '/workspace/data.csv'],
  ['/mnt/session/uploads/a', '/mnt/session/uploads/a'],
  ['data.csv', '/mnt/session/uploads/data.csv'],
  ['uploads/data.csv', '/mnt/session/uploads/data.csv'],
  ['workspace/data.csv', '/workspace/data.csv'],
])('a file that is wanted at %s goes to %s', (wanted, path) => {
  expect(uploadPath(wanted)).toBe(path);
});

const folder = { path: '/workspace/repo', is_folder: true };
const file = { path: '/workspace/data', is_folder: false };

test.each([
  ['a file in a repository', '/workspace/repo/x', false, true],
  ['a repository above a file', '/workspace', true, true],
  ['a neighbour with the same beginning', '/workspace/database', false, true],
  ['the same place', '/workspace/repo', true, false],
  ['a file above a repository', '/workspace', false, false],
  ['a repository below a file', '/workspace/data/x', true, false],
])('%s', (_title, path, is_folder, is_free) => {
  const check = () => checkFree('resources.2.mount_path', { path, is_folder }, [folder, file]);
  if (is_free) expect(check).not.toThrow();
  else expect(check).toThrow(/^resources\.2\.mount_path: .* cannot both be there/);
});

test('a path that is too long is refused by the name of its field', () => {
  const path = `/mnt/session/uploads${'/'.repeat(5_000)}x`;
  expect(() => mountPath(path, 'mount_path')).toThrow(/^mount_path: A path must have at most/);
});
