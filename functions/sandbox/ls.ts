import type { CommandContext, ExecResult, FsStat } from 'just-bash';
import { optionsOf, type Execute } from './command.ts';
import { diskKib, OWNER, permissions } from './stat.ts';
import { inFolder, lstatOf, statOf } from './targets.ts';

/**
 * `ls` as the GNU command has it. The interpreter's shows every file as `-rw-r--r--` and every link as the file that it
 * leads to, and files that are named as they come, with an empty line between each two.
 */

const FLAGS = 'aAdFhlLHprRSt1inogGUXvkCxcuBsqNfQ';
const long = {
  a: 'all',
  A: 'almost-all',
  d: 'directory',
  F: 'classify',
  h: 'human-readable',
  L: 'dereference',
  r: 'reverse',
  R: 'recursive',
  i: 'inode',
  n: 'numeric-uid-gid',
  G: 'no-group',
  s: 'size',
};

interface Listing {
  readonly ctx: CommandContext;
  readonly has: (letter: string) => boolean;
  readonly time: 'usual' | 'full' | 'long-iso' | 'iso';
  readonly is_long: boolean;
  readonly are_folders_first: boolean;
}

interface Entry {
  readonly name: string;
  readonly stat: FsStat;
  /** Of a link: where it leads, and what stands there. */
  readonly target?: string;
  readonly end?: FsStat | undefined;
}

export const ls: Execute = async (given, ctx) => {
  const listing = asked(given, ctx);
  const { has, operands } = listing;
  const result = { stdout: '', stderr: '', exitCode: 0 };
  const entries: Entry[] = [];
  for (const name of operands.length === 0 ? ['.'] : operands) {
    const entry = await entryOf(name, name, listing);
    if (entry !== undefined) entries.push(entry);
    else {
      result.stderr += `ls: cannot access '${name}': No such file or directory\n`;
      result.exitCode = 2;
    }
  }
  const isListed = (entry: Entry): boolean => !has('d') && leadsInto(entry, listing);
  const files = sorted(
    entries.filter((entry) => !isListed(entry)),
    listing,
  );
  result.stdout += linesOf(files, listing);
  const is_titled = operands.length > 1 || has('R');
  for (const { name } of sorted(entries.filter(isListed), listing)) {
    await listFolder({ name, is_titled }, listing, result);
  }
  return result;
};

function asked(given: readonly string[], ctx: CommandContext) {
  const named = (name: string): string | undefined =>
    given.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const args = given.flatMap((arg) => {
    if (/^--(colou?r|time-style|full-time|group-directories-first|indicator-style)\b/.test(arg))
      return [];
    return [arg.replace(/^--sort=(time|size|none)$/, (_, by: string) => `-${sorts[by] ?? 'U'}`)];
  });
  const { operands, has } = optionsOf(args, { flags: FLAGS, long });
  const style = named('time-style') ?? '';
  const is_full = given.includes('--full-time');
  const time: Listing['time'] =
    is_full || style === 'full-iso'
      ? 'full'
      : style === 'long-iso' || style === 'iso'
        ? style
        : 'usual';
  return {
    ctx,
    operands,
    has,
    time,
    is_long: is_full || ['l', 'n', 'o', 'g'].some((letter) => has(letter)),
    are_folders_first: given.includes('--group-directories-first'),
  };
}

const sorts: Readonly<Record<string, string>> = { time: 't', size: 'S' };

/** A link that is named leads into its folder, but with `-l` and `-F`. */
function leadsInto({ stat, end, name }: Entry, { has, is_long }: Listing): boolean {
  if (stat.isDirectory) return true;
  return end?.isDirectory === true && (name.endsWith('/') || has('H') || !(is_long || has('F')));
}

/** @param shown The name that it has in the listing. */
async function entryOf(
  path: string,
  shown: string,
  { ctx, has }: Listing,
): Promise<Entry | undefined> {
  const itself = await lstatOf(ctx, path);
  if (itself?.isSymbolicLink !== true) return itself && { name: shown, stat: itself };
  const end = await statOf(ctx, path);
  if (has('L') && (end !== undefined || path === shown)) return end && { name: shown, stat: end };
  const target = await ctx.fs.readlink(ctx.fs.resolvePath(ctx.cwd, path));
  return { name: shown, stat: itself, target, end };
}

function sorted(entries: readonly Entry[], { has, are_folders_first }: Listing): Entry[] {
  const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : 1);
  const by = (a: Entry, b: Entry): number =>
    (has('S') && b.stat.size - a.stat.size) ||
    (has('t') && b.stat.mtime.getTime() - a.stat.mtime.getTime()) ||
    byName(a, b);
  const ordered = has('U') || has('f') ? [...entries] : entries.toSorted(by);
  const turned = has('r') ? ordered.toReversed() : ordered;
  if (!are_folders_first) return turned;
  const isFolder = ({ stat, end }: Entry): boolean => (end ?? stat).isDirectory;
  return [...turned.filter(isFolder), ...turned.filter((entry) => !isFolder(entry))];
}

async function listFolder(
  { name, is_titled }: { readonly name: string; readonly is_titled: boolean },
  listing: Listing,
  result: ExecResult,
): Promise<void> {
  const { has } = listing;
  const entries = await entriesIn(name, listing);
  if (is_titled) result.stdout += `${result.stdout === '' ? '' : '\n'}${name}:\n`;
  if (listing.is_long || has('s')) {
    const blocks = entries.reduce((sum, { stat }) => sum + blocksOf(stat), 0);
    result.stdout += `total ${has('h') ? shortSize(blocks * 1_024) : blocks}\n`;
  }
  result.stdout += linesOf(entries, listing);
  if (!has('R')) return;
  for (const { name: inside, stat } of entries) {
    if (!stat.isDirectory || inside === '.' || inside === '..') continue;
    await listFolder({ name: inFolder(name, inside), is_titled }, listing, result);
  }
}

async function entriesIn(folder: string, listing: Listing): Promise<Entry[]> {
  const { ctx, has } = listing;
  const all = await ctx.fs.readdir(ctx.fs.resolvePath(ctx.cwd, folder));
  const is_all = has('a') || has('f');
  const names = all.filter((one) => is_all || has('A') || !one.startsWith('.'));
  const found = await Promise.all(
    [...(is_all ? ['.', '..'] : []), ...names].map(
      async (one) => await entryOf(inFolder(folder, one), one, listing),
    ),
  );
  return sorted(
    found.filter((one) => one !== undefined),
    listing,
  );
}

/** Whole blocks of a file, in KiB. */
const blocksOf = ({ isFile, size }: FsStat): number => (isFile ? diskKib(size) : 0);

function linesOf(entries: readonly Entry[], listing: Listing): string {
  const { has, is_long } = listing;
  const lead = (stat: FsStat): string[] => [
    ...(has('i') ? [/\d+$/.exec(String(stat.identity))?.[0] ?? '0'] : []),
    ...(has('s') ? [String(blocksOf(stat))] : []),
  ];
  const rows = entries.map((entry) => [
    ...lead(entry.stat),
    ...(is_long ? fieldsOf(entry.stat, listing) : []),
    `${entry.name}${markOf(entry, listing)}`,
  ]);
  const widths = (rows[0] ?? []).map((_, nth) =>
    Math.max(...rows.map((row) => row[nth]?.length ?? 0)),
  );
  return rows
    .map((row) => `${row.map((field, nth) => padded(field, nth, widths)).join(' ')}\n`)
    .join('');
}

/** Numbers stand to the right, and the name has no end. */
function padded(field: string, nth: number, widths: readonly number[]): string {
  if (nth === widths.length - 1) return field;
  const width = widths[nth] ?? 0;
  return /^[\d.]+[KMGT]?$/.test(field) ? field.padStart(width) : field.padEnd(width);
}

function fieldsOf(stat: FsStat, { has, time }: Listing): string[] {
  const owner = has('n') ? '1000' : OWNER;
  const size = stat.isDirectory ? 4_096 : stat.size;
  return [
    permissions(stat),
    '1',
    ...(has('g') ? [] : [owner]),
    ...(has('o') || has('G') ? [] : [owner]),
    has('h') ? shortSize(size) : String(size),
    timeOf(stat.mtime, time),
  ];
}

function markOf({ stat, target, end }: Entry, { has, is_long }: Listing): string {
  if (target !== undefined && is_long) {
    return ` -> ${target}${end === undefined ? '' : signOf(end, has)}`;
  }
  return signOf(stat, has);
}

function signOf(stat: FsStat, has: (letter: string) => boolean): string {
  if (stat.isDirectory) return has('F') || has('p') ? '/' : '';
  if (!has('F')) return '';
  if (stat.isSymbolicLink) return '@';
  return (stat.mode & 0o111) === 0 ? '' : '*';
}

/** Rounded up, as all the GNU commands do it. */
export function shortSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1_024 && unit < 4) {
    size /= 1_024;
    unit += 1;
  }
  if (unit === 0) return String(bytes);
  const text = size < 9.95 ? (Math.ceil(size * 10) / 10).toFixed(1) : String(Math.ceil(size));
  return `${text}${'KMGT'.charAt(unit - 1)}`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Half a year, behind which the year is shown. */
const RECENT_MS = 15_778_476_000;

function timeOf(time: Date, style: Listing['time']): string {
  const [day = '', clock = ''] = time.toISOString().slice(0, -1).split('T');
  const hour = clock.slice(0, 5);
  if (style === 'full') return `${day} ${clock.padEnd(18, '0')} +0000`;
  if (style === 'long-iso') return `${day} ${hour}`;
  const age_ms = Date.now() - time.getTime();
  const is_recent = age_ms >= 0 && age_ms < RECENT_MS;
  if (style === 'iso') return is_recent ? `${day.slice(5)} ${hour}` : `${day} `;
  const month = MONTHS[time.getUTCMonth()] ?? '';
  const date = String(time.getUTCDate()).padStart(2);
  return `${month} ${date} ${is_recent ? hour : ` ${time.getUTCFullYear()}`}`;
}
