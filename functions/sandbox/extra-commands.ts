import type { ExecResult } from 'just-bash';
import { randomBytes } from 'node:crypto';
import { said, type Execute } from './command.ts';

/** Commands that the interpreter has not, and that agents reach for. */
const failed = (stderr: string): ExecResult => ({ stdout: '', stderr, exitCode: 1 });

/** `mktemp [-d] [-p FOLDER] [TEMPLATE]` */
const mktemp: Execute = async (args, { fs, cwd }) => {
  const at = args.findIndex((arg) => arg === '-p');
  const named = args.find((arg) => arg.startsWith('--tmpdir='))?.slice(9);
  const folder = at === -1 ? named : args[at + 1];
  const template = args.find(
    (arg, index) => !arg.startsWith('-') && (at === -1 || index !== at + 1),
  );
  const name = (template ?? 'tmp.XXXXXXXXXX').replace(/X{3,}(?=[^X]*$)/, ({ length }) =>
    randomBytes(length).toString('hex').slice(0, length),
  );
  if (name === template) return failed(`mktemp: too few X's in template '${template}'\n`);
  const is_temporary = template === undefined || args.includes('-t') || folder !== undefined;
  const base = is_temporary ? (folder ?? '/tmp') : cwd;
  const path = fs.resolvePath(fs.resolvePath(cwd, base), name);
  if (args.includes('-d')) await fs.mkdir(path);
  else await fs.writeFile(path, '');
  return said(`${is_temporary ? path : name}\n`);
};

/** As many lines as anybody reads: what comes behind a pipe is run when all is written. */
const YES_BYTES = 1_048_576;

/** `yes [WORD…]` */
const yes: Execute = async (args) => {
  const line = `${args.length === 0 ? 'y' : args.join(' ')}\n`;
  return said(line.repeat(Math.max(1, Math.floor(YES_BYTES / line.length))));
};

/** By CPython's library: it knows every form of an archive and lets no name lead out of its folder. */
const UNZIP = `
import fnmatch, os, sys, zipfile
flags, into, names, left = '', '.', [], sys.argv[1:]
while left:
    one = left.pop(0)
    if one.startswith('-d') and not names and len(one) > 2: into = one[2:]
    elif one == '-d' and left: into = left.pop(0)
    elif one == '-x': break
    elif one.startswith('-'): flags += one[1:]
    else: names.append(one)
if not names: sys.exit('unzip: give an archive')
path = names[0] if os.path.exists(names[0]) else names[0] + '.zip'
if not os.path.exists(path): sys.exit(f'unzip: cannot find {names[0]}')
try:
    with zipfile.ZipFile(path) as archive:
        wanted = [i for i in archive.infolist() if not names[1:] or any(fnmatch.fnmatch(i.filename, n) for n in names[1:])]
        if not wanted: sys.exit('unzip: no file in the archive has such a name')
        if 'Z' in flags: print(*(i.filename for i in wanted), sep='\\n')
        elif 'l' in flags or 'v' in flags:
            print('   Length      Date    Time    Name')
            for i in wanted: print('%9d  %04d-%02d-%02d %02d:%02d   %s' % (i.file_size, *i.date_time[:5], i.filename))
            print('%9d                     %d files' % (sum(i.file_size for i in wanted), len(wanted)))
        elif 't' in flags: sys.exit(archive.testzip())
        elif 'p' in flags:
            for i in wanted: print(archive.read(i).decode('utf-8', 'replace'), end='')
        else:
            for i in wanted:
                flat = os.path.basename(i.filename)
                if 'j' in flags and not flat: continue
                if 'j' in flags: i.filename = flat
                there = os.path.join(into, i.filename)
                if os.path.isfile(there) and 'o' not in flags:
                    print(f'{there} is there already and is kept; -o writes over it')
                    continue
                done = archive.extract(i, into)
                mode = i.external_attr >> 16 & 0o777
                if mode and not i.is_dir(): os.chmod(done, mode & ~0o022)
                if 'q' not in flags: print(f'  inflating: {done}')
except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error: sys.exit(f'unzip: {path}: {error}')
`;

const ZIP = `
import os, re, sys, zipfile
flags, names = '', []
for one in sys.argv[1:]:
    if one.startswith('-') and len(one) > 1: flags += one[1:]
    else: names.append(one)
if len(names) < 2: sys.exit('zip: give an archive and the files that go into it')
path = names[0] if os.path.splitext(names[0])[1] else names[0] + '.zip'
found = []
for name in names[1:]:
    if not os.path.exists(name): sys.exit(f'zip: there is no {name}')
    found.append(name)
    if os.path.isdir(name) and 'r' in flags:
        for folder, folders, files in os.walk(name): found += [os.path.join(folder, n) for n in sorted(folders) + sorted(files)]
kept, modes = {}, {}
if os.path.exists(path):
    with zipfile.ZipFile(path) as old:
        kept = {n: old.read(n) for n in old.namelist()}
        modes = {i.filename: i for i in old.infolist()}
for name in found:
    if os.path.abspath(name) == os.path.abspath(path) or ('j' in flags and os.path.isdir(name)): continue
    inside = os.path.basename(name) if 'j' in flags else re.sub(r'^(\\.?\\.?/)+', '', os.path.normpath(name))
    if inside in ('', '.'): continue
    entry = inside + '/' if os.path.isdir(name) else inside
    kept[entry] = b'' if os.path.isdir(name) else open(name, 'rb').read()
    modes[entry] = zipfile.ZipInfo.from_file(name, entry, strict_timestamps=False)
    if 'q' not in flags: print(f'  adding: {inside}')
with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, content in kept.items(): archive.writestr(modes[name], content, zipfile.ZIP_DEFLATED)
`;

const inPython =
  (program: string): Execute =>
  async (args, { exec, cwd, signal }) => {
    if (exec === undefined) throw new Error('a command runs in a shell');
    const ends = signal === undefined ? {} : { signal };
    return await exec('python3', { cwd, ...ends, args: ['-c', program, ...args] });
  };

export const extras = Object.entries({
  mktemp,
  yes,
  unzip: inPython(UNZIP),
  zip: inPython(ZIP),
}).map(([name, execute]) => ({ name, execute }));
