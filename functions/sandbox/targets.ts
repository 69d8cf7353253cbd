import type { CommandContext, FsStat } from 'just-bash';
import { CommandFailure } from './command.ts';
import { FsFault } from './tree.ts';

/** Where `cp`, `mv` and `ln` put things, as the GNU commands decide it. */

/** One source, and the place that it is to have: both as they were said. */
export interface Pair {
  readonly from: string;
  readonly to: string;
}

/** What an option says of the target. */
export interface TargetOptions {
  /** `-t`: the folder, before the sources. */
  readonly folder: string | undefined;
  /** `-T`: the target is the place itself, whatever stands there. */
  readonly is_place: boolean;
  /** A link to a folder is a place and no folder (`ln -n`). @default false */
  readonly takes_links?: boolean;
}

/**
 * Where each of the sources goes: into the last operand where that is a folder, else to it.
 * @throws CommandFailure where it is said in no way that there is
 */
export async function pairsOf(
  ctx: CommandContext,
  operands: readonly string[],
  { folder, is_place, takes_links = false }: TargetOptions,
): Promise<Pair[]> {
  const { sources, target } = apart(operands, folder);
  const found = await (takes_links ? lstatOf(ctx, target) : statOf(ctx, target));
  if (found?.isDirectory === true && !is_place) {
    return sources.map((from) => ({ from, to: below(target, from) }));
  }
  if (folder === undefined && sources.length === 1) {
    return sources.map((from) => ({ from, to: target }));
  }
  const why = found === undefined ? 'No such file or directory' : 'Not a directory';
  throw new CommandFailure(`target '${target}': ${why}`);
}

function apart(operands: readonly string[], folder: string | undefined) {
  const [first] = operands;
  if (first === undefined) throw new CommandFailure('missing file operand');
  if (folder !== undefined) return { sources: operands, target: folder };
  if (operands.length === 1) {
    throw new CommandFailure(`missing destination file operand after '${first}'`);
  }
  return { sources: operands.slice(0, -1), target: operands.at(-1) ?? '' };
}

/** The place in a folder that a source keeps its name in. */
export function below(folder: string, from: string): string {
  const name = from.replace(/\/+$/, '').split('/').at(-1) ?? '';
  // `cp -r d/.. e` brings what is in it, not it.
  return `${folder.replace(/\/+$/, '')}/${name === '..' ? '.' : name}`;
}

/** A name in a folder, behind the folder as it was said. */
export const inFolder = (folder: string, name: string): string =>
  `${folder}${folder.endsWith('/') ? '' : '/'}${name}`;

/** What a path leads to; undefined for nothing. */
export async function statOf(
  { fs, cwd }: CommandContext,
  path: string,
): Promise<FsStat | undefined> {
  return await fs.stat(fs.resolvePath(cwd, path)).catch(() => undefined);
}

/** What stands at a path itself; behind a slash it is what a link leads to. */
export async function lstatOf(ctx: CommandContext, path: string): Promise<FsStat | undefined> {
  const { fs, cwd } = ctx;
  if (path.endsWith('/')) return await statOf(ctx, path);
  return await fs.lstat(fs.resolvePath(cwd, path)).catch(() => undefined);
}

/** A path without links, but for the one that it may be itself: the place that it names. */
export async function placeOf({ fs, cwd }: CommandContext, path: string): Promise<string> {
  const whole = fs.resolvePath(cwd, path);
  const cut = whole.lastIndexOf('/');
  const folder = await fs.realpath(whole.slice(0, cut) || '/').catch(() => whole.slice(0, cut));
  return `${folder === '/' ? '' : folder}${whole.slice(cut)}`;
}

/** The file at the end of all links; undefined for nothing. */
export async function fileOf(
  { fs, cwd }: CommandContext,
  path: string,
): Promise<string | undefined> {
  return await fs.realpath(fs.resolvePath(cwd, path)).catch(() => undefined);
}

/** What one source came to: said, or a failure that stops no other. */
export class Told {
  stdout = '';
  stderr = '';
  exitCode = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Go on behind a failure. @param where What it was about, when the file system refuses it. */
  async attempt(where: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const is_fault = error instanceof FsFault;
      if (!is_fault && !(error instanceof CommandFailure)) throw error;
      this.failed(is_fault ? `${where}: ${reasonOf(error)}` : error.message);
    }
  }

  failed(text: string): void {
    this.stderr += `${this.#name}: ${text}\n`;
    this.exitCode = 1;
  }
}

function reasonOf({ text }: FsFault): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
