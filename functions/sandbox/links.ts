import type { CommandContext, ExecResult, FsStat } from 'just-bash';
import { posix } from 'node:path';
import { CommandFailure, optionsOf, original, said, type Execute } from './command.ts';
import { fileOf, lstatOf, pairsOf, placeOf, Told, type Pair } from './targets.ts';

const OPTION = /^(-[rRfvd]+|--(recursive|force|verbose|dir|one-file-system|(no-)?preserve-root))$/;

/** `.`, `..` and what ends so. */
const DOTS = /(^|\/)\.\.?\/*$/;

/**
 * `rm` of a link takes the link: the interpreter's asks what it leads to, and leaves one that leads nowhere.
 * And `build/..` is a slip of the pen, for which the interpreter's takes all that is beside.
 */
export const rm: Execute = async (args, ctx) => {
  const ends = args.indexOf('--');
  const isOperand = (arg: string, at: number): boolean =>
    ends === -1 ? !/^-./.test(arg) : at > ends || (at < ends && !/^-./.test(arg));
  const options = args.filter((arg, at) => !isOperand(arg, at) && at !== ends);
  const operands = args.filter(isOperand);
  const refusals = operands.flatMap((name) =>
    DOTS.test(name) ? [`rm: refusing to remove '.' or '..' directory: skipping '${name}'\n`] : [],
  );
  if (refusals.length === 0) return await removed({ args, options, operands }, ctx);
  const names = operands.filter((name) => !DOTS.test(name));
  const left = { args: [...options, '--', ...names], options, operands: names };
  const result = names.length === 0 ? said('') : await removed(left, ctx);
  return { ...result, stderr: `${result.stderr}${refusals.join('')}`, exitCode: 1 };
};

/** What is to be removed: as one list, and apart. */
interface Removal {
  readonly args: string[];
  readonly options: readonly string[];
  readonly operands: readonly string[];
}

async function removed(
  { args, options, operands }: Removal,
  ctx: CommandContext,
): Promise<ExecResult> {
  const stats = await Promise.all(operands.map(async (name) => await lstatOf(ctx, name)));
  const are_links = stats.map((found) => found?.isSymbolicLink === true);
  if (!are_links.includes(true) || !options.every((one) => OPTION.test(one))) {
    return await original(ctx, args);
  }
  const rest = operands.filter((_, nth) => are_links[nth] === false);
  const result = rest.length === 0 ? said('') : await original(ctx, [...options, '--', ...rest]);
  const is_told = options.some((one) => /^-\w*v|^--verbose$/.test(one));
  let { stdout, stderr, exitCode } = result;
  for (const name of operands.filter((_, nth) => are_links[nth] === true)) {
    try {
      await ctx.fs.rm(ctx.fs.resolvePath(ctx.cwd, name));
      if (is_told) stdout += `removed '${name}'\n`;
    } catch (error) {
      stderr += `rm: cannot remove '${name}': ${(error as Error).message}\n`;
      exitCode = 1;
    }
  }
  return { stdout, stderr, exitCode };
}

/** What `ln` makes. */
interface Linking {
  readonly is_symbolic: boolean;
  readonly is_forced: boolean;
  /** `-r`: the link says where its target is from where it stands. */
  readonly is_relative: boolean;
}

/** `ln [-sfnrvT] [-t FOLDER] TARGET… [PLACE]`: the interpreter's makes none in a folder. */
export const ln: Execute = async (args, ctx) => {
  const long = {
    s: 'symbolic',
    f: 'force',
    n: 'no-dereference',
    r: 'relative',
    v: 'verbose',
    T: 'no-target-directory',
    t: 'target-directory',
  };
  const { operands, has, value } = optionsOf(args, { flags: 'sfnrvT', valued: 't', long });
  const target = { folder: value('t'), is_place: has('T'), takes_links: has('n') };
  const linking = { is_symbolic: has('s'), is_forced: has('f'), is_relative: has('r') };
  const told = new Told('ln');
  const all = operands.length === 1 && target.folder === undefined ? [...operands, '.'] : operands;
  for (const pair of await pairsOf(ctx, all, target)) {
    const kind = linking.is_symbolic ? 'symbolic' : 'hard';
    await told.attempt(`failed to create ${kind} link '${pair.to}'`, async () => {
      await link(ctx, pair, linking);
      if (has('v')) told.stdout += `'${pair.to}' ${has('s') ? '->' : '=>'} '${pair.from}'\n`;
    });
  }
  return told;
};

async function link(
  ctx: CommandContext,
  pair: Pair,
  { is_symbolic, is_forced, is_relative }: Linking,
): Promise<void> {
  const { fs, cwd } = ctx;
  const place = await placeOf(ctx, pair.to);
  if (!is_symbolic) await checkFile(ctx, pair.from);
  const there = await lstatOf(ctx, pair.to);
  if (there !== undefined && !is_forced) {
    const kind = is_symbolic ? 'symbolic' : 'hard';
    throw new CommandFailure(`failed to create ${kind} link '${pair.to}': File exists`);
  }
  if (there !== undefined) await makeRoom(ctx, pair, { there, place });
  if (!is_symbolic) await fs.link(fs.resolvePath(cwd, pair.from), place);
  else await fs.symlink(is_relative ? await relativeTo(ctx, pair, place) : pair.from, place);
}

/** Take away what a link is to replace. */
async function makeRoom(
  ctx: CommandContext,
  { from, to }: Pair,
  { there, place }: { readonly there: FsStat; readonly place: string },
): Promise<void> {
  if (there.isDirectory) throw new CommandFailure(`${to}: cannot overwrite directory`);
  if ((await placeOf(ctx, from)) === place) {
    throw new CommandFailure(`'${from}' and '${to}' are the same file`);
  }
  await ctx.fs.rm(place);
}

async function relativeTo(ctx: CommandContext, { from }: Pair, place: string): Promise<string> {
  const target = (await fileOf(ctx, from)) ?? (await placeOf(ctx, from));
  return posix.relative(posix.dirname(place), target);
}

/** @throws CommandFailure for what can have no second name */
async function checkFile(ctx: CommandContext, name: string): Promise<void> {
  const found = await lstatOf(ctx, name);
  if (found === undefined) {
    throw new CommandFailure(`failed to access '${name}': No such file or directory`);
  }
  if (found.isDirectory) throw new CommandFailure(`${name}: hard link not allowed for directory`);
}
