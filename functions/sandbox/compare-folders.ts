import type { CommandContext, ExecResult, FsStat } from 'just-bash';
import { below, statOf, Told } from './targets.ts';

/** `diff -r A B`: two folders, file by file, in the order of their names. */

/** How two files are compared, and what of the folders is left out. */
export interface Comparing {
  readonly files: (old: string, fresh: string) => Promise<ExecResult>;
  /** The options as they are shown before each pair of files. */
  readonly shown: readonly string[];
  readonly is_recursive: boolean;
  /** `-N`: a file that is missing is empty. */
  readonly is_new_empty: boolean;
  readonly isExcluded: (name: string) => boolean;
}

export async function compareFolders(
  ctx: CommandContext,
  [old, fresh]: readonly [string, string],
  comparing: Comparing,
): Promise<ExecResult> {
  const told = new Told('diff');
  await compare({ old, fresh }, { ctx, comparing, told });
  return told;
}

interface Sides {
  readonly old: string;
  readonly fresh: string;
}

interface Comparison {
  readonly ctx: CommandContext;
  readonly comparing: Comparing;
  readonly told: Told;
}

async function compare({ old, fresh }: Sides, work: Comparison): Promise<void> {
  const { ctx, comparing } = work;
  const [left, right] = await Promise.all([namesIn(old, ctx), namesIn(fresh, ctx)]);
  const names = [...new Set([...left, ...right])].filter((name) => !comparing.isExcluded(name));
  for (const name of names.toSorted()) {
    const sides = { old: below(old, name), fresh: below(fresh, name) };
    const [a, b] = await Promise.all([statOf(ctx, sides.old), statOf(ctx, sides.fresh)]);
    if (a !== undefined && b !== undefined) await comparePair(sides, [a, b], work);
    else if (comparing.is_new_empty) await compareNew(sides, (a ?? b)?.isDirectory === true, work);
    else {
      work.told.stdout += `Only in ${a === undefined ? fresh : old}: ${name}\n`;
      work.told.exitCode = Math.max(1, work.told.exitCode);
    }
  }
}

async function namesIn(folder: string, { fs, cwd }: CommandContext): Promise<string[]> {
  return await fs.readdir(fs.resolvePath(cwd, folder)).catch(() => []);
}

async function compareNew(sides: Sides, is_folder: boolean, work: Comparison): Promise<void> {
  if (!is_folder) await compareFiles(sides, work);
  else if (work.comparing.is_recursive) await compare(sides, work);
}

async function comparePair(
  sides: Sides,
  [a, b]: readonly [FsStat, FsStat],
  work: Comparison,
): Promise<void> {
  const { told, comparing } = work;
  if (a.isDirectory && b.isDirectory) {
    if (comparing.is_recursive) return await compare(sides, work);
    told.stdout += `Common subdirectories: ${sides.old} and ${sides.fresh}\n`;
  } else if (a.isDirectory || b.isDirectory) {
    const kind = ({ isDirectory, size }: FsStat): string => {
      if (isDirectory) return 'directory';
      return size === 0 ? 'regular empty file' : 'regular file';
    };
    told.stdout += `File ${sides.old} is a ${kind(a)} while file ${sides.fresh} is a ${kind(b)}\n`;
    told.exitCode = Math.max(1, told.exitCode);
  } else await compareFiles(sides, work);
}

async function compareFiles({ old, fresh }: Sides, { comparing, told }: Comparison): Promise<void> {
  const { stdout, stderr, exitCode } = await comparing.files(old, fresh);
  told.exitCode = Math.max(exitCode, told.exitCode);
  told.stderr += stderr;
  if (exitCode !== 1) {
    told.stdout += stdout;
    return;
  }
  const title = ['diff', ...comparing.shown, old, fresh].join(' ');
  // Said in a sentence that names both (`-q`), it needs no title.
  const is_short = /^Files .* differ\n$/.test(stdout);
  told.stdout += is_short ? stdout : `${title}\n${stdout}`;
}
