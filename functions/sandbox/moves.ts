import type { CommandContext, FsStat } from 'just-bash';
import { CommandFailure, optionsOf, type Execute } from './command.ts';
import { below, fileOf, lstatOf, pairsOf, placeOf, statOf, Told, type Pair } from './targets.ts';

/**
 * `mv` and `cp` as the GNU commands have them. The interpreter's write a folder over a file, take `out/` for the
 * name of a file where there is no such folder (each of many files over the last), know no `-a`, `-t` or
 * `-u`, and give a script that is replaced the mode of what replaces it.
 */

/** What both commands know of a file that is in the way. */
interface Keeping {
  /** `-n`, and `-i` without anybody to ask. */
  readonly keeps: boolean;
  /** `-u` */
  readonly is_newer_only: boolean;
}

const common = {
  t: 'target-directory',
  T: 'no-target-directory',
  n: 'no-clobber',
  i: 'interactive',
  u: 'update',
  v: 'verbose',
  f: 'force',
};

/** `--update=older` is `-u`, and so on: options whose value changes nothing here. */
function plain(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (/^--(no-preserve|reflink|sparse|context)(=|$)/.test(arg)) return [];
    return [arg.replace(/^--(update|preserve)=.*$/, '--$1')];
  });
}

function keepingOf(has: (letter: string) => boolean): Keeping {
  return { keeps: has('n') || has('i'), is_newer_only: has('u') };
}

/** Whether what stands at a place is to stay. */
function stays(there: FsStat | undefined, from: FsStat, keeping: Keeping): boolean {
  if (there === undefined || there.isDirectory) return false;
  return keeping.keeps || (keeping.is_newer_only && there.mtime >= from.mtime);
}

/** @throws CommandFailure where one of them is a folder and the other is none */
function checkKinds(from: FsStat, there: FsStat | undefined, { from: name, to }: Pair): void {
  if (there === undefined || there.isDirectory === from.isDirectory) return;
  throw new CommandFailure(
    from.isDirectory
      ? `cannot overwrite non-directory '${to}' with directory '${name}'`
      : `cannot overwrite directory '${to}' with non-directory`,
  );
}

/** `mv [-finuvT] [-t FOLDER] SOURCE… TARGET` */
export const mv: Execute = async (args, ctx) => {
  const known = { flags: 'finuvT', valued: 't', long: common };
  const { operands, has, value } = optionsOf(plain(args), known);
  const target = { folder: value('t'), is_place: has('T') };
  const told = new Told('mv');
  for (const pair of await pairsOf(ctx, operands, target)) {
    await told.attempt(`cannot move '${pair.from}' to '${pair.to}'`, async () => {
      const is_moved = await move(ctx, pair, keepingOf(has));
      if (is_moved && has('v')) told.stdout += `renamed '${pair.from}' -> '${pair.to}'\n`;
    });
  }
  return told;
};

async function move(ctx: CommandContext, pair: Pair, keeping: Keeping): Promise<boolean> {
  const from = await lstatOf(ctx, pair.from);
  if (from === undefined) {
    throw new CommandFailure(`cannot stat '${pair.from}': No such file or directory`);
  }
  const there = await lstatOf(ctx, pair.to.replace(/(?<=.)\/+$/, ''));
  const [old_place, new_place] = await Promise.all([
    placeOf(ctx, pair.from),
    placeOf(ctx, pair.to),
  ]);
  // A link that is moved over what it leads to would be all that is left.
  const is_own = from.isSymbolicLink && (await fileOf(ctx, pair.from)) === new_place;
  if (old_place === new_place || is_own) {
    throw new CommandFailure(`'${pair.from}' and '${pair.to}' are the same file`);
  }
  if (stays(there, from, keeping)) return false;
  checkKinds(from, there, pair);
  if (from.isDirectory && new_place.startsWith(`${old_place}/`)) {
    throw new CommandFailure(
      `cannot move '${pair.from}' to a subdirectory of itself, '${pair.to}'`,
    );
  }
  if (pair.to.endsWith('/') && !from.isDirectory) {
    throw new CommandFailure(`cannot move '${pair.from}' to '${pair.to}': Not a directory`);
  }
  const { fs, cwd } = ctx;
  await fs.mv(fs.resolvePath(cwd, pair.from), fs.resolvePath(cwd, pair.to));
  return true;
}

/** What `cp` was asked for. */
interface Copying extends Keeping {
  readonly is_recursive: boolean;
  /** Which links are copied as links: none, those inside of folders, or all. */
  readonly links: 'none' | 'inside' | 'all';
  /** `-p`: with its mode and time. */
  readonly is_preserving: boolean;
  readonly is_verbose: boolean;
}

/** `cp [-afinpruvdHLPRT] [-t FOLDER] [--parents] SOURCE… TARGET` */
export const cp: Execute = async (args, ctx) => {
  const with_parents = args.includes('--parents');
  const long = {
    ...common,
    a: 'archive',
    R: 'recursive',
    L: 'dereference',
    P: 'no-dereference',
    p: 'preserve',
  };
  const known = { flags: 'afinpruvdHLPRT', valued: 't', long };
  const plain_args = plain(args).filter((arg) => arg !== '--parents');
  const { operands, has, value } = optionsOf(plain_args, known);
  const target = { folder: value('t'), is_place: has('T') };
  const is_recursive = has('r') || has('R') || has('a');
  const are_kept = has('P') || has('d') || has('a');
  const copying: Copying = {
    ...keepingOf(has),
    is_recursive,
    links: has('L') ? 'none' : are_kept || (is_recursive && !has('H')) ? 'all' : 'inside',
    is_preserving: has('p') || has('a'),
    is_verbose: has('v'),
  };
  const pairs = await pairsOf(ctx, operands, target);
  const copier = new Copier(ctx, copying);
  for (const pair of pairs) await copier.copy(with_parents ? await parented(ctx, pair) : pair);
  return copier.told;
};

/** `--parents`: with the folders that lead to it, which are made. */
async function parented(ctx: CommandContext, { from, to }: Pair): Promise<Pair> {
  const folder = to.slice(0, to.lastIndexOf('/'));
  const place = `${folder}/${from}`;
  const { fs, cwd } = ctx;
  await fs.mkdir(fs.resolvePath(cwd, place.slice(0, place.lastIndexOf('/'))), { recursive: true });
  return { from, to: place };
}

class Copier {
  readonly told = new Told('cp');
  readonly #ctx: CommandContext;
  readonly #copying: Copying;

  constructor(ctx: CommandContext, copying: Copying) {
    this.#ctx = ctx;
    this.#copying = copying;
  }

  async copy(pair: Pair, is_inside = false): Promise<void> {
    await this.told.attempt(`cannot create '${pair.to}'`, async () => {
      const { links } = this.#copying;
      const is_link_kept = links === 'all' || (is_inside && links === 'inside');
      const from = await (is_link_kept ? lstatOf : statOf)(this.#ctx, pair.from);
      if (from === undefined) {
        throw new CommandFailure(`cannot stat '${pair.from}': No such file or directory`);
      }
      if (from.isSymbolicLink) await this.#copyLink(pair, from);
      else if (from.isDirectory) await this.#copyFolder(pair, from);
      else await this.#copyFile(pair, from);
    });
  }

  async #copyFile(pair: Pair, from: FsStat): Promise<void> {
    const { fs } = this.#ctx;
    const there = await statOf(this.#ctx, pair.to);
    await this.#checkOther(pair);
    if (stays(there, from, this.#copying)) return;
    checkKinds(from, there, pair);
    if (pair.to.endsWith('/')) {
      throw new CommandFailure(`cannot create regular file '${pair.to}': Not a directory`);
    }
    const entry = await lstatOf(this.#ctx, pair.to);
    if (entry?.isSymbolicLink === true && there === undefined) {
      throw new CommandFailure(`not writing through dangling symlink '${pair.to}'`);
    }
    const to = this.#whole(pair.to);
    await fs.cp(this.#whole(pair.from), to);
    // The content is new, the file is not.
    if (there !== undefined && !this.#copying.is_preserving) await fs.chmod(to, there.mode);
    await this.#finish(pair, from);
  }

  async #copyFolder(pair: Pair, from: FsStat): Promise<void> {
    const { fs } = this.#ctx;
    if (!this.#copying.is_recursive) {
      throw new CommandFailure(`-r not specified; omitting directory '${pair.from}'`);
    }
    const there = await statOf(this.#ctx, pair.to);
    checkKinds(from, there, pair);
    const [old_place, new_place] = [
      await fileOf(this.#ctx, pair.from),
      await this.#target(pair.to),
    ];
    if (new_place === old_place || new_place.startsWith(`${old_place ?? ''}/`)) {
      throw new CommandFailure(
        `cannot copy a directory, '${pair.from}', into itself, '${pair.to}'`,
      );
    }
    const to = this.#whole(pair.to);
    if (there === undefined) {
      await fs.mkdir(to);
      await fs.chmod(to, from.mode);
    }
    for (const name of await fs.readdir(this.#whole(pair.from))) {
      await this.copy({ from: below(pair.from, name), to: below(pair.to, name) }, true);
    }
    if (there === undefined) await this.#finish(pair, from);
  }

  async #copyLink(pair: Pair, from: FsStat): Promise<void> {
    const { fs } = this.#ctx;
    const there = await lstatOf(this.#ctx, pair.to);
    if ((await placeOf(this.#ctx, pair.from)) === (await placeOf(this.#ctx, pair.to))) {
      throw new CommandFailure(`'${pair.from}' and '${pair.to}' are the same file`);
    }
    if (stays(there, from, this.#copying)) return;
    checkKinds(from, there, pair);
    const leads_to = await fs.readlink(this.#whole(pair.from));
    if (there !== undefined) await fs.rm(this.#whole(pair.to));
    await fs.symlink(leads_to, this.#whole(pair.to));
    if (this.#copying.is_verbose) this.told.stdout += `'${pair.from}' -> '${pair.to}'\n`;
  }

  async #checkOther({ from, to }: Pair): Promise<void> {
    const [old_place, new_place] = [await fileOf(this.#ctx, from), await fileOf(this.#ctx, to)];
    if (new_place === undefined || old_place !== new_place) return;
    throw new CommandFailure(`'${from}' and '${to}' are the same file`);
  }

  async #finish(pair: Pair, from: FsStat): Promise<void> {
    if (this.#copying.is_verbose) this.told.stdout += `'${pair.from}' -> '${pair.to}'\n`;
    if (!this.#copying.is_preserving) return;
    const { fs } = this.#ctx;
    await fs.utimes(this.#whole(pair.to), from.mtime, from.mtime);
  }

  async #target(path: string): Promise<string> {
    return (await fileOf(this.#ctx, path)) ?? (await placeOf(this.#ctx, path));
  }

  #whole(path: string): string {
    const { fs, cwd } = this.#ctx;
    return fs.resolvePath(cwd, path);
  }
}
