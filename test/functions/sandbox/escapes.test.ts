/**
 * Ways out of the sandbox: into the process that runs it, onto the network past the environment's rules,
 * and into the objects of the interpreter. Nothing of any of them is there.
 */
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { handler } from '../../../functions/sandbox/handler.ts';
import { inSession, startRig, type Rig } from '../../shared/tools/rig.ts';

let rig: Rig;
let inner: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'the-secret-of-the-function');
  inner = createServer((socket) => {
    connections += 1;
    socket.end('the-inner-service');
  });
  await new Promise<void>((done) => inner.listen(0, '127.0.0.1', done));
  port = (inner.address() as AddressInfo).port;
  rig = await startRig();
  rig.sandbox.handler = handler;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  inner.close();
  await rig.stop();
});

/** One interpreter for all: to load it takes a second of a processor. */
function python(...attempts: readonly string[]): string {
  const codes = JSON.stringify(JSON.stringify(attempts));
  return [
    "python3 - 2>&1 <<'END'",
    'import json',
    `for code in json.loads(${codes}):`,
    '  try: exec(code)',
    '  except BaseException as error: print(type(error).__name__)',
    'print("all tried")',
    'END',
  ].join('\n');
}

const into_the_process = [
  python(
    'import js; print(js.process.env.AWS_SECRET_ACCESS_KEY)',
    'from js import process; print(process.pid, process.mainModule)',
    'from pyodide.code import run_js; print(run_js("process.env.AWS_SECRET_ACCESS_KEY"))',
    'import os; os.system("printenv AWS_SECRET_ACCESS_KEY")',
    'import subprocess; print(subprocess.run(["printenv"], capture_output=True).stdout)',
    'import ctypes; ctypes.CDLL(None).system(b"printenv")',
    'import os; os.fork(); print(os.environ.get("AWS_SECRET_ACCESS_KEY"))',
  ),
  'awk \'BEGIN { system("printenv AWS_SECRET_ACCESS_KEY") }\'',
  'echo x | sed "1e printenv AWS_SECRET_ACCESS_KEY"',
  'sqlite3 :memory: ".shell printenv AWS_SECRET_ACCESS_KEY" ".system printenv" 2>&1',
  'sqlite3 :memory: "select load_extension(\'/lib/x\')" 2>&1',
  'node -e "console.log(process.env)"; js-exec -c "console.log(process.env)" 2>&1',
  'exec -a x /usr/bin/env; command env; env -i env; xargs -a /dev/null env',
];

test.each(into_the_process)('no way into the process: %s', { timeout: 30_000 }, async (command) => {
  const said = await inSession(rig, 'sesn_process')('bash', { command, timeout_ms: 10_000 });
  expect(said).not.toContain('the-secret-of-the-function');
  expect(said.includes('all tried')).toBe(command.startsWith('python3'));
});

const to_the_network = [
  (at: number) =>
    python(
      `import socket; print(socket.create_connection(("127.0.0.1", ${at})).recv(99))`,
      `import urllib.request as r; print(r.urlopen("http://127.0.0.1:${at}").read())`,
    ),
  (at: number) => `cat < /dev/tcp/127.0.0.1/${at}; exec 3<>/dev/tcp/127.0.0.1/${at} && cat <&3`,
  (at: number) => `nc 127.0.0.1 ${at}; telnet 127.0.0.1 ${at}; wget -qO- http://127.0.0.1:${at}`,
  (at: number) => `curl -sS http://127.0.0.1:${at}/; curl -sS telnet://127.0.0.1:${at}`,
  (at: number) => `curl -sS --connect-to ::127.0.0.1:${at} http://a.example/`,
  (at: number) => `curl -sS --resolve a.example:80:127.0.0.1 http://a.example:${at}/`,
  (at: number) => `curl -sS -x http://127.0.0.1:${at} http://a.example/`,
  (at: number) => `http_proxy=http://127.0.0.1:${at} curl -sS http://a.example/`,
];

test.each(to_the_network.map((of) => [of(1_234), of] as const))(
  'no way to the network of the function: %s',
  { timeout: 30_000 },
  async (_, commandAt) => {
    const said = await inSession(rig, 'sesn_network')('bash', {
      command: commandAt(port),
      timeout_ms: 10_000,
    });
    expect(said).not.toContain('the-inner-service');
    expect(said.includes('all tried')).toBe(commandAt(port).startsWith('python3'));
    expect(connections).toBe(0);
  },
);

const names = '__proto__ constructor prototype hasOwnProperty toString valueOf';
const into_prototypes = [
  `for name in ${names}; do declare "$name=polluted"; export "$name"; done; env >/dev/null`,
  `declare -A map; for name in ${names}; do map[$name]=polluted; done; echo "\${map[@]}"`,
  `for name in ${names}; do alias $name=polluted; eval "$name() { echo polluted; }"; $name; done`,
  `for name in ${names}; do mkdir -p "$name/polluted"; echo x > "$name/polluted/$name"; done; find .`,
  'jq -n \'{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}} | ., .polluted\'',
  'jq -n \'[] | setpath(["__proto__", "polluted"]; 1)\'; jq -n \'{} | .__proto__.polluted = 1\'',
  "jq -n --arg __proto__ polluted --argjson constructor 1 '$__proto__'",
  'awk \'BEGIN { a["__proto__"]["polluted"]; b["__proto__"] = "polluted"; for (k in b) print k }\'',
  'sqlite3 -json :memory: \'select 1 as "__proto__", 2 as "constructor"\'',
  'printf "__proto__,constructor\\npolluted,polluted\\n" > t.csv; xan headers t.csv; csvlook t.csv; yq . t.csv',
];

test.each(into_prototypes)('no way into a prototype: %s', { timeout: 30_000 }, async (command) => {
  const use = inSession(rig, 'sesn_prototype');
  const known = [Object.prototype, Array.prototype, Function.prototype].map((of) =>
    Reflect.ownKeys(of),
  );
  await use('bash', { command, timeout_ms: 10_000 });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(
    [Object.prototype, Array.prototype, Function.prototype].map((of) => Reflect.ownKeys(of)),
  ).toEqual(known);
  expect(await inSession(rig, 'sesn_next')('bash', { command: 'echo "[$polluted]"' })).toBe('[]');
});

test('an archive that unpacks above its folder or through a link leaves nothing outside of it', async () => {
  const use = inSession(rig, 'sesn_archive');
  const make = [
    'import io, tarfile',
    't = tarfile.open("evil.tar", "w")',
    'l = tarfile.TarInfo("link"); l.type = tarfile.SYMTYPE; l.linkname = "/etc"; t.addfile(l)',
    'for n in ("../../etc/planted", "/etc/planted", "link/planted"):',
    '    i = tarfile.TarInfo(n); i.size = 1; t.addfile(i, io.BytesIO(b"x"))',
    't.close()',
  ];
  await use('write', { file_path: 'make.py', content: make.join('\n') });
  const command = 'python3 make.py; mkdir -p in; tar -xf evil.tar -C in; tar -xPf evil.tar -C in';
  await use('bash', { command: `${command}; true`, timeout_ms: 20_000 });
  expect(await use('bash', { command: 'test -e /etc/planted && echo there; true' })).toBe('');
}, 60_000);
