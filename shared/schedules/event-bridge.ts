import type { CronFields } from './cron.ts';

/** Source: API reference of EventBridge Scheduler, CreateSchedule: `ScheduleExpression`. */
export const EXPRESSION_CHARS_MAX = 256;

/**
 * A cron expression in the words of EventBridge Scheduler, which knows six fields, counts the week from
 * Sunday as 1, and takes a day of the month or of the week but not both: where both are named two
 * expressions come of it. On a day that is in both, both are due, at the same moment.
 */
export function eventBridgeExpressions(fields: CronFields): string[] {
  const minutes = listed(fields.minutes, 0, 59);
  const hours = listed(fields.hours, 0, 23);
  const months = listed(fields.months, 1, 12);
  const { days, weekdays } = fields;
  const cron = (day: string, weekday: string): string =>
    `cron(${minutes} ${hours} ${day} ${months} ${weekday} *)`;
  if (days === undefined && weekdays === undefined) return [cron('*', '?')];
  const numbers = weekdays?.map((day) => day + 1);
  return [
    ...(days === undefined ? [] : [cron(listed(days, 1, 31), '?')]),
    ...(numbers === undefined ? [] : [cron('?', listed(numbers, 1, 7))]),
  ];
}

/** `*` for all of them, else numbers and ranges: what steps and names come to. */
function listed(numbers: readonly number[], first: number, last: number): string {
  if (numbers.length === last - first + 1) return '*';
  const runs: [from: number, to: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
