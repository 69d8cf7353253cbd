import type { CommandContext, FsStat } from 'just-bash';
import { CommandFailure } from './command.ts';
import type { Maker } from './find-expression.ts';
import type { Found, Test } from './find.ts';
import { textMatcher } from './glob.ts';
import { scripted } from './grep-pattern.ts';
import { modeOf } from './modes.ts';
import { fileOf, statOf } from './targets.ts';
import { OWNER } from './stat.ts';

/** The questions that `find` asks of a file. */

const nameOf = ({ path }: Found): string =>
  path
    .replace(/(?<=.)\/+$/, '')
    .split('/')
    .at(-1) || '/';

const pattern = (of: (found: Found) => string, is_folded: boolean): Maker => ({
  operands: 1,
  make: ([text = '']) => {
    const matches = textMatcher(is_folded ? text.toLowerCase() : text);
    return (found) => matches(is_folded ? of(found).toLowerCase() : of(found));
  },
});

/** The whole path fits. Emacs' expressions, unless another type is named before: basic ones with `+` and `?`. */
const expression = (flags: string): Maker => ({
  operands: 1,
  make: ([text = '']) => {
    const basic = text.replace(/\\[^]|[+?]/g, (piece) =>
      piece.length === 2 ? piece : `\\${piece}`,
    );
    try {
      const fits = new RegExp(`^(?:${scripted(basic, 'basic')})$`, `su${flags}`);
      return ({ path }) => fits.test(path);
    } catch (error) {
      throw new CommandFailure((error as Error).message);
    }
  },
});

const letterOf = (stat: FsStat): string => {
  if (stat.isSymbolicLink) return 'l';
  return stat.isDirectory ? 'd' : 'f';
};

const kindsOf = (text: string): string[] => {
  const kinds = text.split(',');
  if (kinds.every((kind) => /^[fdlbcps]$/.test(kind))) return kinds;
  throw new CommandFailure(`Unknown argument to -type: ${text}`);
};

/** `+3`, `-3`, `3`: more, less or just as many. */
function compared(text: string, name: string): (count: number) => boolean {
  const [, sign, digits] = /^([-+]?)(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (digits === undefined) throw new CommandFailure(`invalid argument '${text}' to '${name}'`);
  const wanted = Number(digits);
  if (sign === '+') return (count) => count > wanted;
  return sign === '-' ? (count) => count < wanted : (count) => count === wanted;
}

/** Whole units of age, as `find` counts them: what is left over is thrown away. */
const age = (name: string, unit_ms: number): Maker => ({
  operands: 1,
  make: ([text = '']) => {
    const fits = compared(text, name);
    return ({ stat }, { now_ms }) => fits(Math.floor((now_ms - stat.mtime.getTime()) / unit_ms));
  },
});

const sizes: Readonly<Record<string, number>> = {
  c: 1,
  w: 2,
  b: 512,
  k: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
};

const size: Maker = {
  operands: 1,
  make: ([text = '']) => {
    const [, count = '', unit = 'b'] = /^(.*\d)([cwbkMG])?$/.exec(text) ?? [];
    const fits = compared(count, '-size');
    // A file that is begun fills a unit.
    return ({ stat }) => fits(Math.ceil(stat.size / (sizes[unit] ?? 1)));
  },
};

const perm: Maker = {
  operands: 1,
  make: ([text = '']) => {
    const [, sign = '', said = ''] = /^([-/]?)(.*)$/s.exec(text) ?? [];
    const wanted = modeOf(said, { mode: 0, is_folder: false, umask: 0 });
    if (sign === '-') return ({ stat }) => (stat.mode & wanted) === wanted;
    if (sign === '/') return ({ stat }) => wanted === 0 || (stat.mode & wanted) !== 0;
    return ({ stat }) => (stat.mode & 0o7777) === wanted;
  },
};

/** What the owner may do, who everybody is here; of a link what it leads to. */
const access = (bit: number): Maker => ({
  operands: 0,
  make:
    () =>
    async ({ whole }, { ctx }) =>
      (((await statOf(ctx, whole))?.mode ?? 0) & bit) !== 0,
});

const newer: Maker = {
  operands: 1,
  make: async ([name = ''], ctx) => {
    const reference = await statOf(ctx, name);
    if (reference === undefined) throw new CommandFailure(`'${name}': No such file or directory`);
    return ({ stat }) => stat.mtime > reference.mtime;
  },
};

const newerThanDate: Maker = {
  operands: 1,
  make: async ([text = ''], ctx) => {
    const since_s = await secondsOf(text, ctx);
    return ({ stat }) => stat.mtime.getTime() > since_s * 1_000;
  },
};

async function secondsOf(text: string, { exec, cwd }: CommandContext): Promise<number> {
  if (exec === undefined) throw new Error('a command runs in a shell');
  const told = await exec('date', { cwd, args: ['-d', text, '+%s'] });
  if (told.exitCode === 0) return Number(told.stdout);
  throw new CommandFailure(`I cannot figure out how to interpret '${text}' as a date or time`);
}

const owner = (...names: readonly string[]): Maker => ({
  operands: 1,
  make:
    ([text = '']) =>
    () =>
      names.includes(text),
});

const flag = (test: Test): Maker => ({ operands: 0, make: () => test });

const isEmpty: Test = async ({ stat, whole }, { ctx }) => {
  if (stat.isSymbolicLink) return false;
  if (!stat.isDirectory) return stat.size === 0;
  return (await ctx.fs.readdir(whole)).length === 0;
};

const lname: Maker = {
  operands: 1,
  make: ([text = '']) => {
    const matches = textMatcher(text);
    return async ({ stat, whole }, { ctx }) =>
      stat.isSymbolicLink && matches(await ctx.fs.readlink(whole));
  },
};

/** Of a link what it leads to; of one that leads nowhere, itself. */
const xtype: Maker = {
  operands: 1,
  make: ([text = '']) => {
    const kinds = kindsOf(text);
    return async ({ stat, whole }, { ctx }) =>
      kinds.includes(letterOf((await statOf(ctx, whole)) ?? stat));
  },
};

const samefile: Maker = {
  operands: 1,
  make: async ([name = ''], ctx) => {
    const place = await fileOf(ctx, name);
    if (place === undefined) throw new CommandFailure(`'${name}': No such file or directory`);
    return async ({ whole }) => (await fileOf(ctx, whole)) === place;
  },
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export const tests: Readonly<Record<string, Maker>> = {
  '-name': pattern(nameOf, false),
  '-iname': pattern(nameOf, true),
  '-path': pattern(({ path }) => path, false),
  '-wholename': pattern(({ path }) => path, false),
  '-ipath': pattern(({ path }) => path, true),
  '-iwholename': pattern(({ path }) => path, true),
  '-regex': expression(''),
  '-iregex': expression('i'),
  '-lname': lname,
  '-type': {
    operands: 1,
    make: ([text = '']) => {
      const kinds = kindsOf(text);
      return ({ stat }) => kinds.includes(letterOf(stat));
    },
  },
  '-xtype': xtype,
  '-empty': flag(isEmpty),
  '-size': size,
  '-perm': perm,
  '-executable': access(0o100),
  '-readable': access(0o400),
  '-writable': access(0o200),
  '-newer': newer,
  '-newermm': newer,
  '-newermt': newerThanDate,
  '-samefile': samefile,
  // When a file was read or changed is not kept: all that is known is when it was written.
  ...Object.fromEntries(
    ['m', 'a', 'c'].flatMap((letter) => [
      [`-${letter}time`, age(`-${letter}time`, DAY_MS)],
      [`-${letter}min`, age(`-${letter}min`, MINUTE_MS)],
    ]),
  ),
  '-user': owner(OWNER, '1000'),
  '-group': owner(OWNER, '1000'),
  '-uid': owner('1000'),
  '-gid': owner('1000'),
  '-true': flag(() => true),
  '-false': flag(() => false),
};
