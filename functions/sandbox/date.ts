import type { CommandContext } from 'just-bash';
import { original, type Execute } from './command.ts';

/** `date -d` by what is counted from a day: `3 days ago`, `2026-01-31 +1 month`, `yesterday`. */

const UNITS = 'seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|fortnights?|months?|years?';
const COUNTED = new RegExp(`([+-]?)\\s*\\b(\\d+)\\s*(${UNITS})\\b(\\s+ago\\b)?`, 'gi');
const NAMED = new RegExp(`\\b(last|next)\\s+(${UNITS})\\b`, 'gi');
const DAYS: Readonly<Record<string, number>> = { yesterday: -1, tomorrow: 1 };

interface Shift {
  seconds: number;
  months: number;
}

/** Take what is counted out of a text. */
function shiftIn(text: string): { readonly base: string; readonly shift: Shift } {
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
  return { base: base.replace(/\b(now|today)\b/gi, ' ').trim(), shift };
}

export const date: Execute = async (args, ctx) => {
  const at = args.findIndex((arg) => /^(-u?d|--date)$/.test(arg));
  const long = args.findIndex((arg) => arg.startsWith('--date='));
  const text = at === -1 ? args[long]?.slice(7) : args[at + 1];
  if (text === undefined) return await original(ctx, args);
  const { base, shift } = shiftIn(text);
  if (shift.seconds === 0 && shift.months === 0) return await original(ctx, args);
  const from = await secondsOf(base, args, ctx);
  if (from === undefined) return await original(ctx, args);
  const then = new Date(from * 1_000);
  then.setUTCMonth(then.getUTCMonth() + shift.months);
  const seconds = `@${Math.floor(then.getTime() / 1_000) + shift.seconds}`;
  const index = at === -1 ? long : at + 1;
  return await original(ctx, args.with(index, at === -1 ? `--date=${seconds}` : seconds));
};

/** When a day is that is not counted; undefined for what the interpreter does not read. */
async function secondsOf(
  base: string,
  args: readonly string[],
  ctx: CommandContext,
): Promise<number | undefined> {
  const is_utc = args.some((arg) => arg.startsWith('-u') || arg === '--utc');
  const when = base === '' ? [] : ['-d', base];
  const told = await original(ctx, [...(is_utc ? ['-u'] : []), ...when, '+%s']);
  return told.exitCode === 0 ? Number(told.stdout) : undefined;
}
