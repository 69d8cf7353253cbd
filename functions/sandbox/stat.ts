import type { CommandContext, FsStat } from 'just-bash';
import { CommandFailure, optionsOf, original, said, type Execute } from './command.ts';

/** `stat -c FORMAT`, of which the interpreter's knows some letters and writes the others as they are. */
export const stat: Execute = async (given, ctx) => {
  if (!given.some((arg) => /^(-L?c|--format|--printf=)/.test(arg)))
    return await original(ctx, given);
  const { format, ends, follows, files } = asked(given);
  if (files.length === 0) throw new CommandFailure('missing operand');
  let result = said('');
  for (const file of files) {
    const path = ctx.fs.resolvePath(ctx.cwd, file);
    const found = await (follows ? ctx.fs.stat(path) : ctx.fs.lstat(path)).catch(() => undefined);
    if (found === undefined) {
      const stderr = `${result.stderr}stat: cannot statx '${file}': No such file or directory\n`;
      result = { ...result, stderr, exitCode: 1 };
    } else {
      const shown = await shownOf(format, file, found, ctx);
      result = { ...result, stdout: `${result.stdout}${shown}${ends}` };
    }
  }
  return result;
};

const PRINTF = '--printf=';

function asked(args: readonly string[]) {
  const printed = args.find((arg) => arg.startsWith(PRINTF))?.slice(PRINTF.length);
  const rest = args.flatMap((arg, at) => {
    if (arg.startsWith(PRINTF)) return [];
    // Its value may begin with a dash.
    if (/^-L?c$/.test(args[at - 1] ?? '')) return [`--format=${arg}`];
    return /^-L?c$/.test(arg) ? (arg === '-Lc' ? ['-L'] : []) : [arg];
  });
  const known = { flags: 'L', valued: 'c', long: { c: 'format', L: 'dereference' } };
  const { operands: files, has, value } = optionsOf(rest, known);
  const format = printed === undefined ? (value('c') ?? '') : escapesIn(printed);
  return { format, ends: printed === undefined ? '\n' : '', follows: has('L'), files };
}

function escapesIn(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };
  return text.replace(/\\(.)/gs, (all, letter: string) => letters[letter] ?? all);
}

async function shownOf(
  format: string,
  file: string,
  found: FsStat,
  ctx: CommandContext,
): Promise<string> {
  const target = found.isSymbolicLink
    ? await ctx.fs.readlink(ctx.fs.resolvePath(ctx.cwd, file))
    : undefined;
  return format.replace(FIELD, (all, flags: string, width: string, letter: string) => {
    const value = valueOf(letter, { file, found, target });
    if (value === undefined) throw new CommandFailure(`'${all}' is not known here`);
    if (flags.includes('-')) return value.padEnd(Number(width));
    return value.padStart(Number(width), flags.includes('0') ? '0' : ' ');
  });
}

const FIELD = /%([-0# +]*)(\d*)(?:\.\d+)?([a-zA-Z%])/g;

interface Shown {
  readonly file: string;
  readonly found: FsStat;
  readonly target: string | undefined;
}

export const OWNER = 'user';

function valueOf(letter: string, { file, found, target }: Shown): string | undefined {
  const seconds = Math.floor(found.mtime.getTime() / 1_000);
  const link = target === undefined ? '' : ` -> '${target}'`;
  const values: Readonly<Record<string, string>> = {
    n: file,
    N: `'${file}'${link}`,
    s: String(found.size),
    F: kindOf(found),
    a: (found.mode & 0o7777).toString(8),
    A: permissions(found),
    f: (typeBits(found) | found.mode).toString(16),
    h: '1',
    u: '1000',
    g: '1000',
    U: OWNER,
    G: OWNER,
    b: String(Math.ceil(found.size / 512)),
    B: '512',
    o: '4096',
    '%': '%',
  };
  // What was read or changed when is not kept: all that is known is when it was written.
  if (/[XYZ]/.test(letter)) return String(seconds);
  if (/[xyz]/.test(letter)) {
    const [day = '', time = ''] = found.mtime.toISOString().slice(0, -1).split('T');
    return `${day} ${time.padEnd(18, '0')} +0000`;
  }
  return values[letter];
}

function kindOf({ isDirectory, isSymbolicLink, size }: FsStat): string {
  if (isDirectory) return 'directory';
  if (isSymbolicLink) return 'symbolic link';
  return size === 0 ? 'regular empty file' : 'regular file';
}

function typeBits({ isDirectory, isSymbolicLink }: FsStat): number {
  if (isDirectory) return 0o040000;
  return isSymbolicLink ? 0o120000 : 0o100000;
}

/** What a file takes of a disk: whole blocks. */
export function diskKib(size_bytes: number): number {
  return Math.ceil(size_bytes / 4_096) * 4;
}

export function permissions(found: FsStat): string {
  const kind = found.isDirectory ? 'd' : found.isSymbolicLink ? 'l' : '-';
  const letters = Array.from('rwxrwxrwx', (letter, nth) =>
    (found.mode & (0o400 >> nth)) === 0 ? '-' : letter,
  );
  return `${kind}${letters.join('')}`;
}
