/** Memories that others change while a call runs: nothing is lost silently. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeKey } from '#shared/memory/memory.ts';
import { broken } from '../memory/store.ts';
import { startRig, type Rig } from './rig.ts';
import { mountOf, storeWith, texts, withStores } from './stores.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ memories_max: 40 });
});
afterAll(async () => {
  await rig.stop();
});

test('an edit is done again on what another session wrote meanwhile', async () => {
  const id = await storeWith(rig, { '/a': 'one two' });
  const use = withStores(rig, 'sesn_edit', mountOf(id));
  meanwhile('edit', async () => {
    await withStores(
      rig,
      'sesn_edit_2',
      mountOf(id),
    )('bash', { command: 'echo -n "one two three" > /mnt/memory/store/a' });
  });
  const input = { file_path: '/mnt/memory/store/a', old_string: 'one', new_string: '1' };
  expect(await use('edit', input)).toContain('Edited');
  expect(await texts(rig, id)).toEqual({ '/a': '1 two three' });
});

test('a write that meets another session\u2019s write is refused, and theirs stands', async () => {
  const id = await storeWith(rig, { '/a': 'old' });
  const use = withStores(rig, 'sesn_refuse', mountOf(id));
  meanwhile('write', async () => {
    await withStores(
      rig,
      'sesn_refuse_2',
      mountOf(id),
    )('write', { file_path: '/mnt/memory/store/a', content: 'theirs' });
  });
  expect(await use('write', { file_path: '/mnt/memory/store/a', content: 'ours' })).toMatch(
    /^! \/mnt\/memory\/store\/a was changed by another thread at the same time. Nothing was written/,
  );
  expect(await texts(rig, id)).toEqual({ '/a': 'theirs' });
});

test('of a command that loses races, what lost is kept beside, and the rest as it is', async () => {
  const id = await storeWith(rig, { '/a': 'a', '/b': 'b', '/c': 'c', '/d': 'd' });
  const use = withStores(rig, 'sesn_beside', mountOf(id));
  meanwhile('bash', async () => {
    const command =
      'cd /mnt/memory/store; echo theirs | tee a c d n >/dev/null; rm b; mkdir f; echo theirs > f/x; echo theirs > g';
    await withStores(rig, 'sesn_beside_2', mountOf(id))('bash', { command });
  });
  const command =
    'cd /mnt/memory/store; echo ours | tee a b n f > /dev/null; mkdir g; echo ours > g/x; rm c; mv d e; echo fine > z';
  const said = await use('bash', { command });
  const [, suffix = ''] = /store\/a(\.conflict-\d{8})\./.exec(said) ?? [];
  expect(said).toContain(
    '/mnt/memory/store/c: this command removed it, the other writer changed it; it is kept.',
  );
  expect(await texts(rig, id)).toEqual({
    '/a': 'theirs\n',
    [`/a${suffix}`]: 'ours\n',
    [`/b${suffix}`]: 'ours\n',
    '/c': 'theirs\n',
    '/d': 'theirs\n',
    '/e': 'd',
    '/n': 'theirs\n',
    [`/n${suffix}`]: 'ours\n',
    '/f/x': 'theirs\n',
    [`/f${suffix}`]: 'ours\n',
    '/g': 'theirs\n',
    [`/g${suffix}/x`]: 'ours\n',
    '/z': 'fine\n',
  });
  expect(await broken(rig, id)).toEqual([]);
});

test('a full store takes what makes it no fuller, and says what it did not take', async () => {
  const all = Array.from({ length: 40 }, (_, index) => [`/${index}`, String(index)]);
  const id = await storeWith(rig, Object.fromEntries(all));
  const use = withStores(rig, 'sesn_full', mountOf(id));
  const said = await use('bash', { command: 'cd /mnt/memory/store; echo x > 0; echo new > new' });
  expect(said).toMatch(/^! .*store\/new: memory store .* is full/s);
  const after = await texts(rig, id);
  expect(after['/0']).toBe('x\n');
  expect(after).not.toHaveProperty('/new');
  expect(await use('write', { file_path: '/mnt/memory/store/new', content: '' })).toMatch(
    /^! .*store\/new was not written: memory store .* is full/,
  );
  await use('bash', { command: 'cd /mnt/memory/store; rm 1; echo new > new' });
  expect(await texts(rig, id)).toHaveProperty('/new');
});

test.each<[state: string, at: 'archived_at' | 'deleted_at', after: string]>([
  ['archived', 'archived_at', 'a'],
  ['deleted', 'deleted_at', ''],
])(
  'a store that is %s while a command runs, or before, takes nothing and says why',
  async (state, at, after) => {
    const id = await storeWith(rig, { '/a': 'a' });
    const use = withStores(rig, `sesn_${state}`, mountOf(id));
    meanwhile('bash', async () => {
      await rig.table.update({
        update: storeKey(id),
        expression: `SET ${at} = :at`,
        values: { ':at': new Date().toISOString() },
      });
    });
    const command = 'cd /mnt/memory/store; echo x > a; echo own > /workspace/own';
    expect(await use('bash', { command })).toMatch(/^! .*store\/a: memory store/s);
    expect(await use('bash', { command: 'cat a 2>/dev/null; cd /workspace; cat own' })).toMatch(
      new RegExp(`${after}own$`),
    );
    expect(await use('bash', { command: 'echo x > /mnt/memory/store/a' })).toMatch(
      new RegExp(`^! .*read-only file system \\(the memory store was ${state}\\)`, 's'),
    );
    const file_path = '/mnt/memory/store/b';
    expect(await use('write', { file_path, content: '' })).toContain(
      `the memory store was ${state}`,
    );
  },
);

test('25 sessions that append to one memory at once lose no line without a word', async () => {
  const id = await storeWith(rig, { '/log': 'begin\n' });
  const runners = [rig.runner, rig.another(), rig.another()];
  const outcomes = await Promise.all(
    Array.from({ length: 25 }, async (_, index) => {
      const runner = runners[index % 3] ?? rig.runner;
      const use = withStores({ ...rig, runner }, `sesn_append_${index}`, mountOf(id));
      return await use('bash', { command: `echo line ${index}. >> /mnt/memory/store/log` });
    }),
  );
  const found = await texts(rig, id);
  for (const [index, said] of outcomes.entries()) {
    const [, path = '/log'] = /version is in \/mnt\/memory\/store(\S+)\./.exec(said) ?? [];
    expect(found[path]).toContain(`line ${index}.\n`);
  }
  expect(await broken(rig, id)).toEqual([]);
}, 60_000);

/** Do something else after the next call of a tool has seen the stores and before it is kept. */
function meanwhile(tool: string, act: () => Promise<void>): void {
  rig.sandbox.before = async ({ call }) => {
    if (call.tool !== tool) return;
    rig.sandbox.before = () => {};
    await act();
  };
}
