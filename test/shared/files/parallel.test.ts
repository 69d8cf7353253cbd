import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aCall, inSession, startRig, textOf, type Rig } from '../tools/rig.ts';

/** Threads of one session work on the same files at the same time: nothing is lost silently. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});
const never = new AbortController().signal;

test(
  '25 threads that edit one file at once all have their edit in it',
  { timeout: 60_000 },
  async () => {
    const use = inSession(rig, 'sesn_25');
    const lines = Array.from({ length: 25 }, (_, index) => `line ${index}.`);
    await use('write', { file_path: 'f', content: lines.join('\n') });
    const runners = [rig.runner, rig.another(), rig.another()];
    const outcomes = await Promise.all(
      lines.map(async (line, index) => {
        const input = { file_path: 'f', old_string: line, new_string: `${line} edited` };
        const call = aCall('edit', input, { session_id: 'sesn_25', thread_id: `sthr_${index}` });
        return textOf(
          (await runners[index % 3]?.run(call, never)) ?? { content: [], is_error: true },
        );
      }),
    );
    expect(outcomes).toEqual(lines.map(() => 'Edited /workspace/f: 1 replacement.'));
    expect(await use('bash', { command: 'cat f' })).toBe(
      lines.map((line) => `${line} edited`).join('\n'),
    );
  },
);

test('an edit whose text another thread took away meanwhile is told so', async () => {
  const use = inSession(rig, 'sesn_edit_gone');
  await use('write', { file_path: 'f', content: 'old' });
  meanwhile('edit', async () => {
    await use('write', { file_path: 'f', content: 'new' });
  });
  expect(await use('edit', { file_path: 'f', old_string: 'old', new_string: 'x' })).toMatch(
    /^! old_string does not stand in/,
  );
  expect(await use('bash', { command: 'cat f' })).toBe('new');
});

test('a write that meets another thread\u2019s write is refused, and theirs stands', async () => {
  const use = inSession(rig, 'sesn_write');
  meanwhile('write', async () => {
    await inSession(rig, 'sesn_write', { thread_id: 'sthr_2' })('bash', {
      command: 'echo theirs > f',
    });
  });
  expect(await use('write', { file_path: 'f', content: 'ours' })).toMatch(
    /^! .*changed by another thread/,
  );
  expect(await use('bash', { command: 'cat f' })).toBe('theirs');
});

test('of a command that loses a race, the losing file is kept beside the winner\u2019s', async () => {
  const use = inSession(rig, 'sesn_beside');
  await use('bash', { command: 'echo base | tee f g h' });
  meanwhile('bash', async () => {
    await inSession(rig, 'sesn_beside', { thread_id: 'sthr_2' })('write', {
      file_path: 'f',
      content: 'theirs',
    });
    await inSession(rig, 'sesn_beside', { thread_id: 'sthr_2' })('write', {
      file_path: 'h',
      content: 'theirs',
    });
  });
  const said = await use('bash', { command: 'echo ours > f; echo ours > g; rm h' });
  const [, beside = ''] = /version is in (\S+)\./.exec(said) ?? [];
  expect(said).toContain(
    '/workspace/h: this command removed it, the other thread changed it; it is kept.',
  );
  expect(await use('bash', { command: `cat f g h ${beside}` })).toBe(
    'theirs' + 'ours\ntheirs' + 'ours',
  );
});

test.each([
  ['short', 'base\n'],
  ['longer than a row holds', 'a line of some length\n'.repeat(500)],
])('what two commands append to one file at once is all there: %s', async (name, base) => {
  const session_id = `sesn_append_${name.length}`;
  const use = inSession(rig, session_id);
  await use('write', { file_path: 'log', content: base });
  meanwhile('bash', async () => {
    await inSession(rig, session_id, { thread_id: 'sthr_2', event_id: 'sevt_2' })('bash', {
      command: 'echo same >> log; echo theirs >> log',
    });
  });
  const said = await use('bash', { command: 'echo same >> log; echo ours >> log' });
  expect(said).toContain('/workspace/log: both have appended; the other thread');
  expect(await use('bash', { command: 'tail -n 4 log; ls' })).toBe('same\ntheirs\nsame\nours\nlog');
  expect(await use('bash', { command: 'wc -c < log' })).toBe(
    String(base.length + 'same\ntheirs\nsame\nours\n'.length),
  );
});

test('a file that one has appended to and another has rewritten is no appended one', async () => {
  const use = inSession(rig, 'sesn_rewritten');
  await use('write', { file_path: 'log', content: 'base\n' });
  meanwhile('bash', async () => {
    await inSession(rig, 'sesn_rewritten', { thread_id: 'sthr_2' })('bash', {
      command: 'echo rewritten > log',
    });
  });
  expect(await use('bash', { command: 'echo ours >> log' })).toContain('version is in');
  expect(await use('bash', { command: 'cat log' })).toBe('rewritten');
});

test('two commands that make the same file with the same content do not collide', async () => {
  const use = inSession(rig, 'sesn_same');
  meanwhile('bash', async () => {
    await inSession(rig, 'sesn_same', { thread_id: 'sthr_2' })('bash', {
      command: 'echo same > f',
    });
  });
  expect(await use('bash', { command: 'echo same > f' })).toBe('');
  expect(await use('bash', { command: 'ls' })).toBe('f');
});

test('one thread\u2019s file and another\u2019s folder of the same name are both kept', async () => {
  const use = inSession(rig, 'sesn_kinds');
  meanwhile('bash', async () => {
    await inSession(rig, 'sesn_kinds', { thread_id: 'sthr_2' })('bash', {
      command: 'mkdir d; echo 2 > d/x',
    });
  });
  await use('bash', { command: 'echo 1 > d' });
  const said = await use('bash', {
    command: 'cat d/x; cat d*.conflict* "d (file)" 2>/dev/null; true',
  });
  expect(said.split('\n').toSorted()).toEqual(['1', '2']);
});

test('a step function with an old manifest in memory sees what another one wrote', async () => {
  const another = rig.another();
  const call = async (name: string, input: unknown) =>
    textOf(await another.run(aCall(name, input, { session_id: 'sesn_warm' }), never));
  await call('write', { file_path: 'f', content: '1' });
  await inSession(rig, 'sesn_warm')('write', { file_path: 'f', content: '2' });
  expect(await call('bash', { command: 'cat f; echo 3 > f' })).toBe('2');
  expect(await inSession(rig, 'sesn_warm')('bash', { command: 'cat f' })).toBe('3');
});

/** Do something else after the next call of a tool has seen the files and before it is committed. */
function meanwhile(tool: string, act: () => Promise<void>): void {
  rig.sandbox.before = async ({ call }) => {
    if (call.tool !== tool) return;
    rig.sandbox.before = () => {};
    await act();
  };
}

test('two that write at once what a mounted file holds already are counted as it is', async () => {
  const session_id = 'sesn_renewed';
  const bytes = Buffer.from('mounted');
  const path = '/workspace/f';
  const author = { thread_id: 'sthr_1', event_id: 'sevt_1' };
  const content = { key: `sessions/${session_id}/uploads/f`, offset: 0 };
  await rig.blobs.put(content.key, bytes);
  const file = {
    kind: 'file' as const,
    path,
    mode: 0o644,
    modified_at: '2026-01-01T00:00:00.000Z',
    size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  const own = { session_id, workspace_id: 'wrkspc_1', author, on_conflict: 'refuse' } as const;
  const empty = (await rig.files.manifests.read(session_id)).manifest;
  const mounting = { path, base: undefined, next: { ...file, content } };
  await rig.files.commit({ ...own, base: empty, changes: [mounting] });
  const { manifest } = await rig.files.manifests.read(session_id);
  const writing = {
    path,
    base: manifest.entries.get(path),
    next: { ...file, content: { inline: bytes } },
  };
  await rig.files.commit({ ...own, base: manifest, changes: [writing] });
  await rig.another().files.commit({ ...own, base: manifest, changes: [writing] });
  const sums = { files_count: 1, size_bytes: bytes.length, inline_bytes: 0 };
  expect(await rig.files.manifests.totals(session_id)).toMatchObject(sums);
  expect((await rig.files.read(session_id, path)).bytes).toEqual(Buffer.from(bytes));
});
