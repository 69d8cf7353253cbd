import { again } from '../core/again.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { eventBridgeExpressions } from '../schedules/event-bridge.ts';
import { parseCron } from '../schedules/cron.ts';
import { DUE_AT, type Timer, type Timers } from '../schedules/timers.ts';
import { invariant } from '../core/invariant.ts';
import { findSchedule } from './read-schedule.ts';
import { headWrite, type ScheduleHead } from './schedule.ts';

export interface TimerPorts extends Pick<Ports, 'table'> {
  readonly timers: Timers;
}

/** What a timer sends; the version tells whether it is behind its schedule. */
export interface TimerInput {
  readonly task: 'fire';
  readonly dream_schedule_id: string;
  readonly config_version: number;
  readonly scheduled_at: string;
}

/**
 * Make a schedule's timers what its row wants. The row says that they are only once they are, and is
 * asked again when it has changed meanwhile; a writer that was overtaken and died leaves a timer that is
 * behind, which its next fire, or the fire that does not come, brings here again. Safe to repeat.
 */
export async function syncTimers(ports: TimerPorts, id: string): Promise<void> {
  await again(`dream schedule '${id}'`, async () => {
    const head = await findSchedule(ports.table, id);
    if (head === undefined) return await removeTimers(ports.timers, id);
    const timer_error = await tell(ports.timers, head);
    const synced_version = timer_error === null ? head.config_version : head.synced_version;
    if (head.synced_version === synced_version && head.timer_error === timer_error) return;
    await ports.table.transact([headWrite({ ...head, synced_version, timer_error }, head)]);
  });
}

/** @returns what EventBridge Scheduler refused, in its words; null when it took everything */
async function tell(timers: Timers, head: ScheduleHead): Promise<string | null> {
  try {
    if (head.archived_at === null) await putTimers(timers, head);
    else await removeTimers(timers, head.dream_schedule_id);
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return String((error as Error).message).slice(0, limits.description_chars_max);
  }
}

async function putTimers(timers: Timers, head: ScheduleHead): Promise<void> {
  const fields = parseCron(head.cron.expression);
  invariant(!('fault' in fields), 'a schedule has a cron expression');
  const expressions = eventBridgeExpressions(fields);
  for (const [index, name] of namesOf(head.dream_schedule_id).entries()) {
    const expression = expressions[index];
    if (expression === undefined) await timers.remove(name);
    else await timers.put(name, timerOf(head, expression));
  }
}

async function removeTimers(timers: Timers, id: string): Promise<void> {
  for (const name of namesOf(id)) await timers.remove(name);
}

/** The second is for the days of the week, where days of the month are named as well. */
function namesOf(id: string): readonly [string, string] {
  return [id, `${id}-weekdays`];
}

function timerOf(head: ScheduleHead, expression: string): Timer {
  const { dream_schedule_id, config_version, cron, paused_reason } = head;
  const input: TimerInput = {
    task: 'fire',
    dream_schedule_id,
    config_version,
    scheduled_at: DUE_AT,
  };
  return {
    expression,
    timezone: cron.timezone,
    is_enabled: paused_reason === null,
    // A name may hold what a description may not.
    description: `Dream schedule ${dream_schedule_id}`,
    input,
  };
}

/** What will not be taken the next time either: an unknown time zone, a quota that is full. */
function isRefusal(error: unknown): boolean {
  const { name } = error as Error;
  return name === 'ValidationException' || name === 'ServiceQuotaExceededException';
}
