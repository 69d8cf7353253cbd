import { Cron, CronPattern } from 'croner';
import { momentOf, wallClock } from '../core/wall-clock.ts';

/** When something is due: on the clock of a wall, in a zone with its summer time. */
export interface CronSchedule {
  /** Minute, hour, day of the month, month, day of the week. */
  readonly expression: string;
  /** IANA name. */
  readonly timezone: string;
}

/** What the fields of an expression name, ascending; a day of the week from 0, which is Sunday. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  /** Undefined for `*`. Where both are named, one of them is enough: as POSIX has it. */
  readonly days: readonly number[] | undefined;
  readonly weekdays: readonly number[] | undefined;
}

/** Digits and names with `*`, `,`, `-` and `/`; what some dialects add (`L`, `W`, `#`, `?`, `@daily`) is none of it. */
const FIELD =
  /^(?:[\d*,/-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+$/i;

/** @returns what is wrong with it and what to write instead, where it is no cron expression */
export function parseCron(expression: string): CronFields | { readonly fault: string } {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) {
    return {
      fault: `has ${fields.length} fields. Write five: minute, hour, day of month, month, day of week, like '0 3 * * *'.`,
    };
  }
  const odd = fields.find((field) => !FIELD.test(field));
  if (odd !== undefined) {
    return {
      fault: `'${odd.slice(0, 40)}' is no field of a cron expression. Use numbers, names of months and days, '*', ',', '-' and '/'.`,
    };
  }
  try {
    const pattern = new CronPattern(fields.join(' '), 'UTC', { mode: '5-part' });
    if (new Cron(fields.join(' '), { ...options, paused: true }).nextRun() === null) {
      return { fault: 'never comes: there is no such day. Name one that there is.' };
    }
    return {
      minutes: named(pattern.minute),
      hours: named(pattern.hour),
      months: named(pattern.month).map((month) => month + 1),
      days: pattern.starDOM ? undefined : named(pattern.day).map((day) => day + 1),
      weekdays: pattern.starDOW ? undefined : weekdaysOf(pattern),
    };
  } catch (error) {
    return { fault: `cannot be read. ${sentence(error)}` };
  }
}

const options = { timezone: 'UTC', mode: '5-part' } as const;

/** Eight places, for Sunday is 0 and 7. */
function weekdaysOf({ dayOfWeek }: CronPattern): number[] {
  return [...new Set(named(dayOfWeek).map((day) => day % 7))].toSorted((a, b) => a - b);
}

function named(places: readonly number[]): number[] {
  return places.flatMap((place, index) => (place === 0 ? [] : [index]));
}

/** The parser's own words, without its name. */
function sentence(error: unknown): string {
  const text = String((error as Error).message).replace(/^CronPattern: /, '');
  const whole = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return whole.endsWith('.') ? whole : `${whole}.`;
}

/**
 * The moments at which a schedule is due, from `from` on, that one included. As EventBridge Scheduler
 * has it: a time that a day does not have, because clocks were put forward, is left out; one that it has
 * twice counts once, the first time. So the cron library runs over walls' times, in which every day
 * is whole, and moments are made of these.
 *
 * Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, daylight savings time
 */
export function* dueFrom({ expression, timezone }: CronSchedule, from_ms: number): Generator<Date> {
  const cron = new Cron(expression, { ...options, paused: true });
  let wall = new Date(wallClock(from_ms, timezone) - 1_000);
  // A time that is shown twice may lie before `from` on its second round.
  for (let next = cron.nextRun(wall); next !== null; next = cron.nextRun(wall)) {
    wall = next;
    const moment = momentOf(wall.getTime(), timezone);
    if (moment !== undefined && moment >= from_ms) yield new Date(moment);
  }
}

/** The first few of {@link dueFrom}. */
export function nextDue(schedule: CronSchedule, from_ms: number, count: number): Date[] {
  const due: Date[] = [];
  for (const moment of dueFrom(schedule, from_ms)) {
    if (due.length === count) break;
    due.push(moment);
  }
  return due;
}

/** The first moment after this one. */
export function dueAfter(schedule: CronSchedule, at_ms: number): string | null {
  return nextDue(schedule, at_ms + 1, 1)[0]?.toISOString() ?? null;
}

/** Whether a schedule is due in this very minute, by the clock of its wall. */
export function isDue({ expression, timezone }: CronSchedule, at_ms: number): boolean {
  const wall = new Date(Math.floor(wallClock(at_ms, timezone) / 60_000) * 60_000);
  return new Cron(expression, { ...options, paused: true }).match(wall);
}
