import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { replaceIn } from '../../../functions/sandbox/file-tools.ts';
import { aCall, inSession, startRig, textOf, type Rig } from '../../shared/tools/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});
const never = new AbortController().signal;
const written_by = { thread_id: 'sthr_1', event_id: 'sevt_1' };
const file_path = 'f';
const text = fc.string({ unit: fc.constantFrom('a', 'b', '$', '&', '\n', '\u{1f600}') });

test('an edit puts the new text exactly in the place of the old one, whatever characters it has', () => {
  fc.assert(
    fc.property(
      text,
      text.filter((old) => old !== ''),
      text,
      text,
      (before, old_string, new_string, after) => {
        const whole = `${before}${old_string}${after}`;
        fc.pre(whole.split(old_string).length === 2);
        expect(replaceIn(whole, { file_path, old_string, new_string }).updated).toBe(
          `${whole.slice(0, whole.indexOf(old_string))}${new_string}${whole.slice(whole.indexOf(old_string) + old_string.length)}`,
        );
      },
    ),
  );
});

test('replace_all leaves no occurrence that was there, and counts them', () => {
  fc.assert(
    fc.property(
      text,
      text.filter((old) => old !== ''),
      (whole, old_string) => {
        const count = whole.split(old_string).length - 1;
        fc.pre(count > 0);
        const result = replaceIn(whole, {
          file_path,
          old_string,
          new_string: '',
          replace_all: true,
        });
        expect(result.count).toBe(count);
        expect(result.updated.length).toBe(whole.length - count * old_string.length);
      },
    ),
  );
});

test('an edit of what is not there, or there twice, is refused', () => {
  expect(() => replaceIn('aa', { file_path, old_string: 'b', new_string: '' })).toThrow(
    'does not stand',
  );
  expect(() => replaceIn('aa', { file_path, old_string: 'a', new_string: '' })).toThrow('2 times');
});

test.each<[range: [number, number] | undefined, expected: string]>([
  [undefined, '     1\tone\n     2\ttwo\n     3\tthree'],
  [[2, 2], '     2\ttwo'],
  [[2, -1], '     2\ttwo\n     3\tthree'],
  [[0, 99], '     1\tone\n     2\ttwo\n     3\tthree'],
  [[4, 9], '! view_range [4, 9] holds no line of r, which has 3.'],
])('read with the range %j', async (view_range, expected) => {
  const use = inSession(rig, 'sesn_read');
  await use('write', { file_path: 'r', content: 'one\ntwo\nthree\n' });
  expect(
    await use('read', { file_path: 'r', ...(view_range === undefined ? {} : { view_range }) }),
  ).toBe(expected);
});

test.each([
  ['\x89PNG\r\n\x1a\n', 'image', 'image/png'],
  ['\xff\xd8\xff\xe0', 'image', 'image/jpeg'],
  ['GIF89a', 'image', 'image/gif'],
  ['RIFF....WEBPVP8 ', 'image', 'image/webp'],
  ['%PDF-1.7', 'document', 'application/pdf'],
])('%j is shown as %s', async (head, type, media_type) => {
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(6_000)]);
  await rig.files.write('sesn_media', '/workspace/m', bytes, {
    workspace_id: 'wrkspc_1',
    written_by,
  });
  const outcome = await rig.runner.run(
    aCall('read', { file_path: 'm' }, { session_id: 'sesn_media' }),
    never,
  );
  expect(outcome.content).toMatchObject([
    { type, source: { type: 'base64', media_type, data: bytes.toString('base64') } },
  ]);
});

test.each([
  ['binary', Buffer.from([1, 0, 2]), /^! .*is not text/],
  ['latin', Buffer.from('\xe9\xe8', 'latin1'), /^! .*is not text/],
  [
    'large',
    Buffer.from('x\n'.repeat(200_000)),
    /^! These 200000 lines of large have .* bytes.*view_range/,
  ],
  ['empty', Buffer.alloc(0), /^empty is empty/],
  [
    'photo',
    Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(4_000_000)]),
    /^! photo has 4000006 bytes/,
  ],
])('the %s file is answered politely', async (name, bytes, expected) => {
  await rig.files.write('sesn_odd', `/workspace/${name}`, bytes, {
    workspace_id: 'wrkspc_1',
    written_by,
  });
  const outcome = await rig.runner.run(
    aCall('read', { file_path: name }, { session_id: 'sesn_odd' }),
    never,
  );
  expect(textOf(outcome)).toMatch(expected);
});

test.each([
  ['read', { file_path: 'none' }, '! There is no file none.'],
  ['read', { file_path: '.' }, '! . is a folder.'],
  ['read', { file_path: '/etc/passwd' }, "! '/etc/passwd' is outside of the session's files."],
  ['write', { file_path: '/etc/passwd', content: '' }, "! '/etc/passwd' is outside"],
  ['write', { file_path: '.', content: '' }, '! EISDIR'],
  ['edit', { file_path: 'none', old_string: 'a', new_string: 'b' }, '! There is no file none.'],
  ['glob', { pattern: '/etc/*' }, '! pattern must be relative'],
  ['glob', { pattern: '../*' }, '! pattern must be relative'],
  ['glob', { pattern: '*', path: '/proc' }, "! '/proc' is outside"],
  ['glob', { pattern: '*', path: 'none' }, '! There is no folder'],
  ['grep', { pattern: '(' }, '! '],
  ['grep', { pattern: 'x', path: 'none' }, '! There is no /workspace/none.'],
  ['grep', { pattern: 'nothing-has-this' }, 'No lines match.'],
])('%s with %j says %s', async (name, input, expected) => {
  expect(await inSession(rig, 'sesn_refused')(name, input)).toContain(expected);
});

test('glob gives the newest first and says how many it left out', async () => {
  const use = inSession(rig, 'sesn_glob');
  await use('bash', {
    command:
      'mkdir node_modules .git; touch node_modules/x.js .git/x.js; for i in $(seq 205); do : > f$i.js; done; touch -d 2030-01-01 new.js; ln -s new.js link.js',
  });
  const lines = (await use('glob', { pattern: '**/*.js' })).split('\n');
  expect(lines[0]).toBe('/workspace/new.js');
  expect(lines.slice(-1)).toEqual(['[6 more; use a narrower pattern]']);
  expect(lines.filter((line) => /node_modules|\.git|link/.test(line))).toEqual([]);
});

test('grep finds by RE2, in time that grows with the text only', async () => {
  const use = inSession(rig, 'sesn_grep');
  await use('bash', { command: `printf '%s\\n' '${'a'.repeat(5_000)}!' -dash > t` });
  expect(await use('grep', { pattern: '^(a+)+$' })).toBe('No lines match.');
  expect(await use('grep', { pattern: '-dash', path: 't' })).toBe('/workspace/t:2:-dash');
});

test('a mounted file that is too large to be loaded is said to be so', async () => {
  const path = '/mnt/session/uploads/huge.bin';
  const size_bytes = limits.file_bytes_max + 1;
  const named = { path, mode: 0o644, modified_at: '2026-01-01T00:00:00.000Z' };
  const content = { key: 'sessions/sesn_huge/uploads/file_1', offset: 0 };
  const { manifest } = await rig.files.manifests.read('sesn_huge');
  await rig.files.commit({
    session_id: 'sesn_huge',
    workspace_id: 'wrkspc_1',
    base: manifest,
    changes: [
      {
        path,
        base: undefined,
        next: { kind: 'file', ...named, size_bytes, sha256: 'a'.repeat(64), content },
      },
    ],
    author: written_by,
    on_conflict: 'refuse',
  });
  const run = inSession(rig, 'sesn_huge');
  const text = /too large to be loaded: 104857601 bytes, at most 104857600/;
  expect(await run('read', { file_path: path })).toMatch(text);
  expect(await run('bash', { command: `cat ${path}` })).toMatch(/too large to be loaded/);
  expect(await run('bash', { command: `stat -c %s ${path} && cp ${path} /tmp/copy` })).toBe(
    '104857601',
  );
});
