import { afterAll, beforeAll, expect, test } from 'vitest';
import { inSession, startRig, type Rig } from '../../shared/tools/rig.ts';

/** Programs of Python, where the engine by itself does another thing than CPython on a machine. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const slow = { timeout: 60_000 };

/** A program on the standard input, and what a shell then says of the session's files. */
const program = (lines: readonly string[], then = 'true') =>
  `python3 - <<'EOF'\n${lines.join('\n')}\nEOF\n${then}`;

test('its output is what it wrote, byte for byte', slow, async () => {
  const use = inSession(rig, 'sesn_output');
  const write = 'import sys, os; sys.stdout.buffer.write(b"\\xff\\x00ab"); os.write(1, b"!")';
  expect(await use('bash', { command: `python3 -c '${write}' | od -An -tx1` })).toBe(
    ' 21 ff 00 61 62',
  );
  expect(await use('bash', { command: `python3 -c 'print("ü", end="")' > f; od -An -tx1 f` })).toBe(
    ' c3 bc',
  );
});

test('programs of several threads are not in one another', slow, async () => {
  const run = `python3 -c 'import subprocess as s; print(s.run(["python3", "-c", "print(1)"], capture_output=True, text=True).stdout)'`;
  const use = inSession(rig, 'sesn_beside');
  const said = await Promise.all([1, 2, 3, 4].map(() => use('bash', { command: run })));
  expect(said.map((one) => one.trim())).toEqual(['1', '1', '1', '1']);
});

test('a program in a program in a program begins no other', slow, async () => {
  const inner = 'import os; os.system("python3 b.py 2>&1")';
  const use = inSession(rig, 'sesn_nested');
  const command = `printf '%s' '${inner}' > b.py; python3 b.py | grep -o 'too many processes' | head -n 1`;
  expect(await use('bash', { command })).toBe('too many processes');
});

test(
  'files are as large as a session has them, and what is flushed can be read',
  slow,
  async () => {
    const use = inSession(rig, 'sesn_large');
    const lines = [
      'import os, io, zipfile, pathlib',
      'with open("big", "w") as f:',
      '    for i in range(1_300_000): f.write(f"{i}\\n")',
      'with open("big", "a") as f: f.write("end\\n")',
      'with open("big") as f: print(sum(len(l) for l in f), f.name)',
      'with open("big", "rb") as f: print(f.seek(-4, 2), f.read(), f.seek(3), f.read(2))',
      'with open("big", "r+b") as f: f.write(b"X"); f.seek(0, 2); f.write(b"Y"); f.truncate()',
      'log = open("log", "w"); log.write("one\\n"); log.flush(); print(open("log").read(), os.fstat(log.fileno()).st_size)',
      'with zipfile.ZipFile("z.zip", "w") as z: z.write("big")',
      'print(zipfile.ZipFile("z.zip").getinfo("big").file_size)',
      'os.mkdir("d"); open("d/x", "x").write("x"); os.rename("d", "e"); os.replace("e/x", "e/y"); os.symlink("e", "l")',
      'print(os.listdir("e"), os.path.islink("l"), os.path.islink("e"), pathlib.Path("e/y").read_text())',
      'os.utime("e/y", (0, 86400)); print(os.path.getmtime("e/y"))',
      'with open("both", "w+") as f: f.write("abc"); f.seek(1); print(f.read())',
      'for mode in ("x", "r+"):',
      '    try: open("both" if mode == "x" else "none", mode)',
      '    except OSError as error: print(type(error).__name__)',
    ];
    const told = await use('bash', {
      command: program(lines, 'head -c 2 big; tail -c 3 big; wc -c < big'),
    });
    expect(told.split('\n')).toEqual([
      '9288894 big',
      "9288890 b'end\\n' 3 b'\\n2'".replace("b'\\n2'", "b'\\n2'"),
      'one',
      ' 4',
      '9288895',
      "['y'] True False x",
      '86400.0',
      'bc',
      'FileExistsError',
      'FileNotFoundError',
      'X',
      'd',
      'Y9288895',
    ]);
  },
);

test('zones of time are those of IANA', slow, async () => {
  const lines = [
    'from datetime import datetime, timezone',
    'from zoneinfo import ZoneInfo, available_timezones',
    'at = lambda zone, *when: datetime(*when, tzinfo=timezone.utc).astimezone(ZoneInfo(zone))',
    'print(at("America/New_York", 2026, 11, 29, 12), at("America/New_York", 2026, 11, 29, 12).tzname())',
    'print(at("Europe/Berlin", 2026, 7, 1, 12), at("Europe/Berlin", 2026, 7, 1, 12).dst(), at("Europe/Berlin", 2026, 1, 1).tzname())',
    'print(at("Asia/Kolkata", 2050, 7, 1), at("US/Pacific", 2045, 7, 1).tzname(), len(available_timezones()) > 500)',
    'try: ZoneInfo("Nowhere/At_All")',
    'except Exception as error: print(type(error).__name__)',
  ];
  expect(await inSession(rig, 'sesn_zones')('bash', { command: program(lines) })).toBe(
    [
      '2026-11-29 07:00:00-05:00 EST',
      '2026-07-01 14:00:00+02:00 1:00:00 CET',
      '2050-07-01 05:30:00+05:30 PDT True',
      'ZoneInfoNotFoundError',
    ].join('\n'),
  );
});

test('processes are commands of the shell', slow, async () => {
  const lines = [
    'import subprocess, os, sys',
    'r = subprocess.run(["wc", "-c"], input="äb", capture_output=True, text=True); print(r.returncode, r.stdout.strip())',
    'print(subprocess.check_output("echo $X | tr a-z A-Z", shell=True, env={"X": "env"}))',
    'print(os.system("exit 3") >> 8, os.popen("echo pop").read().strip())',
    'p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.communicate(b"abc"))',
    'print(subprocess.run("echo e >&2; exit 2", shell=True, stderr=subprocess.STDOUT, stdout=subprocess.PIPE))',
    'with open("o", "w") as f: subprocess.run(["echo", "a  b"], stdout=f, check=True)',
    'for command in (["nowhere"], ["false"]):',
    '    try: subprocess.run(command, check=True)',
    '    except Exception as error: print(type(error).__name__)',
    'subprocess.run([sys.executable, "-c", "import sys; print(sys.argv[1:])", "x y"])',
    'try: subprocess.run(["sleep", "5"], timeout=0.2)',
    'except subprocess.TimeoutExpired as error: print(error)',
  ];
  expect(await inSession(rig, 'sesn_processes')('bash', { command: program(lines, 'cat o') })).toBe(
    [
      '0 3',
      "b'ENV\\n'",
      '3 pop',
      "(b'abc', None)",
      "CompletedProcess(args='echo e >&2; exit 2', returncode=2, stdout=b'e\\n')",
      'FileNotFoundError',
      'CalledProcessError',
      "['x y']",
      "Command '['sleep', '5']' timed out after 0.2 seconds",
      'a  b',
    ].join('\n'),
  );
});

test('a module that is not here says what is', slow, async () => {
  const use = inSession(rig, 'sesn_modules');
  expect(await use('bash', { command: 'python3 -c "import sqlite3"' })).toMatch(
    /ModuleNotFoundError.*\n.*run the sqlite3 command/,
  );
  expect(await use('bash', { command: 'python3 -c "import pandas"' })).toMatch(
    /No module named 'pandas'\n.*standard library here/,
  );
});
