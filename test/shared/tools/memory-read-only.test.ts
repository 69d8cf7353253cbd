/** A store that may only be read is never written, not even by a sandbox that was broken out of. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SandboxReply } from '#shared/tools/sandbox.ts';
import { workspace_id } from '../memory/store.ts';
import { aCall, startRig, type Rig } from './rig.ts';
import { mountOf, storeWith, whole, withStores } from './stores.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ memories_max: 40 });
});
afterAll(async () => {
  await rig.stop();
});
const never = new AbortController().signal;

const writings: readonly string[] = [
  'echo x > $M/notes.md',
  'echo x >> $M/notes.md',
  'echo x > $M/new.md',
  'echo x | tee $M/notes.md',
  'rm $M/notes.md',
  'rm -r $M',
  'rm -rf $M/*',
  'rm -r /mnt/memory',
  'mv $M/notes.md /tmp/n',
  'mv $M /tmp/m',
  'mv /mnt/memory /tmp/m',
  'touch f; mv f $M/notes.md',
  'touch f; cp f $M/f',
  'mkdir d; touch d/f; cp -r d $M/',
  'mkdir $M/folder',
  'ln -s $M/notes.md l; echo x > l',
  'ln -s $M d2; echo x > d2/new',
  'ln -s /mnt p; rm -r p/memory/store',
  'ln $M/notes.md /tmp/hard',
  'ln -s /tmp/x $M/link',
  'cd $M; touch notes.md',
  'chmod 777 $M/notes.md',
  'sed -i s/note/x/ $M/notes.md',
  'find $M -delete',
  "python3 -c \"open('$M/notes.md', 'w').write('x')\"",
  "python3 -c \"open('$M/new.md', 'a').write('x')\"",
  'python3 -c "import os; os.remove(\'$M/notes.md\')"',
  "python3 -c \"import os; os.rename('$M/notes.md', '/tmp/x')\"",
  'sqlite3 $M/db "create table t (a)"',
  'echo x > /mnt/memory/new',
  'mkdir /mnt/memory/other',
  'mv f /mnt/memory/f',
];

test.each(writings)('a read-only store is not changed by: %s', async (command) => {
  const id = await storeWith(rig, { '/notes.md': 'note' });
  const use = withStores(rig, `sesn_${writings.indexOf(command)}`, mountOf(id, 'read_only'));
  const before = await whole(rig, id);
  const all = `touch f; ${command.replaceAll('$M', '/mnt/memory/store')}`;
  expect(await use('bash', { command: all })).toMatch(/^! /);
  expect(await use('bash', { command: 'cat /mnt/memory/store/*; ls /mnt/memory' })).toBe(
    'notestore',
  );
  expect(await whole(rig, id)).toEqual(before);
});

test('a script sees that it cannot redirect into a read-only store', async () => {
  const id = await storeWith(rig, { '/notes.md': 'note' });
  const use = withStores(rig, 'sesn_script', mountOf(id, 'read_only'));
  const command = 'cd /mnt/memory/store; echo x > a || echo refused; echo x >> notes.md; echo $?';
  const why = (name: string) => `bash: ${name}: read-only file system`;
  expect(await use('bash', { command })).toBe(
    ['refused', '1', why('a'), why('notes.md')].join('\n'),
  );
});

test('the file tools say that a store is read-only, and read it', async () => {
  const id = await storeWith(rig, { '/notes.md': 'note' });
  const use = withStores(rig, 'sesn_ro', mountOf(id, 'read_only'));
  const file_path = '/mnt/memory/store/notes.md';
  expect(await use('read', { file_path })).toContain('note');
  expect(await use('write', { file_path, content: 'x' })).toMatch(/^! EROFS/);
  expect(await use('write', { file_path: '/mnt/memory/x/y', content: 'x' })).toMatch(/^! EROFS/);
  expect(await use('edit', { file_path, old_string: 'note', new_string: 'x' })).toMatch(/^! EROFS/);
  expect(await use('bash', { command: 'cp -r /mnt/memory/store copy; cat copy/notes.md' })).toBe(
    'note',
  );
  expect(
    await use('bash', {
      command: 'cat copy/notes.md; echo own > copy/notes.md; cat copy/notes.md',
    }),
  ).toBe('noteown');
});

const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const file = {
  kind: 'file' as const,
  mode: 0o644,
  modified_at: '2026-01-01T00:00:00.000Z',
  size_bytes: 0,
  sha256,
};
const none = { base64: '' };
const rw = '/mnt/memory/rw';

test.each<[lie: string, change: SandboxReply['changes'][number]]>([
  ['a memory of a read-only store', { ...file, path: '/mnt/memory/ro/new', content: none }],
  ['the removal of one', { kind: 'gone', path: '/mnt/memory/ro/a' }],
  ['a path beside the mounts', { ...file, path: '/mnt/memory/x', content: none }],
  ['a path that begins like a mount', { ...file, path: `${rw}x/y`, content: none }],
  ['a mount', { ...file, path: rw, content: none }],
  ['another content than it names', { ...file, path: `${rw}/x`, size_bytes: 1, content: none }],
  ['what no store has', { ...file, path: `${rw}/x`, content: { same_as: '/mnt/memory/ro/b' } }],
])('a sandbox that was broken out of cannot write %s', async (_, change) => {
  const id = await storeWith(rig, { '/a': '' });
  const mounts = [
    mountOf(id, 'read_only', '/mnt/memory/ro'),
    mountOf(await storeWith(rig), 'read_write', rw),
  ];
  const before = await whole(rig, id);
  rig.sandbox.handler = async () => ({ content: [], is_error: false, changes: [change] });
  const call = aCall('bash', { command: 'ls' }, { session_id: 'sesn_lie', workspace_id, mounts });
  await expect(rig.runner.run(call, never)).rejects.toThrow(/./);
  rig.sandbox.handler = undefined;
  expect(await whole(rig, id)).toEqual(before);
});
