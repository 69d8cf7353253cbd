import { Cron } from 'croner';
import { BootError } from './boot-error.ts';
import type { HostClock } from './clock.ts';
import type { Authorizer } from './iam/authorizer.ts';
import type { FunctionPool } from './lambda/pool.ts';
import type { Stack } from './template/stack.ts';
import { list, record, text } from './template/template.ts';

/** One schedule of the template and what it calls. */
export interface Schedule {
  readonly name: string;
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
export function nextDue(schedule: Schedule, now: Date): Date | undefined {
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

/** AWS writes minutes, hours, day of month, month, day of week, year; its week begins with SUN = 1. */
function nextCron(fields: string, timezone: string, now: Date): Date | undefined {
  const [minute, hour, day, month, weekday = '?', year = '*'] = fields.split(' ');
  const days = weekday.replaceAll(/\b[1-7]\b(?!#|L)/g, (number) => String(Number(number) - 1));
  const each = [minute, hour, day, month, days].map((field = '*', n) =>
    // `0/15` means from 0 on; croner wants to hear where that ends.
    field.replaceAll(/\b(\d+)\/(\d+)/g, `$1-${field_max[n]}/$2`).replace('?', '*'),
  );
  const pattern = each.join(' ');
  const next = new Cron(pattern, { timezone, paused: true }).nextRun(now);
  if (next === null || (year !== '*' && next.getUTCFullYear() > Number(year))) return undefined;
  return next;
}

/** The greatest value of minutes, hours, days, months and weekdays. */
const field_max = [59, 23, 31, 12, 6];

interface Running {
  readonly pools: readonly FunctionPool[];
  readonly clock: HostClock;
  readonly authorizer: Authorizer;
  /** Says what went wrong: nobody waits for the answer of a schedule. */
  readonly complain: (sentence: string) => void;
}

/** Fire every schedule when it is due. @returns Stops them. */
export function runSchedules(schedules: readonly Schedule[], running: Running): () => void {
  const cancels = new Map<Schedule, () => void>();
  const arm = (schedule: Schedule): void => {
    const now = running.clock.now();
    const due = nextDue(schedule, now);
    if (due === undefined) return;
    const fire = async (): Promise<void> => {
      // Armed first: one call that takes long does not hold up the next.
      arm(schedule);
      await call(schedule, running);
    };
    cancels.set(schedule, running.clock.after(due.getTime() - now.getTime(), fire));
  };
  for (const schedule of schedules) arm(schedule);
  return () => {
    for (const cancel of cancels.values()) cancel();
  };
}

async function call(schedule: Schedule, { pools, authorizer, complain }: Running): Promise<void> {
  const { name, function_arn, role_arn, input } = schedule;
  const pool = pools.find(({ settings }) => settings.arn === function_arn);
  if (pool === undefined) return complain(`The schedule ${name} calls ${function_arn}: not there.`);
  try {
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
