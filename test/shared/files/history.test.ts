import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { filesKey } from '#shared/files/entry.ts';
import { everyVersion, historyOf } from '#shared/files/history.ts';
import { aCall, inSession, startRig, textOf, type Rig } from '../tools/rig.ts';

/** Who wrote what to a path, in which order: kept by the transaction that writes over it. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});
const never = new AbortController().signal;
const table = () => rig.files.ports.table;

async function use(session_id: string, thread_id: string, name: string, input: object) {
  const call = aCall(name, { ...input }, { session_id, thread_id });
  return textOf(await rig.runner.run(call, never));
}

const threads = async (session_id: string, path: string) =>
  (await historyOf(table(), session_id, path)).map(({ written_by }) => written_by.thread_id);

test('versions are listed newest first, with who ended each, also once the path is free', async () => {
  const f = { file_path: '/workspace/f' };
  await use('sesn_h', 'sthr_a', 'write', { ...f, content: 'one' });
  await use('sesn_h', 'sthr_b', 'edit', { ...f, old_string: 'one', new_string: 'twenty' });
  await use('sesn_h', 'sthr_c', 'bash', {
    command: 'chmod 600 /workspace/f; echo more >> /workspace/f; touch -d 2001-01-01 /workspace/f',
  });
  const three = await historyOf(table(), 'sesn_h', '/workspace/f');
  expect(three[0]?.written_at).toMatch(/^20[2-9]/);
  expect(three).toMatchObject([
    { written_by: { thread_id: 'sthr_c' }, ended_by: null },
    {
      written_by: { thread_id: 'sthr_b' },
      size_bytes: 6,
      ended_by: { thread_id: 'sthr_c', removed: false },
    },
    {
      written_by: { thread_id: 'sthr_a' },
      size_bytes: 3,
      ended_by: { thread_id: 'sthr_b', removed: false },
    },
  ]);
  await use('sesn_h', 'sthr_a', 'bash', { command: 'rm /workspace/f' });
  const gone = await historyOf(table(), 'sesn_h', '/workspace/f');
  expect(gone[0]).toMatchObject({
    version: three[0]?.version,
    ended_by: { thread_id: 'sthr_a', removed: true },
  });
  await use('sesn_h', 'sthr_d', 'write', { ...f, content: 'again' });
  expect(await threads('sesn_h', '/workspace/f')).toEqual(['sthr_d', 'sthr_c', 'sthr_b', 'sthr_a']);
  const all = [];
  for await (const page of everyVersion(table(), 'sesn_h')) all.push(...page);
  expect(all.map(({ written_by }) => written_by.thread_id).toSorted()).toEqual([
    'sthr_a',
    'sthr_b',
    'sthr_c',
    'sthr_d',
  ]);
});

test('a file that is written once costs no row, and neither does a change of its time alone', async () => {
  await use('sesn_once', 'sthr_a', 'bash', { command: 'for i in 1 2 3; do echo $i > $i; done' });
  await use('sesn_once', 'sthr_b', 'bash', { command: 'touch 1 2 3' });
  const { rows } = await table().query({ pk: filesKey('sesn_once'), from: 'V#', to: 'V#~' });
  expect(rows).toEqual([]);
  expect(await threads('sesn_once', '/workspace/2')).toEqual(['sthr_a']);
});

test('of a path as many versions are kept as there are places, the newest of them', async () => {
  const session_id = 'sesn_many';
  const written = limits.file_history_max + 5;
  for (let n = 1; n <= written; n++) {
    const written_by = { thread_id: `sthr_${n}`, event_id: `sevt_${n}` };
    await rig.files.write(session_id, '/tmp/f', Buffer.from(String(n)), {
      workspace_id: 'wrkspc_1',
      written_by,
    });
  }
  const kept = await threads(session_id, '/tmp/f');
  expect(kept).toHaveLength(limits.file_history_max + 1);
  expect(kept[0]).toBe(`sthr_${written}`);
  expect(kept.at(-1)).toBe(`sthr_${written - limits.file_history_max}`);
});

test('what a path held before it was free stays in its history when it is written anew', async () => {
  const path = '/workspace/again';
  const written: string[] = [];
  for (let life = 1; life <= 5; life++) {
    const [first, second] = [`sthr_${life}a`, `sthr_${life}b`];
    written.unshift(second, first);
    await use('sesn_lives', first, 'write', { file_path: path, content: first });
    await use('sesn_lives', second, 'write', { file_path: path, content: second });
    await use('sesn_lives', 'sthr_rm', 'bash', { command: `rm ${path}; echo ${life} > other` });
  }
  expect(await threads('sesn_lives', path)).toEqual(written);
});

test('the longest path has a history, and one that never was has none', async () => {
  const path = `/tmp/${'d/'.repeat(400)}${'f'.repeat(200)}`;
  const by = (event_id: string) => ({
    workspace_id: 'w',
    written_by: { thread_id: 'sthr_1', event_id },
  });
  await rig.files.write('sesn_long', path, Buffer.from('1'), by('sevt_1'));
  await rig.files.write('sesn_long', path, Buffer.from('2'), by('sevt_2'));
  expect(await threads('sesn_long', path)).toEqual(['sthr_1', 'sthr_1']);
  expect(await historyOf(table(), 'sesn_long', '/tmp/other')).toEqual([]);
});

test(
  'threads that append to one file at once all stand in its history',
  { timeout: 60_000 },
  async () => {
    const ids = Array.from({ length: 8 }, (_, n) => `sthr_${n}`);
    await inSession(rig, 'sesn_8')('write', { file_path: 'f', content: 'head\n' });
    await Promise.all(
      ids.map(async (id) => {
        const input = { file_path: 'f', old_string: 'head\n', new_string: `head\n${id}\n` };
        await use('sesn_8', id, 'edit', input);
      }),
    );
    const listed = await threads('sesn_8', '/workspace/f');
    expect(listed.slice(0, -1).toSorted()).toEqual(ids.toSorted());
  },
);
