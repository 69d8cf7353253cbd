import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeToolRunner } from '#shared/tools/runner.ts';
import { aCall, inSession, startRig, textOf, type Rig } from './rig.ts';

/** The six tools end to end: a real table, objects over HTTP, the sandbox function in this process. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

test('a file that write made is read, edited, found and searched by the other tools', async () => {
  const use = inSession(rig, 'sesn_tools');
  expect(await use('write', { file_path: 'notes/a.md', content: 'one\ntwo\n' })).toBe(
    'Wrote 8 bytes to /workspace/notes/a.md.',
  );
  expect(await use('read', { file_path: 'notes/a.md' })).toBe('     1\tone\n     2\ttwo');
  expect(
    await use('edit', { file_path: '/workspace/notes/a.md', old_string: 'two', new_string: '2' }),
  ).toBe('Edited /workspace/notes/a.md: 1 replacement.');
  expect(await use('glob', { pattern: '**/*.md' })).toBe('/workspace/notes/a.md');
  expect(await use('grep', { pattern: '^\\d$' })).toBe('/workspace/notes/a.md:2:2');
  expect(await use('bash', { command: 'cat notes/a.md | tr a-z A-Z' })).toBe('ONE\n2');
});

test('a shell keeps its directory, variables, arrays, options and functions from call to call', async () => {
  const use = inSession(rig, 'sesn_shell');
  await use('bash', {
    command:
      'mkdir -p sub; cd sub; export A="x y"; b=(1 "2 3"); declare -A m; m[k]="v w"; set -u; f() { echo "f:$1"; }',
  });
  expect(
    await use('bash', { command: 'pwd; echo "$A" "${b[1]}" "${m[k]}"; f 1; env | grep ^A=' }),
  ).toBe('/workspace/sub\nx y 2 3 v w\nf:1\nA=x y');
  expect(await use('bash', { command: 'echo $unset' })).toMatch(/^! .*unbound variable/);
  expect(await use('bash', { restart: true })).toBe('The shell was restarted.');
  expect(await use('bash', { command: 'pwd; echo "[$A]"; f 1' })).toMatch(
    /^! \/workspace\n\[\]\n.*f: command not found\n\[exit code 127\]$/,
  );
});

test('a shell belongs to one thread; its files belong to all', async () => {
  const one = inSession(rig, 'sesn_threads', { thread_id: 'sthr_a' });
  const two = inSession(rig, 'sesn_threads', { thread_id: 'sthr_b' });
  await one('bash', { command: 'cd /tmp; V=1; echo hi > f' });
  expect(await two('bash', { command: 'pwd; echo "[$V]"; cat /tmp/f' })).toBe('/workspace\n[]\nhi');
});

test('an exit leaves the shell as it was before the command', async () => {
  const use = inSession(rig, 'sesn_exit');
  await use('bash', { command: 'V=1' });
  expect(await use('bash', { command: 'V=2; cd /tmp; exit 3' })).toBe('! [exit code 3]');
  expect(await use('bash', { command: 'echo $V; pwd' })).toBe('1\n/workspace');
});

test('python and jq work on the session\u2019s files', async () => {
  const use = inSession(rig, 'sesn_python');
  await use('write', {
    file_path: 'p.py',
    content: 'import json\njson.dump({"a":[1,2]}, open("o.json","w"))\n',
  });
  expect(await use('bash', { command: 'python3 p.py && jq -c .a o.json' })).toBe('[1,2]');
  expect(await use('read', { file_path: 'o.json' })).toContain('{"a": [1, 2]}');
});

test('options of the shell are kept, also those that trace or stop it', async () => {
  const use = inSession(rig, 'sesn_options');
  await use('bash', { command: 'set -o pipefail; shopt -s nullglob; set -x' });
  expect(
    await use('bash', { command: 'set +x; echo $SHELLOPTS $BASHOPTS; echo *.none; false | true' }),
  ).toMatch(/^! .*pipefail.*nullglob.*\n\n.*\n?\+ set \+x\n\[exit code 1\]$/s);
});

test('a redirection that cannot be written is told, and the command goes on', async () => {
  const use = inSession(rig, 'sesn_redirect');
  expect(await use('bash', { command: 'echo a; echo x > none/f; echo b; V=1' })).toBe(
    'a\nb\nbash: none/f: no such file or directory',
  );
  expect(await use('bash', { command: 'echo $V; echo x | tee none/f; echo $?' })).toMatch(
    /^1\nx\n1\ntee: none\/f/,
  );
});

test('a call sees what was read before it for a second, and then what there is', async () => {
  let now_ms = Date.parse('2026-01-01T00:00:00.000Z');
  const mine = makeToolRunner({ ...rig, clock: { now: () => new Date(now_ms) } });
  const theirs = inSession(rig, 'sesn_foreseen', { thread_id: 'sthr_2' });
  const seen = async (wait_ms: number): Promise<string> => {
    const call = aCall('bash', { command: 'cat f' }, { session_id: 'sesn_foreseen' });
    mine.foresee(call);
    await theirs('bash', { command: 'echo more >> f' });
    now_ms += wait_ms;
    return textOf(await mine.run(call, new AbortController().signal));
  };
  await theirs('write', { file_path: 'f', content: '1\n' });
  expect(await seen(1_000)).toBe('1');
  expect(await seen(1_001)).toBe('1\nmore\nmore');
});
