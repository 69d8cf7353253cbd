/** Memory stores in the file system of a session, over a real table and the real sandbox code. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { broken, workspace_id } from '../memory/store.ts';
import { inSession, startRig, type Rig } from './rig.ts';
import { mountOf, storeWith, texts, whole, withStores } from './stores.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ memories_max: 40 });
});
afterAll(async () => {
  await rig.stop();
});
const large = 'a line of a large memory\n'.repeat(400);

test('memories are files, and what tools do to them are versions by the session', async () => {
  const id = await storeWith(rig, { '/notes/a.md': 'first\n', '/large.md': large });
  const use = withStores(rig, 'sesn_files', mountOf(id));
  expect(await use('read', { file_path: '/mnt/memory/store/notes/a.md' })).toContain('first');
  expect(await use('bash', { command: 'cd /mnt/memory/store; wc -l < large.md; ls' })).toMatch(
    /400\nlarge.md\nnotes$/,
  );
  expect(await use('grep', { pattern: 'first', path: '/mnt/memory' })).toContain('notes/a.md:1');
  await use('edit', {
    file_path: '/mnt/memory/store/notes/a.md',
    old_string: 'first',
    new_string: 'second',
  });
  await use('write', { file_path: '/mnt/memory/store/new/deep/b.md', content: 'b' });
  await use('bash', { command: 'cd /mnt/memory/store; rm large.md; echo more >> new/deep/b.md' });
  expect(await texts(rig, id)).toEqual({ '/notes/a.md': 'second\n', '/new/deep/b.md': 'bmore\n' });
  const { versions } = await whole(rig, id);
  const own = versions.filter(({ created_by }) => created_by.type === 'session_actor');
  expect(own.map(({ operation }) => operation).toSorted()).toEqual([
    'created',
    'deleted',
    'modified',
    'modified',
  ]);
  for (const { created_by, written_by } of own) {
    expect(created_by).toEqual({ type: 'session_actor', session_id: 'sesn_files' });
    expect(written_by).toEqual({
      thread_id: 'sthr_1',
      event_id: expect.stringMatching(/^sevt_\d{8}$/),
    });
  }
  expect(await broken(rig, id)).toEqual([]);
});

test('a call that changes no memory writes none, and the next one reads the store no more', async () => {
  const id = await storeWith(rig, { '/a': 'a', '/b': 'b' });
  const use = withStores(rig, 'sesn_same', mountOf(id));
  const before = await whole(rig, id);
  await use('bash', { command: 'cd /mnt/memory/store; cat *; echo -n a > a; touch b' });
  expect(await whole(rig, id)).toEqual(before);
});

test('a call that changes memories is recorded behind them, one that changes files with those', async () => {
  const id = await storeWith(rig, { '/a': 'a' });
  let offered = 0;
  const recordWith = async () => {
    offered += 1;
    return false;
  };
  const patch = { workspace_id, mounts: [mountOf(id)], recordWith };
  const use = inSession(rig, 'sesn_both', patch);
  await use('bash', { command: 'echo b > /tmp/b; mv /mnt/memory/store/a /tmp/a' });
  expect(offered).toBe(0);
  await use('bash', { command: 'cat /tmp/a > /tmp/c' });
  expect(offered).toBe(1);
});

test('what is moved within a store keeps its id, and a folder moves whole', async () => {
  const id = await storeWith(rig, {
    '/a.md': 'a',
    '/d/b.md': 'same',
    '/d/c.md': 'same',
    '/l': large,
  });
  const use = withStores(rig, 'sesn_rename', mountOf(id));
  const ids = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await whole(rig, id)).memories.map(({ sk, memory_id }) => [sk, memory_id]));
  const before = await ids();
  expect(await use('bash', { command: 'cd /mnt/memory/store; mv a.md z.md; mv d e; mv l m' })).toBe(
    '',
  );
  expect(await ids()).toEqual({
    '/z.md': before['/a.md'],
    '/e/b.md': before['/d/b.md'],
    '/e/c.md': before['/d/c.md'],
    '/m': before['/l'],
  });
  expect(
    await use('bash', { command: 'cd /mnt/memory/store; cat z.md e/b.md; wc -l < m' }),
  ).toMatch(/^asame\s*400$/);
  // A memory becomes a folder and a folder a memory, in one command.
  await use('bash', {
    command:
      'cd /mnt/memory/store; mv z.md t; mkdir z.md; mv t z.md/a; mv e/b.md x; rm -r e; mv x e',
  });
  expect(Object.keys(await texts(rig, id)).toSorted()).toEqual(['/e', '/m', '/z.md/a']);
  expect(await broken(rig, id)).toEqual([]);
});

test('each session sees what the others wrote at its next call', async () => {
  const id = await storeWith(rig, { '/a': '1' });
  const one = withStores(rig, 'sesn_one', mountOf(id));
  const two = withStores(
    { ...rig, runner: rig.another() },
    'sesn_two',
    mountOf(id, 'read_write', '/mnt/memory/other'),
  );
  expect(await one('bash', { command: 'cat /mnt/memory/store/a' })).toBe('1');
  await two('bash', { command: 'cd /mnt/memory/other; echo 2 > a; echo new > b' });
  expect(await one('bash', { command: 'cd /mnt/memory/store; cat a b; echo 3 >> a' })).toBe(
    '2\nnew',
  );
  expect(await two('bash', { command: 'cat /mnt/memory/other/a; rm /mnt/memory/other/b' })).toBe(
    '2\n3',
  );
  expect(await one('bash', { command: 'ls /mnt/memory/store' })).toBe('a');
});

test.each<[name: string, command: string, said: RegExp]>([
  ['a link', 'ln -s a $M/l', /cannot be a link/],
  ['a link that is moved there', 'ln -s /tmp l; mv l $M/l', /\$M\/l: a memory cannot be a link/],
  [
    'bytes that are no text',
    "python3 -c \"open('$M/x', 'wb').write(bytes([255, 254]))\"",
    /\$M\/x: a memory must be UTF-8 text/,
  ],
  [
    'a text that is too large',
    `printf '%102401d' 1 > $M/x`,
    /\$M\/x: it has 102401 bytes, a memory at most 102400/,
  ],
  [
    'a name with a control character',
    "echo x > $M/$'a\\tb'",
    /the path in the store must not hold control/,
  ],
  [
    'a path that is too deep',
    'mkdir -p $M/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20; echo x > $M/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/x',
    /at most 20 segments/,
  ],
])('of a command, %s is said not to be kept, and the rest is', async (_, command, said) => {
  const id = await storeWith(rig, { '/a': 'a' });
  const use = withStores(rig, `sesn_kept_${said.source}`, mountOf(id));
  const M = '/mnt/memory/store';
  const text = await use('bash', { command: `echo b > ${M}/b; ${command.replaceAll('$M', M)}` });
  expect(text).toMatch(/^! /);
  expect(text.replaceAll(M, '$M')).toMatch(said);
  expect(await texts(rig, id)).toEqual({ '/a': 'a', '/b': 'b\n' });
});

test('an empty folder and a mode are not kept, and no error', async () => {
  const id = await storeWith(rig, { '/a': 'a', '/d/b': 'b' });
  const use = withStores(rig, 'sesn_modes', mountOf(id));
  const command = 'cd /mnt/memory/store; mkdir -p e/f; chmod +x a; rm d/b';
  const said = await use('bash', { command });
  expect(said).toContain('/mnt/memory/store/e/f: a store keeps no empty folders.');
  expect(said).toContain('/mnt/memory/store/a: memories have no modes.');
  expect(said).not.toMatch(/^!|store\/d:/);
  expect(await use('bash', { command: 'cd /mnt/memory/store; ls; test -x a' })).toBe(
    '! a\n[exit code 1]',
  );
});

test.each<[name: string, content: string, file_path: string, said: RegExp]>([
  [
    'too large a text',
    'x'.repeat(limits.memory_bytes_max + 1),
    'x',
    /was not written: it has 102401 bytes/,
  ],
  ['a path with a control character', 'x', 'a\u0007b', /was not written: the path in the store/],
  ['a path that is no normal form', 'x', 'e\u0301', /Normalization Form C/],
])('the write tool says that %s is not written', async (_, content, name, said) => {
  const id = await storeWith(rig);
  const use = withStores(rig, 'sesn_write', mountOf(id));
  const text = await use('write', { file_path: `/mnt/memory/store/${name}`, content });
  expect(text).toMatch(/^! /);
  expect(text).toMatch(said);
  expect(await texts(rig, id)).toEqual({});
});

test('the longest path of a memory can be written, read and moved', async () => {
  const id = await storeWith(rig);
  const slug = 's'.repeat(255);
  const use = withStores(rig, 'sesn_long', mountOf(id, 'read_write', `/mnt/memory/${slug}`));
  const name = 'x'.repeat(1_023);
  const file_path = `/mnt/memory/${slug}/${name}`;
  expect(await use('write', { file_path, content: 'long' })).toContain('Wrote 4 bytes');
  expect(await use('read', { file_path })).toContain('long');
  expect(
    await use('bash', { command: `cd /mnt/memory/${slug}; mv ${name} y${name.slice(1)}` }),
  ).toBe('');
  expect(Object.keys(await texts(rig, id))).toEqual([`/y${name.slice(1)}`]);
  expect(await use('write', { file_path: `${file_path}x`, content: '' })).toMatch(
    /^! .*must have at most 1024 bytes/,
  );
});

test('what is moved between the session and stores is never in neither', async () => {
  const [one, two] = [await storeWith(rig, { '/a': 'a', '/l': large }), await storeWith(rig)];
  const use = withStores(
    rig,
    'sesn_moves',
    mountOf(one, 'read_write', '/mnt/memory/one'),
    mountOf(two, 'read_write', '/mnt/memory/two'),
  );
  const command =
    'cd /mnt/memory; mv one/l /workspace/l; mv one/a two/a; echo own > /workspace/o; cp /workspace/o two/o; cd /workspace';
  expect(await use('bash', { command })).toBe('');
  expect(await texts(rig, one)).toEqual({});
  expect(await texts(rig, two)).toEqual({ '/a': 'a', '/o': 'own\n' });
  expect(await use('bash', { command: 'wc -l < l; mv l /mnt/memory/two/l; ls' })).toMatch(
    /^\s*400\no$/,
  );
  expect((await texts(rig, two))['/l']).toBe(large);
  // A session's file must not point into a store: it would go with it.
  const rows = await rig.files.list('sesn_moves', '/workspace');
  expect(
    rows.every(({ content }) => 'inline' in content || content.key.startsWith('sessions/')),
  ).toBe(true);
});

test('what cannot be kept where it was moved to stays where it was', async () => {
  const id = await storeWith(rig, { '/a': 'a' });
  const use = withStores(rig, 'sesn_stay', mountOf(id));
  const command =
    "python3 -c \"open('b', 'wb').write(bytes([255]))\"; mv /mnt/memory/store/a $'/mnt/memory/store/c\\td'";
  expect(await use('bash', { command })).toContain('/mnt/memory/store/a: it is still there');
  expect(await use('bash', { command: 'mv b /mnt/memory/store/b' })).toContain(
    '/workspace/b: it is still there',
  );
  expect(await use('bash', { command: 'ls' })).toBe('b');
  expect(await texts(rig, id)).toEqual({ '/a': 'a' });
});

test('what is moved out of a store whose content cannot be read any more stays there', async () => {
  const id = await storeWith(rig, { '/l': large });
  const use = withStores(rig, 'sesn_unreadable', mountOf(id));
  const before = await whole(rig, id);
  rig.sandbox.before = async () => {
    rig.sandbox.before = () => {};
    for (const key of before.objects) rig.blobs.objects.delete(key);
  };
  const said = await use('bash', { command: 'mv /mnt/memory/store/l own' });
  expect(said).toContain('/workspace/own: the content that it was copied from cannot be read');
  expect(said).toContain('/mnt/memory/store/l: it is still there');
  expect((await whole(rig, id)).memories).toEqual(before.memories);
});

test('a mount is emptied and filled, but neither removed nor moved', async () => {
  const id = await storeWith(rig, { '/a': 'a', '/d/b': 'b' });
  const use = withStores(rig, 'sesn_busy', mountOf(id));
  for (const command of [
    'rm -rf /mnt/memory/store',
    'mv /mnt/memory/store /tmp/s',
    'rm -r /mnt/memory',
  ]) {
    expect(await use('bash', { command })).toMatch(/^! .*(busy|read-only)/s);
  }
  expect(Object.keys(await texts(rig, id))).toEqual(['/a', '/d/b']);
  await use('bash', {
    command:
      'rm -rf /mnt/memory/store/*; mkdir -p s/e; echo 1 > s/x; echo 2 > s/e/y; cp -r s/. /mnt/memory/store',
  });
  expect(await texts(rig, id)).toEqual({ '/e/y': '2\n', '/x': '1\n' });
});
