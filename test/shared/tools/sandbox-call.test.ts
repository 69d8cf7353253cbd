import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { SandboxLost, type SandboxReply } from '#shared/tools/sandbox.ts';
import { aCall, inSession, startRig, textOf, type Rig } from './rig.ts';

/** The step's side of a call: what it does when the sandbox is lost, lies, or says too much. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});
const never = new AbortController().signal;

test('a command whose sandbox is lost is never run again, and says that it may have run', async () => {
  const use = inSession(rig, 'sesn_lost');
  let calls = 0;
  rig.sandbox.before = () => {
    calls += 1;
    throw new SandboxLost('it ran out of time');
  };
  expect(await use('bash', { command: 'echo 1 > f' })).toMatch(
    /^! .*ran out of time.*may have run/,
  );
  expect(calls).toBe(1);
  expect(await use('read', { file_path: 'f' })).toMatch(/^! .*may have run/);
  expect(calls).toBe(3);
  rig.sandbox.before = () => {};
});

test('a fault of our own infrastructure is thrown, not told to the model', async () => {
  rig.sandbox.before = () => {
    throw new Error('access denied');
  };
  await expect(rig.runner.run(aCall('bash', { command: 'ls' }), never)).rejects.toThrow(
    'access denied',
  );
  rig.sandbox.before = () => {};
});

test('an interrupted call is an error result', async () => {
  const stop = new AbortController();
  rig.sandbox.before = () => {
    stop.abort();
    throw new Error('aborted');
  };
  expect(textOf(await rig.runner.run(aCall('bash', { command: 'ls' }), stop.signal))).toMatch(
    /^! .*interrupted/,
  );
  rig.sandbox.before = () => {};
});

test('an answer is offered with its files once: behind a conflict they are written by themselves', async () => {
  const session_id = 'sesn_offered';
  const use = inSession(rig, session_id);
  await use('write', { file_path: '/tmp/f', content: 'one two' });
  const theirs = { old_string: 'one', new_string: 'ONE' };
  let offered = 0;
  rig.sandbox.before = async () => {
    rig.sandbox.before = () => {};
    await use('edit', { file_path: '/tmp/f', ...theirs });
  };
  const recordWith = async () => {
    offered += 1;
    return false;
  };
  const ours = { file_path: '/tmp/f', old_string: 'two', new_string: 'TWO' };
  await rig.runner.run(aCall('edit', ours, { session_id, recordWith }), never);
  expect(offered).toBe(1);
  expect(await use('bash', { command: 'cat /tmp/f' })).toBe('ONE TWO');
});

const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const file = {
  kind: 'file' as const,
  mode: 0o644,
  modified_at: '2026-01-01T00:00:00.000Z',
  size_bytes: 0,
  sha256,
};

test.each<[lie: string, change: SandboxReply['changes'][number]]>([
  ['a path outside', { ...file, path: '/etc/passwd', content: { base64: '' } }],
  ['a path that climbs', { ...file, path: '/workspace/../etc/x', content: { base64: '' } }],
  ['another session\u2019s path', { kind: 'gone', path: 'FILES#other' }],
  ['another size', { ...file, path: '/tmp/f', size_bytes: 1, content: { base64: '' } }],
  [
    'another hash',
    { ...file, path: '/tmp/f', sha256: sha256.replace('e', 'f'), content: { base64: '' } },
  ],
  [
    'a content that it does not have',
    { ...file, path: '/tmp/f', content: { same_as: '/tmp/none' } },
  ],
])('a sandbox that was broken out of cannot write %s', async (_, change) => {
  rig.sandbox.handler = async () => ({ content: [], is_error: false, changes: [change] });
  await expect(
    rig.runner.run(aCall('bash', { command: 'ls' }, { session_id: 'sesn_lie' }), never),
  ).rejects.toThrow(/./);
  rig.sandbox.handler = undefined;
  expect(
    await inSession(rig, 'sesn_lie')('bash', { command: 'find /tmp /workspace -type f' }),
  ).toBe('');
});

test('an output that is too long goes to a file of the session', async () => {
  const outcome = await rig.runner.run(
    aCall(
      'bash',
      { command: 'seq 1 30000' },
      { session_id: 'sesn_output', event_id: 'sevt_output' },
    ),
    never,
  );
  const text = textOf(outcome);
  expect(text.length).toBeLessThan(limits.tool_preview_chars + 300);
  expect(text).toMatch(/^1\n2\n3\n/);
  expect(text).toContain('The whole is in /mnt/session/tool_outputs/sevt_output.txt.');
  expect(
    await inSession(rig, 'sesn_output')('bash', {
      command: 'tail -1 /mnt/session/tool_outputs/sevt_output.txt',
    }),
  ).toBe('30000');
});

test('contents that do not fit into a reply go through the bucket', async () => {
  const use = inSession(rig, 'sesn_large');
  const command = "python3 -c \"open('big', 'w').write('abcdefg' * 1000000)\"; printf small > s";
  expect(await use('bash', { command })).toBe('');
  expect(
    rig.blobs.requests.some((request) => request.startsWith('PUT sessions/sesn_large/packs/')),
  ).toBe(true);
  expect(await use('bash', { command: 'wc -c < big; tail -c 7 big; cat s' })).toMatch(
    /^\s*7000000\nabcdefgsmall$/,
  );
});

test(
  'a manifest that does not fit into a request goes through the bucket',
  { timeout: 60_000 },
  async () => {
    const use = inSession(rig, 'sesn_wide');

    const deep = Array.from({ length: 4 }, () => 'n'.repeat(200)).join('/');
    const command = `mkdir -p ${deep}; cd ${deep}; for i in $(seq 1000); do : > f$i; done`;
    await use('bash', { command });
    expect(await use('bash', { command: 'ls | wc -l' })).toMatch(/^\s*1000$/);
    expect(rig.sandbox.requests.at(-1)?.parts).toEqual([{ url: expect.any(String) }]);
  },
);

test.each([
  ['bash', { command: 1 }, 'bash: command: must be of type string.'],
  ['bash', { cmd: 'ls' }, 'bash: cmd: unknown field'],
  ['bash', {}, 'command is required'],
  ['read', {}, 'read: file_path: is required'],
  ['read', { file_path: 'f', view_range: [1] }, 'read: view_range: must'],
  [
    'edit',
    { file_path: 'f', old_string: '', new_string: '' },
    'edit: old_string: must have at least 1 character',
  ],
  ['glob', 'text', 'glob: '],
  ['grep', null, 'grep: '],
  ['web_fetch', { url: 1 }, 'web_fetch: url: must be of type string.'],
  ['web_search', { query: 'x' }, 'unavailable: no web search is configured.'],
  ['nothing', {}, "There is no tool 'nothing'."],
])('%s with the input %j is an error that names what is wrong', async (name, input, expected) => {
  expect(textOf(await rig.runner.run(aCall(name, input), never))).toContain(`! ${expected}`);
});

test('a path as long as its row can be is kept, and a longer one refused wherever it is made', async () => {
  const use = inSession(rig, 'sesn_long');
  const folder = Array.from({ length: 4 }, () => 'n'.repeat(200)).join('/');
  const path = `/workspace/${folder}/${'x'.repeat(limits.path_bytes_max - 11 - folder.length - 1)}`;
  expect(await use('write', { file_path: path, content: 'long' })).toContain('Wrote 4 bytes');
  expect(await use('bash', { command: `cat ${path}` })).toBe('long');
  expect(await use('write', { file_path: `${path}x`, content: '' })).toMatch(/^! .*1022 bytes/);
  for (const command of [
    `ln -s /workspace/${folder} l; echo x > l/${'y'.repeat(220)}`,
    `mkdir -p a/b; echo x > a/b/${'y'.repeat(220)}; mv a ${folder}/a`,
    `mkdir -p c/b; echo x > c/b/${'y'.repeat(220)}; cp -r c ${folder}/c`,
    `echo x > ${'y'.repeat(256)}`,
  ]) {
    expect(await use('bash', { command })).toMatch(/^! .*too long/s);
  }
});

test('a file that loses a race under the longest name is kept beside it all the same', async () => {
  const use = inSession(rig, 'sesn_long_race');
  const name = 'n'.repeat(255);
  rig.sandbox.before = async ({ call }) => {
    if (call.tool !== 'bash') return;
    rig.sandbox.before = () => {};
    await use('write', { file_path: name, content: 'theirs' });
  };
  expect(await use('bash', { command: `printf ours > ${name}` })).toContain('version is in');
  expect(await use('bash', { command: 'cat *' })).toMatch(/^(ourstheirs|theirsours)$/);
});

test('a command that changes neither files nor its shell writes nothing', async () => {
  const use = inSession(rig, 'sesn_nothing');
  await use('bash', { command: 'echo hi; ls; (cd /tmp; x=1)' });
  expect((await rig.table.query({ pk: 'FILES#sesn_nothing', from: ' ', to: '~' })).rows).toEqual(
    [],
  );
});
