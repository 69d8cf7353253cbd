import type { CommandContext, ExecResult, FsStat } from 'just-bash';
import { bytesSaid, quoted, saidBytes, type Execute } from './command.ts';
import { expressionOf } from './find-expression.ts';
import { inFolder, statOf } from './targets.ts';

/**
 * `find` as the GNU command has it. The interpreter's knows no links and few modes, runs what `-exec` names when
 * all is found, and takes whatever that says for a yes.
 */

/** What was met on the way. */
export interface Found {
  /** As it is shown: behind the starting point as it was said. */
  readonly path: string;
  /** From the root. */
  readonly whole: string;
  readonly start: string;
  readonly depth: number;
  readonly stat: FsStat;
}

/** One question of an expression, or something that is done and answers too. */
export type Test = (found: Found, search: Search) => boolean | Promise<boolean>;

/** What an expression says of the search as a whole. */
export interface Bounds {
  min_depth: number;
  max_depth: number;
  /** `-depth`, `-delete`: what a folder holds before itself. */
  is_inside_first: boolean;
}

/** A search while it goes on: what it has said, and where it does not go on. */
export class Search {
  readonly ctx: CommandContext;
  readonly follows: boolean;
  readonly now_ms = Date.now();
  is_pruned = false;
  is_over = false;
  exit_code = 0;
  stderr = '';
  /** What runs when all is found: `-exec … +`. */
  readonly atEnd = new Map<object, () => Promise<void>>();
  readonly #said: Buffer[] = [];

  constructor(ctx: CommandContext, follows: boolean) {
    this.ctx = ctx;
    this.follows = follows;
  }

  say(text: string): void {
    this.#said.push(Buffer.from(text));
  }

  failed(text: string): void {
    this.stderr += `find: ${text}\n`;
    this.exit_code = 1;
  }

  /** Run a command there and then, and say what it says. @returns its status */
  async run([name = '', ...args]: readonly string[], cwd: string): Promise<number> {
    const { exec, signal } = this.ctx;
    if (exec === undefined) throw new Error('a command runs in a shell');
    const ends = signal === undefined ? {} : { signal };
    const told = await exec(quoted(name), { cwd, args, ...ends });
    this.#said.push(bytesSaid(told));
    this.stderr += told.stderr;
    return told.exitCode;
  }

  get result(): ExecResult {
    const said = saidBytes(Buffer.concat(this.#said));
    return { ...said, stderr: this.stderr, exitCode: this.exit_code };
  }
}

export const find: Execute = async (args, ctx) => {
  const options = args.slice(0, args.findIndex((arg) => !/^-([HLP]|O\d)$/.test(arg)) >>> 0);
  const rest = args.slice(options.length);
  const cut = rest.findIndex((arg) => /^(-.|[!(),]$)/.test(arg));
  const starts = cut === -1 ? rest : rest.slice(0, cut);
  const { test, bounds } = await expressionOf(cut === -1 ? [] : rest.slice(cut), ctx);
  const follows = options.some((option) => option === '-L');
  const search = new Search(ctx, follows);
  for (const start of starts.length === 0 ? ['.'] : starts) {
    await walkFrom(start, { test, bounds, search });
  }
  for (const run of search.atEnd.values()) await run();
  return search.result;
};

interface Walk {
  readonly test: Test;
  readonly bounds: Bounds;
  readonly search: Search;
}

async function walkFrom(start: string, walk: Walk): Promise<void> {
  const { search } = walk;
  const { fs, cwd } = search.ctx;
  const whole = fs.resolvePath(cwd, start);
  const stat = await statAt(whole, search, start.endsWith('/'));
  if (stat === undefined) search.failed(`'${start}': No such file or directory`);
  else await visit({ path: start, whole, start, depth: 0, stat }, walk, []);
}

/** A link that leads nowhere is still one with `-L`. */
async function statAt(whole: string, search: Search, follows = false): Promise<FsStat | undefined> {
  const { ctx } = search;
  const led = search.follows || follows ? await statOf(ctx, whole) : undefined;
  return led ?? (await ctx.fs.lstat(whole).catch(() => undefined));
}

/** @param above The folders that lead here, without links, of which one may come again with `-L`. */
async function visit(found: Found, walk: Walk, above: readonly string[]): Promise<void> {
  const { search, bounds, test } = walk;
  if (search.is_over || search.ctx.signal?.aborted === true) return;
  const ask = async (): Promise<void> => {
    if (found.depth >= bounds.min_depth && !search.is_over) await test(found, search);
  };
  search.is_pruned = false;
  if (!bounds.is_inside_first) await ask();
  // With `-depth` it would be too late.
  const is_entered = found.stat.isDirectory && !search.is_pruned;
  if (is_entered && found.depth < bounds.max_depth) await enter(found, walk, above);
  if (bounds.is_inside_first) await ask();
}

async function enter(found: Found, walk: Walk, above: readonly string[]): Promise<void> {
  const { search } = walk;
  const { fs } = search.ctx;
  const real = search.follows ? await fs.realpath(found.whole) : found.whole;
  if (above.includes(real)) {
    search.failed(
      `File system loop detected; '${found.path}' is part of the same file system loop`,
    );
    return;
  }
  // It may have been removed by what was run for it.
  const names = await fs.readdir(found.whole).catch(() => undefined);
  if (names === undefined) search.failed(`'${found.path}': No such file or directory`);
  for (const name of names ?? []) {
    const whole = inFolder(found.whole, name);
    const stat = await statAt(whole, search);
    if (stat === undefined) continue;
    const path = inFolder(found.path, name);
    const inside = { path, whole, start: found.start, depth: found.depth + 1, stat };
    await visit(inside, walk, search.follows ? [...above, real] : []);
  }
}
