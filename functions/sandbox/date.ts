import type { CommandContext, ExecResult } from 'just-bash';
import { CommandFailure, original, type Execute } from './command.ts';

/** `date -d` by what is counted from a day: `3 days ago`, `2026-01-31 +1 month`, `yesterday`. */

const UNITS = 'seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|fortnights?|months?|years?';
const COUNTED = new RegExp(`([+-]?)\\s*\\b(\\d+)\\s*(${UNITS})\\b(\\s+ago\\b)?`, 'gi');
const NAMED = new RegExp(`\\b(last|next)\\s+(${UNITS})\\b`, 'gi');
const DAYS: Readonly<Record<string, number>> = { yesterday: -1, tomorrow: 1 };

const WEEKDAY =
  /\b(?:(last|next|this)\s+)?(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|satur|sat|sun)(?:day)?\b(?!\s*,?\s*\d)/i;
const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

interface Weekday {
  readonly which: 'last' | 'next' | 'this';
  /** 1 is Monday. */
  readonly number: number;
}

interface Shift {
  seconds: number;
  months: number;
}

/** A day that has a date is named by the way: `Mon, 5 Jan 2026`. */
const isDated = (text: string): boolean =>
  /\d{4}|\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i.test(text);

/** Take what is counted out of a text. */
function shiftIn(text: string): {
  readonly base: string;
  readonly shift: Shift;
  readonly day: Weekday | undefined;
} {
  const shift: Shift = { seconds: 0, months: 0 };
  const add = (count: number, unit: string): string => {
    const lengths = { s: 1, h: 3_600, d: 86_400, w: 604_800, f: 1_209_600 };
    const letter = unit.toLowerCase().charAt(0);
    if (/^mo/i.test(unit)) shift.months += count;
    else if (letter === 'y') shift.months += count * 12;
    else shift.seconds += count * (/^mi/i.test(unit) ? 60 : lengths[letter as 's']);
    return ' ';
  };
  const base = text
    .replace(NAMED, (_, which: string, unit: string) => add(/last/i.test(which) ? -1 : 1, unit))
    .replace(COUNTED, (...[, sign, digits, unit = '', ago]: (string | undefined)[]) => {
      const count = Number(digits) * (sign === '-' ? -1 : 1);
      return add(ago === undefined ? count : -count, unit);
    })
    .replace(/\b(yesterday|tomorrow)\b/gi, (word) => add(DAYS[word.toLowerCase()] ?? 0, 'day'));
  const [whole = '', which = 'this', name] = isDated(base) ? [] : (WEEKDAY.exec(base) ?? []);
  const number = WEEK.indexOf(name?.toLowerCase().slice(0, 3) ?? '') + 1;
  const day =
    name === undefined ? undefined : { which: which.toLowerCase() as Weekday['which'], number };
  const rest = base.replace(whole, ' ').replace(/\b(now|today)\b/gi, ' ');
  return { base: rest.trim(), shift, day };
}

export const date: Execute = async (given, ctx) => {
  const args = await withFileTime(given, ctx);
  const mark = (all: string, flag?: string, letter?: string): string =>
    letter === undefined ? all : `\x01${flag}%${letter}\x02`;
  const marked = args.map((arg) => (arg.startsWith('+') ? arg.replace(FLAGGED, mark) : arg));
  const told = await dated(marked, ctx);
  return {
    ...told,
    stdout: told.stdout.replace(MARKED, (_, flag: string, text: string) => flagged(flag, text)),
  };
};

/** `%-d`, `%_H`, `%^a`: how a field is filled, which the interpreter writes as it stands. */
const FLAGGED = /%%|%([-_^0])([a-zA-Z])/g;
// oxlint-disable-next-line no-control-regex -- marks that no format has
const MARKED = /\x01(.)([^\x02]*)\x02/g;

function flagged(flag: string, text: string): string {
  if (flag === '^') return text.toUpperCase();
  if (flag === '0') return text;
  return text.replace(/^[0 ]+(?=\d)/, (zeros) => (flag === '_' ? ' '.repeat(zeros.length) : ''));
}

/** `-r FILE`: when it was written. */
async function withFileTime(args: string[], ctx: CommandContext): Promise<string[]> {
  const at = args.findIndex((arg) => /^-u?r$/.test(arg));
  const file = args[at + 1];
  if (at === -1 || file === undefined) return args;
  const found = await ctx.fs.stat(ctx.fs.resolvePath(ctx.cwd, file)).catch(() => undefined);
  if (found === undefined) throw new CommandFailure(`${file}: No such file or directory`);
  const seconds = `@${Math.floor(found.mtime.getTime() / 1_000)}`;
  return args.toSpliced(at, 2, ...(args[at] === '-ur' ? ['-u'] : []), '-d', seconds);
}

async function dated(args: string[], ctx: CommandContext): Promise<ExecResult> {
  const at = args.findIndex((arg) => /^(-u?d|--date)$/.test(arg));
  const long = args.findIndex((arg) => arg.startsWith('--date='));
  const text = at === -1 ? args[long]?.slice(7) : args[at + 1];
  if (text === undefined) return await original(ctx, args);
  const { base, shift, day } = shiftIn(text);
  if (base === text.trim() && !TIME.test(base)) return await original(ctx, args);
  const from =
    day === undefined ? await secondsOf(base, args, ctx) : await weekday(base, day, [args, ctx]);
  if (from === undefined) return await original(ctx, args);
  const then = new Date(from * 1_000);
  then.setUTCMonth(then.getUTCMonth() + shift.months);
  const seconds = `@${Math.floor(then.getTime() / 1_000) + shift.seconds}`;
  const index = at === -1 ? long : at + 1;
  return await original(ctx, args.with(index, at === -1 ? `--date=${seconds}` : seconds));
}

/** Midnight of a day of the week: `friday` is today or behind it, `next` one later than today, `last` one before. */
async function weekday(
  base: string,
  { which, number }: Weekday,
  [args, ctx]: [readonly string[], CommandContext],
): Promise<number | undefined> {
  const today = await secondsOf(base, args, ctx);
  if (today === undefined) return undefined;
  const told = await original(ctx, [...zoneOf(args), '-d', `@${today}`, '+%u %F']);
  const [now = '', date = ''] = told.stdout.trim().split(' ');
  const ahead = (number - Number(now) + 7) % 7;
  const steps = { this: ahead, next: ahead === 0 ? 7 : ahead, last: ahead - 7 }[which];
  const at = new Date(Date.parse(`${date}T00:00:00Z`) + steps * 86_400_000);
  return await secondsOf(at.toISOString().slice(0, 10), args, ctx);
}

const zoneOf = (args: readonly string[]): string[] =>
  args.some((arg) => arg.startsWith('-u') || arg === '--utc') ? ['-u'] : [];

/** A time of today. */
const TIME = /^\d{1,2}:\d{2}(:\d{2})?$/;

/** When a day is that is not counted; undefined for what the interpreter does not read. */
async function secondsOf(
  base: string,
  args: readonly string[],
  ctx: CommandContext,
): Promise<number | undefined> {
  const options = zoneOf(args);
  const today = TIME.test(base) ? (await original(ctx, [...options, '+%F '])).stdout.trim() : '';
  const whole = `${today} ${base}`.trim();
  const when = whole === '' ? [] : ['-d', whole];
  const told = await original(ctx, [...options, ...when, '+%s']);
  return told.exitCode === 0 ? Number(told.stdout) : undefined;
}
