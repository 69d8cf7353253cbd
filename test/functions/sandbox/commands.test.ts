import { afterAll, beforeAll, expect, test } from 'vitest';
import { docx, zip } from '../../shared/outcomes/office.ts';
import { inSession, newShells, startRig, type Rig } from '../../shared/tools/rig.ts';

/** What agents type every day, where the interpreter by itself does another thing or nothing. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const answer = newShells(() => rig, 'commands');

test.each([
  ['diff <(printf "a\\nb\\n") <(printf "a\\nb\\n") && echo same', 'same'],
  ['while read -r l; do echo "[$l]"; done < <(printf "a\\nb\\n")', '[a]\n[b]'],
  ['tee >(wc -l > n) <<< x >/dev/null; cat n', '1'],
  ['f() { for x; do echo "<$x>"; done; }; f "a b" c', '<a b>\n<c>'],
  [`sh -c 'for x; do echo "<$x>"; done' _ "a b"`, '<a b>'],
  ['printf "a b\\nc\\n" | xargs -I{} echo "<{}>"', '<a b>\n<c>'],
  ['printf "1 2\\n" | xargs -n1 echo n', 'n 1\nn 2'],
  ['printf "1\\0002 3\\000" | xargs -0n1 -P4 echo', '1\n2 3'],
  ['echo a,b | xargs -d, --max-args=1 echo -', '- a\n- b\n'.trim()],
  ['trap "rm x" EXIT 2>/dev/null && echo on', 'on'],
  [
    'cd /tmp; realpath ../workspace/./x; realpath -e x 2>/dev/null || echo none',
    '/workspace/x\nnone',
  ],
])('%s', async (command, expected) => {
  expect(await answer(command)).toBe(expected);
});

const dated =
  'touch -d 2026-01-01 a.csv; touch -d 2026-03-01 b.csv; touch -d 2026-02-01 c.csv; mkdir d; touch d/x';

test.each([
  ['ls *.csv | wc -l', '3'],
  ['cat /dev/zero; true', 'cat: /dev/zero: No such file or directory'],
  ['head -c 2M /dev/zero | wc -c; head -c 3 /dev/zero | od -An -tx1', '2097152\n 00 00 00'],
  ['head -c 16 /dev/urandom | base64 | wc -c', '25'],
  ['tr -dc a-f0-9 < /dev/urandom | head -c 32 | wc -c', '32'],
  [
    'a=$(head -c8 /dev/random | base64); [ $a != $(head -c8 /dev/random | base64) ] && echo new',
    'new',
  ],
  ['head -c 1G /dev/urandom; true', 'head: /dev/urandom: at most 33554432 bytes at a time'],
  ['echo x > /etc/y; echo $?', '1\nbash: /etc/y: permission denied'],
  [
    'cd /; echo x >> etc/y || echo no; for i in 1; do echo $i; done &> "/etc/$USER"; echo $?',
    'no\n1\nbash: etc/y: permission denied\nbash: /etc/user: permission denied',
  ],
  [
    'set -e; echo before; : > /etc/y; echo never',
    '! before\nbash: /etc/y: permission denied\n[exit code 1]',
  ],
  [
    'echo a > f; f=f; echo b >> $f; { echo c; echo d >&2; } 2> "$f.2" >> f; cat f f.2',
    'a\nb\nc\nd',
  ],
  [
    'g() { echo in; } > g.txt; g; cat g.txt; exec > h.txt; echo h; exec >&2; cat h.txt >&2',
    'in\nh',
  ],
  ['echo one > >(cat > p.txt); sleep 0.1; n=0; echo x > "q$((n += 1))"; ls q*', 'q1'],
  [
    'set -C; echo 1 > lock && echo got; echo 2 > lock || echo held; cat lock',
    'got\nheld\n1\nbash: lock: cannot overwrite existing file',
  ],
  ['ls -t *.csv', 'b.csv\nc.csv\na.csv'],
  ['ls -tr *.csv | tail -1', 'b.csv'],
  ['ls d a.csv', 'a.csv\n\nd:\nx'],
  ['ls -d d a.csv', 'a.csv\nd'],
  ['ls a.csv none; true', "a.csv\nls: cannot access 'none': No such file or directory"],
])('%s', async (command, expected) => {
  expect(await answer(command, dated)).toBe(expected);
});

test.each([
  [String.raw`printf '\x89P\xffé' > f; od -An -tx1 f`, ' 89 50 ff c3 a9'],
  [String.raw`echo -ne '\0377\xe2\x82\xac' | od -An -c`, ' 377 342 202 254'],
  [String.raw`x=$(printf '\342\202\254 %s' ü); printf -v y '\u20ac'; echo "$x $y"`, '€ ü €'],
  [
    'printf abcdefghijklmnopq | od',
    '0000000 061141 062143 063145 064147 065151 066153 067155 070157\n0000020 000161\n0000021',
  ],
  ['printf "%064d" 0 | od -Ax -tx4', '000000 30303030 30303030 30303030 30303030\n*\n000040'],
  ['printf abcdefgh | od -A n -j2 -N 4 -tu2 -td1', ' 25699 26213\n   99  100  101  102'],
  [
    String.raw`printf '\xfe\xff' | od -An -vtd2; od -tf4 f; true`,
    "     -2\nod: invalid type string 'f4'",
  ],
  ['printf abcdef | od -An -w -tx1', ' 61 62 63 64 65 66'],
  [
    'printf a | od -w0; printf a | od -w-1; printf a | od -N x; true',
    "od: invalid -w argument '0'\nod: invalid -w argument '-1'\nod: invalid -N argument 'x'",
  ],
  ['od none; true', 'od: none: No such file or directory'],
])('%s', async (command, expected) => {
  expect(await answer(command)).toBe(expected);
});

test('sed keeps what a file was where it is told to', async () => {
  const told =
    'sed -i.bak s/a/b/ f; sed --in-place=.old -e s/b/c/ f; sed -n -Ei.3 "s/(c)/[\\1]/p" f';
  expect(await answer(`${told}; cat f f.bak f.old f.3`, 'echo a > f')).toBe('[c]\na\nb\nc');
});

test('mktemp makes a file or a folder that was not there', async () => {
  const said = await answer(
    'a=$(mktemp); b=$(mktemp); test -f $a && [ $a != $b ] && echo new; mktemp -d x.XXXX',
  );
  expect(said).toMatch(/^new\nx\.[0-9a-f]{4}$/);
});

test('a Python program is run as it is written', { timeout: 30_000 }, async () => {
  const program = [
    'from __future__ import annotations',
    'import sys, os, glob, pathlib, zoneinfo, tempfile',
    'from lib.part import text',
    'with tempfile.NamedTemporaryFile("w", delete=False) as made: made.write("t")',
    'pathlib.Path("/workspace/one").touch(); os.rename("/workspace/one", "/workspace/two")',
    'print(repr(text), sys.argv, __name__, __file__, open(made.name).read())',
    'print(glob.glob("/workspace/t*"), pathlib.Path("two").resolve(), os.getcwd())',
    'raise ValueError("ü")',
  ].join('\n');
  const part = 'text = """a\nb"""\n';
  const make = `mkdir lib; cat > lib/part.py <<'EOF'\n${part}EOF\ncat > p.py <<'EOF'\n${program}\nEOF`;
  expect(
    await answer(
      'cd /tmp; python3 -u ../workspace/p.py x "y z"; find /workspace -name "*.pyc"',
      make,
    ),
  ).toBe(
    [
      `'a\\nb' ['../workspace/p.py', 'x', 'y z'] __main__ /workspace/p.py t`,
      "['/workspace/two'] /tmp/two /tmp",
      'Traceback (most recent call last):',
      '  File "/workspace/p.py", line 8, in <module>',
      '    raise ValueError("ü")',
      'ValueError: ü',
    ].join('\n'),
  );
});

test('so is one on the command line or on its standard input', { timeout: 30_000 }, async () => {
  const line = `python3 -c 'import sys; print("""a\nb""", sys.argv, sys.stdin.read())' x <<< in`;
  expect(await answer(line)).toBe("a\nb ['-c', 'x'] in");
  const input =
    'python3 - y <<EOF\nimport sys\nprint("""ü\nb""", sys.argv, [sys.stdin.read()])\nsys.exit("bad")\nEOF';
  expect(await answer(input)).toBe("! ü\nb ['-', 'y'] ['']\nbad\n[exit code 1]");
});

test('Python waits for timers and for tasks of a pool', { timeout: 60_000 }, async () => {
  const program = `
import asyncio
from concurrent.futures import ThreadPoolExecutor, as_completed
async def one(n):
    await asyncio.sleep(n / 100)
    return n
async def main():
    print(await asyncio.gather(one(2), one(1), asyncio.to_thread(str, 5)))
    try:
        await asyncio.wait_for(asyncio.sleep(9), 0.02)
    except TimeoutError:
        print('late')
kept = []
def fails(n): return 1 / n
with ThreadPoolExecutor(2, initializer=kept.append, initargs=('once',)) as pool:
    print(list(pool.map(abs, [-1, -2])), kept, repr(pool.submit(fails, 0).exception()))
    print(sorted(f.result() for f in as_completed([pool.submit(fails, 1), pool.submit(fails, 2)])))
try:
    pool.submit(abs, 1)
except RuntimeError as error:
    print(error)
asyncio.run(main())
async def stuck(): await asyncio.Event().wait()
try:
    asyncio.run(stuck())
except RuntimeError as error:
    print(error)
`;
  expect(await answer(`cat > p.py <<'EOF'\n${program}EOF\npython3 p.py`)).toBe(
    [
      "[1, 2] ['once'] ZeroDivisionError('division by zero')",
      '[0.5, 1.0]',
      'cannot schedule new futures after shutdown',
      "[2, 1, '5']",
      'late',
      'nothing is left that could end this wait',
    ].join('\n'),
  );
});

test('what Python cannot do here is said', { timeout: 60_000 }, async () => {
  const sockets = 'import socket; socket.socketpair()';
  expect(await answer(`python3 -c '${sockets}'`)).toMatch(/no sockets/);
  const threads = 'import threading; threading.Thread().start()';
  expect(await answer(`python3 -c '${threads}'`)).toMatch(/one thread: .*ThreadPoolExecutor/);
  const large = `head -c 9000000 /dev/zero > x; python3 -c 'import os; os.open("x", os.O_RDONLY)'`;
  expect(await answer(large)).toMatch(/^! .*takes files up to 8388608 bytes here: use open/s);
});

test(
  'archives are packed and unpacked, and no name leads out of the folder',
  { timeout: 30_000 },
  async () => {
    const use = inSession(rig, 'sesn_zip');
    const pack =
      'mkdir -p in/ü; echo one > "in/ü/a b.txt"; zip -qr out in && unzip -q out.zip -d to; cat to/in/ü/*';
    expect(await use('bash', { command: pack })).toBe('one');
    const evil = `python3 -c 'import zipfile; z = zipfile.ZipFile("e.zip", "w"); z.writestr("../../mnt/up", "x"); z.writestr("/tmp/abs", "x")'`;
    await use('bash', { command: `${evil}; mkdir e; unzip -q e.zip -d e` });
    expect(await use('bash', { command: 'find / -name up -o -name abs | sort' })).toBe(
      '/workspace/e/mnt/up\n/workspace/e/tmp/abs',
    );
  },
);

test('read shows the text of office documents and of UTF-16, and tells an archive from them', async () => {
  const use = inSession(rig, 'sesn_documents');
  const stored = { workspace_id: 'wrkspc_1', written_by: { thread_id: 't', event_id: 'e' } };
  const files = {
    'a.docx': docx({ paragraphs: ['Fee: 5 %', 'Term'] }),
    'b.csv': Buffer.from('\ufeffa;ü\r\n', 'utf16le'),
    'c.zip': zip({ 'x.txt': 'x' }),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await rig.files.write('sesn_documents', `/workspace/${name}`, bytes, stored);
  }
  expect(await use('read', { file_path: 'a.docx' })).toMatch(/^\[Converted.*\n +1\tFee: 5 %\n/s);
  expect(await use('read', { file_path: 'b.csv' })).toMatch(/^ +1\ta;ü/);
  expect(await use('read', { file_path: 'c.zip' })).toMatch(/^! .*no office document/);
});
