import type { CommandContext } from 'just-bash';
import { CommandFailure, optionsOf, original, said, type Execute } from './command.ts';
import { modeOf, UMASK } from './modes.ts';
import { cp } from './moves.ts';
import { pairsOf, statOf, Told, type Pair } from './targets.ts';

/** Commands that make folders and files with a mode: `mkdir -m`, `install`, `umask`; and `touch x/`, which makes none. */

/** `mkdir [-pv] [-m MODE] FOLDER…` */
export const mkdir: Execute = async (args, ctx) => {
  const long = { m: 'mode', p: 'parents', v: 'verbose' };
  const { operands, has, value } = optionsOf(args, { flags: 'pv', valued: 'm', long });
  const asked = value('m');
  const mode =
    asked === undefined ? undefined : modeOf(asked, { mode: 0o777, is_folder: true, umask: UMASK });
  const plain = [...(has('p') ? ['-p'] : []), ...(has('v') ? ['-v'] : [])];
  if (mode === undefined) return await original(ctx, [...plain, '--', ...operands]);
  const are_there = await Promise.all(operands.map(async (name) => await statOf(ctx, name)));
  const told = await original(ctx, [...plain, '--', ...operands]);
  for (const [nth, name] of operands.entries()) {
    // What was there already keeps its mode.
    if (are_there[nth] !== undefined || (await statOf(ctx, name)) === undefined) continue;
    await ctx.fs.chmod(ctx.fs.resolvePath(ctx.cwd, name), mode);
  }
  return told;
};

const FOLDER = /^[^-].*\/$/s;

/** A name with a slash behind it is a folder's, and no file is made of it. */
export const touch: Execute = async (args, ctx) => {
  const told = new Told('touch');
  const left: string[] = [];
  for (const arg of args) {
    const found = FOLDER.test(arg) ? await statOf(ctx, arg) : undefined;
    if (!FOLDER.test(arg) || found?.isDirectory === true) left.push(arg);
    else {
      const is_there = (await statOf(ctx, arg.replace(/\/+$/, ''))) !== undefined;
      const why = is_there ? 'Not a directory' : 'No such file or directory';
      told.failed(`setting times of '${arg}': ${why}`);
    }
  }
  if (told.exitCode === 0) return await original(ctx, args);
  const rest = left.some((arg) => !arg.startsWith('-')) ? await original(ctx, left) : said('');
  return { ...rest, stderr: `${told.stderr}${rest.stderr}`, exitCode: 1 };
};

/** `umask [-S] [MODE]`: 022, which everything here is made with. */
export const umask: Execute = async (args) => {
  const asked = args.filter((arg) => !/^-[Sp]+$/.test(arg));
  const is_spoken = args.some((arg) => /^-p?S/.test(arg));
  const [text] = asked;
  if (text === undefined) return said(is_spoken ? 'u=rwx,g=rx,o=rx\n' : '0022\n');
  const octal = /^[0-7]+$/.test(text);
  const left = modeOf(text, { mode: 0o777 & ~UMASK, is_folder: true, umask: 0 });
  if ((octal ? left : 0o777 & ~left) === UMASK) return said('');
  // No failure: under `set -e` a script would end with it.
  const stderr = `umask: files are made with 022 here, whatever is asked for: chmod changes them\n`;
  return { ...said(''), stderr };
};

/** `install [-dDCpvT] [-m MODE] [-t FOLDER] SOURCE… TARGET` */
export const install: Execute = async (args, ctx) => {
  const long = {
    d: 'directory',
    m: 'mode',
    t: 'target-directory',
    T: 'no-target-directory',
    v: 'verbose',
    p: 'preserve-timestamps',
    C: 'compare',
  };
  const known = { flags: 'dDCpvTcs', valued: 'mtog', long };
  const { operands, has, value } = optionsOf(args, known);
  const mode = modeOf(value('m') ?? '755', { mode: 0, is_folder: has('d'), umask: 0 });
  if (operands.length === 0) throw new CommandFailure('missing file operand');
  if (has('d')) return await foldersMade(operands, mode, ctx);
  const folder = value('t');
  const target = folder ?? operands.at(-1) ?? '';
  if (has('D')) await makeParents(folder ?? parentOf(target), ctx);
  const flags = ['p', 'v', 'T'].filter((letter) => has(letter)).map((letter) => `-${letter}`);
  const into = folder === undefined ? [] : ['-t', folder];
  const pairs = await pairsOf(ctx, operands, { folder, is_place: has('T') });
  const told = await cp([...flags, ...into, '--', ...operands], ctx);
  if (told.exitCode === 0) await giveMode(pairs, mode, ctx);
  return { ...told, stderr: told.stderr.replaceAll(/^cp: /gm, 'install: ') };
};

async function giveMode(pairs: readonly Pair[], mode: number, { fs, cwd }: CommandContext) {
  for (const { to } of pairs) await fs.chmod(fs.resolvePath(cwd, to), mode);
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

async function makeParents(folder: string, { fs, cwd }: CommandContext): Promise<void> {
  if (folder !== '') await fs.mkdir(fs.resolvePath(cwd, folder), { recursive: true });
}

/** The last folder of each gets the mode, those before it the usual one. */
async function foldersMade(names: readonly string[], mode: number, { fs, cwd }: CommandContext) {
  const told = new Told('install');
  for (const name of names) {
    await told.attempt(`cannot create directory '${name}'`, async () => {
      const whole = fs.resolvePath(cwd, name);
      await fs.mkdir(whole, { recursive: true });
      await fs.chmod(whole, mode);
    });
  }
  return told;
}
