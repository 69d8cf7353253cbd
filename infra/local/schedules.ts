import { Cron } from 'croner';
import { momentOf, wallClock } from '#shared/core/wall-clock.ts';
import { BootError } from './boot-error.ts';
import type { HostClock } from './clock.ts';
import type { Assuming, Authorizer } from './iam/authorizer.ts';
import type { FunctionPool } from './lambda/pool.ts';
import { arn } from './place.ts';
import type { Stack } from './template/stack.ts';
import { list, record, text } from './template/template.ts';

/** One schedule of the template and what it calls. */
export interface Schedule {
  readonly name: string;
  /** Of schedules: whose role trusts EventBridge Scheduler for it. */
  readonly group: string;
  readonly expression: string;
  readonly timezone: string;
  readonly function_arn: string;
  readonly role_arn: string | undefined;
  /** The event, as JSON. */
  readonly input: string;
}

const unit_ms: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** The schedules that are enabled. */
export function schedulesOf(stack: Stack): Schedule[] {
  const scheduler = stack.all('AWS::Scheduler::Schedule').map(({ id, name, properties }) => {
    const target = record(properties['Target']);
    return {
      name,
      group: text(properties['GroupName'] ?? 'default', id),
      enabled: properties['State'] !== 'DISABLED',
      expression: text(properties['ScheduleExpression'], id),
      timezone: text(properties['ScheduleExpressionTimezone'] ?? 'UTC', id),
      function_arn: text(target['Arn'], id),
      role_arn: text(target['RoleArn'], id),
      input: text(target['Input'] ?? '{}', id),
    };
  });
  const rules = stack.all('AWS::Events::Rule').flatMap(({ id, name, properties }) =>
    list(properties['Targets']).map((target) => ({
      name,
      group: '',
      enabled: properties['State'] !== 'DISABLED',
      expression: text(properties['ScheduleExpression'], id),
      timezone: 'UTC',
      function_arn: text(record(target)['Arn'], id),
      role_arn: undefined,
      input: text(record(target)['Input'] ?? '{}', id),
    })),
  );
  return [...scheduler, ...rules].filter(({ enabled }) => enabled);
}

/**
 * When a schedule is next due after `now`: `rate(…)` counts from now, `cron(…)` follows its time zone,
 * `at(…)` is once. @throws BootError for an expression that is none of them.
 */
export function nextDue(
  schedule: Pick<Schedule, 'name' | 'expression' | 'timezone'>,
  now: Date,
): Date | undefined {
  const { expression, timezone, name } = schedule;
  const [, kind = '', inner = ''] = /^(rate|cron|at)\((.+)\)$/.exec(expression) ?? [];
  const [, count, unit = ''] = /^(\d+) (minute|hour|day)s?$/.exec(inner) ?? [];
  const period_ms = Number(count) * (unit_ms[unit] ?? Number.NaN);
  if (kind === 'rate' && period_ms > 0) return new Date(now.getTime() + period_ms);
  if (kind === 'cron') return nextCron(inner, timezone, now);
  if (kind === 'at') {
    const once = new Date(`${inner}Z`);
    return once > now ? once : undefined;
  }
  throw new BootError(`The local host does not understand the schedule ${expression} of ${name}.`);
}

/**
 * AWS writes minutes, hours, day of month, month, day of week, year; its week begins with SUN = 1. It
 * goes by the clock of a wall: a time that a day does not have is left out, and one that it has twice
 * counts once. So the walls' times are gone through, in which every day is whole.
 */
function nextCron(fields: string, timezone: string, now: Date): Date | undefined {
  const [minute, hour, day, month, weekday = '?', year = '*'] = fields.split(' ');
  const days = weekday.replaceAll(/\b[1-7]\b(?!#|L)/g, (number) => String(Number(number) - 1));
  const each = [minute, hour, day, month, days].map((field = '*', n) =>
    // `0/15` means from 0 on; croner wants to hear where that ends.
    field.replaceAll(/\b(\d+)\/(\d+)/g, `$1-${field_max[n]}/$2`).replace('?', '*'),
  );
  const cron = new Cron(each.join(' '), { timezone: 'UTC', paused: true });
  let next = cron.nextRun(new Date(wallClock(now.getTime(), timezone) - 1_000));
  for (; next !== null; next = cron.nextRun(next)) {
    if (year !== '*' && next.getUTCFullYear() > Number(year)) return undefined;
    const moment = momentOf(next.getTime(), timezone);
    if (moment !== undefined && moment > now.getTime()) return new Date(moment);
  }
  return undefined;
}

/** The greatest value of minutes, hours, days, months and weekdays. */
const field_max = [59, 23, 31, 12, 6];

export interface Running {
  readonly pools: readonly FunctionPool[];
  readonly clock: HostClock;
  readonly authorizer: Authorizer;
  /** Says what went wrong: nobody waits for the answer of a schedule. */
  readonly complain: (sentence: string) => void;
}

/** Fire every schedule when it is due. @returns Stops them. */
export function runSchedules(schedules: readonly Schedule[], running: Running): () => void {
  const timetable = new Timetable(running);
  for (const schedule of schedules) timetable.set(schedule);
  return () => timetable.stop();
}

/** Schedules that run, by their names. */
export class Timetable {
  readonly #running: Running;
  readonly #cancels = new Map<string, () => void>();

  constructor(running: Running) {
    this.#running = running;
  }

  /** Let a schedule run, in place of one of its name. What fell due before now is not made good. */
  set(schedule: Schedule): void {
    this.drop(schedule.name);
    const { clock } = this.#running;
    const now = clock.now();
    const due = nextDue(schedule, now);
    if (due === undefined) return;
    const fire = async (): Promise<void> => {
      // Armed first: one call that takes long does not hold up the next.
      this.set(schedule);
      await call(schedule, due, this.#running);
    };
    this.#cancels.set(schedule.name, clock.after(due.getTime() - now.getTime(), fire));
  }

  drop(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }

  stop(): void {
    for (const name of this.#cancels.keys()) this.drop(name);
  }
}

/** As what EventBridge Scheduler assumes the role of a schedule. Source: its user guide: the group's ARN. */
export function assuming(group: string): Assuming {
  const source_arn = arn('scheduler', `schedule-group/${group}`);
  return { service: 'scheduler.amazonaws.com', source_arn };
}

/** Source: EventBridge Scheduler, context attributes: the time that was due, in whole seconds. */
const DUE_AT = '<aws.scheduler.scheduled-time>';

async function call(
  schedule: Schedule,
  due: Date,
  { pools, authorizer, complain }: Running,
): Promise<void> {
  const { name, group, function_arn, role_arn } = schedule;
  const due_at = due.toISOString().replace(/\.\d+Z$/, 'Z');
  const input = schedule.input.replaceAll(DUE_AT, due_at);
  const pool = pools.find(({ settings }) => settings.arn === function_arn);
  if (pool === undefined) return complain(`The schedule ${name} calls ${function_arn}: not there.`);
  try {
    if (role_arn !== undefined && !authorizer.trusts(role_arn, assuming(group))) {
      throw new Error(`${role_arn} does not let EventBridge Scheduler assume it.`);
    }
    const caller = { role_arn, session: name.slice(0, 64) };
    const action = 'lambda:InvokeFunction';
    authorizer.check(caller, { action, resource: function_arn, context: {} });
    const outcome = await pool.invoke(input).outcome;
    if (!outcome.ok) complain(`The schedule ${name} failed: ${outcome.error.errorMessage}`);
  } catch (cause) {
    complain(
      `The schedule ${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}
