import type { CommandContext, FsStat } from 'just-bash';
import { countOf, optionsOf, type Execute } from './command.ts';
import { shortSize } from './ls.ts';
import { diskKib } from './stat.ts';
import { inFolder, lstatOf, Told } from './targets.ts';

/** `du`: the interpreter's knows no `-k`, `-m`, `-b` or `-d`, and counts no blocks. */

/** Of a folder, with `-b`; else it takes nothing of its own here. */
const FOLDER_BYTES = 4_096;

interface Counting {
  readonly ctx: CommandContext;
  readonly told: Told;
  /** What is counted of a file. */
  readonly bytesOf: (stat: FsStat) => number;
  readonly shown: (bytes: number) => string;
  readonly levels: number;
  readonly are_files_shown: boolean;
}

export const du: Execute = async (args, ctx) => {
  const long = {
    a: 'all',
    h: 'human-readable',
    s: 'summarize',
    c: 'total',
    b: 'bytes',
    d: 'max-depth',
    A: 'apparent-size',
    x: 'one-file-system',
    D: 'dereference-args',
  };
  const known = { flags: 'ahsckmbAxlD', valued: 'd', long };
  const { operands, has, value } = optionsOf(args, known);
  const depth = value('d') === undefined ? Infinity : countOf(value('d'), 'maximum depth');
  const is_apparent = has('b') || has('A');
  const unit = has('b') ? 1 : has('m') ? 2 ** 20 : 2 ** 10;
  const counting: Counting = {
    ctx,
    told: new Told('du'),
    bytesOf: ({ size, isDirectory }) => {
      if (is_apparent) return isDirectory ? FOLDER_BYTES : size;
      return isDirectory ? 0 : diskKib(size) * 1_024;
    },
    shown: (bytes) => (has('h') ? shortSize(bytes) : String(Math.ceil(bytes / unit))),
    levels: has('s') ? 0 : depth,
    are_files_shown: has('a'),
  };
  let total = 0;
  for (const name of operands.length === 0 ? ['.'] : operands) {
    const stat = await lstatOf(ctx, name);
    if (stat === undefined)
      counting.told.failed(`cannot access '${name}': No such file or directory`);
    else total += await count({ name, stat, depth: 0 }, counting);
  }
  if (has('c')) counting.told.stdout += `${counting.shown(total)}\ttotal\n`;
  return counting.told;
};

interface Counted {
  readonly name: string;
  readonly stat: FsStat;
  readonly depth: number;
}

async function count({ name, stat, depth }: Counted, counting: Counting): Promise<number> {
  const { ctx, told, bytesOf, shown, levels, are_files_shown } = counting;
  let bytes = stat.isSymbolicLink ? 0 : bytesOf(stat);
  const names = stat.isDirectory ? await ctx.fs.readdir(ctx.fs.resolvePath(ctx.cwd, name)) : [];
  for (const inside of names) {
    const path = inFolder(name, inside);
    const found = await lstatOf(ctx, path);
    if (found !== undefined)
      bytes += await count({ name: path, stat: found, depth: depth + 1 }, counting);
  }
  const is_shown = depth <= levels && (stat.isDirectory || are_files_shown || depth === 0);
  if (is_shown) told.stdout += `${shown(bytes)}\t${name}\n`;
  return bytes;
}
