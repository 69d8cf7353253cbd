import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { handler } from '../../../functions/sandbox/handler.ts';
import { inSession, startRig, type Rig } from '../../shared/tools/rig.ts';

/**
 * What a hostile model may type. Each command must end by itself, harm nothing beyond its own
 * session, and show nothing of the process that runs it.
 */
let rig: Rig;
beforeAll(async () => {
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'the-secret-of-the-function');
  vi.stubEnv('AWS_SESSION_TOKEN', 'the-token-of-the-function');
  rig = await startRig();
  rig.sandbox.handler = handler;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rig.stop();
});

const spies = [
  'env',
  'printenv; set; export -p; declare -p',
  'cat /proc/self/environ /proc/1/environ /proc/self/status 2>&1',
  'find / -type f 2>/dev/null | head -500; cat /var/task/* /etc/passwd 2>&1',
  'python3 -c "import os; print(dict(os.environ)); print(os.listdir(\'/\'))"',
  'python3 -c "print(open(\'/proc/self/environ\').read())" 2>&1',
  'awk \'BEGIN { for (k in ENVIRON) print k, ENVIRON[k]; while (("env" | getline l) > 0) print l }\' 2>&1',
  'jq -n "env, $ENV" 2>&1; jq -n \'$ENV\'',
  'sqlite3 :memory: "select readfile(\'/proc/self/environ\')" 2>&1',
  'echo ${AWS_SECRET_ACCESS_KEY} ${!AWS*}',
];

test.each(spies)('shows nothing of the process: %s', async (command) => {
  const said = await inSession(rig, 'sesn_spy')('bash', { command });
  expect(said).not.toContain('the-secret-of-the-function');
  expect(said).not.toContain('the-token-of-the-function');
  expect(said).not.toMatch(/AWS_|NODE_|LAMBDA_/);
});

const bombs: [name: string, command: string][] = [
  ['an endless loop', 'while true; do :; done'],
  ['an endless recursion', 'f() { f; }; f'],
  ['a fork bomb', ':(){ :|:& };:'],
  ['a string that doubles', 'x=a; while true; do x="$x$x"; done'],
  ['a wide brace expansion', 'echo {1..1000}{1..1000}{1..1000}'],
  ['endless output', 'yes | head -c 100000000'],
  ['an endless awk', 'awk "BEGIN { while (1) i++ }"'],
  ['an endless sed', 'echo a | sed ":a;s/a/aa/;ta"'],
  ['an endless jq', 'jq -n "[range(1e12)] | length"'],
  ['a deep jq', 'jq -n "def f: f; f"'],
  [
    'a regular expression that backtracks',
    `printf '%s' "${'a'.repeat(40)}!" > t; grep -E '^(a+)+$' t; [[ "${'a'.repeat(40)}!" =~ ^(a+)+$ ]]`,
  ],
  [
    'an expression that looks around and backtracks',
    `printf '%s' "${'a'.repeat(40)}!" > t; grep -P '^(?=(a+)+$)' t`,
  ],
  ['a hole of gigabytes', 'dd if=/dev/null of=hole bs=1G seek=5; truncate -s 5G hole'],
  ['a dump of a byte far away', 'echo "ffffffff: 00" | xxd -r > far'],
  ['a glob that backtracks', `touch ${'a'.repeat(200)}; ls *a*a*a*a*a*a*a*a*a*a*a*b`],
  ['a substitution in itself', '$(eval "$(eval "$(eval echo x)")"); x() { echo $(x); }; x'],
  ['an array of millions', 'for ((i=0;i<100000000;i++)); do a[$i]=$i; done'],
  ['a huge shift', 'echo $((1 << 62)) $((2 ** 10000000)); printf "%1000000000d" 1'],
  ['a sequence without end', 'seq 1 100000000000 | tail -1'],
];

test.each(bombs)('ends %s', { timeout: 20_000 }, async (_, command) => {
  const began = performance.now();
  const said = await inSession(rig, `sesn_bomb_${_.replace(/\W/g, '')}`)('bash', {
    command,
    timeout_ms: 300,
  });
  expect(performance.now() - began).toBeLessThan(9_000);
  expect(said.length).toBeLessThan(110_000);
});

test('a command that takes too long is stopped, and what it wrote is kept', async () => {
  const use = inSession(rig, 'sesn_slow');
  expect(
    await use('bash', { command: 'echo a > a; sleep 60; echo b > b', timeout_ms: 200 }),
  ).toMatch(/^! .*\[The command was stopped after 200 ms/s);
  expect(await use('bash', { command: 'ls' })).toBe('a');
});

test('python that never ends is stopped', { timeout: 20_000 }, async () => {
  const use = inSession(rig, 'sesn_slow_python');
  const said = await use('bash', { command: 'python3 -c "while True: pass"', timeout_ms: 2_000 });
  expect(said).toMatch(/^! /);
});

test.each([
  '/etc/passwd',
  '/usr/bin/x',
  '/bin/ls',
  '/proc/x',
  '/mnt/x',
  '/x',
  '/dev/shm/x',
  '/workspace/../etc/x',
])('bash cannot write %s, not even through a link', async (path) => {
  const use = inSession(rig, 'sesn_links');
  const said = await use('bash', {
    command: `rm -f l; ln -s ${path} l; echo x > ${path}; echo x > l; mv l /; cp l ${path}`,
  });
  expect(said).toMatch(/^! /);
  expect(await use('bash', { command: `test -e ${path} && grep -c ^x$ ${path}; true` })).toMatch(
    /^0?$/,
  );
});

test('a file tool does not follow a link out of the session', async () => {
  const use = inSession(rig, 'sesn_link_out');
  await use('bash', { command: 'ln -s /proc/self/status s; ln -s / r; ln -s loop loop' });
  expect(await use('read', { file_path: 's' })).toMatch(/^! There is no file/);
  expect(await use('read', { file_path: 'r/bin/ls' })).toMatch(/^! There is no file/);
  expect(await use('grep', { path: 'r', pattern: '.' })).toMatch(/^(! |No lines match)/);
  expect(await use('write', { file_path: 'r/etc/x', content: 'x' })).toMatch(/^! EACCES/);
  expect(await use('read', { file_path: 'loop' })).toMatch(/^! ELOOP/);
});
