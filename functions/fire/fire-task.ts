import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { fire, goOn, heal, type FirePorts } from '#shared/dream-schedules/fire.ts';
import { findRun } from '#shared/dream-schedules/read-schedule.ts';
import type { RunRow } from '#shared/dream-schedules/run.ts';
import { syncTimers } from '#shared/dream-schedules/sync-timers.ts';

const schedule = { dream_schedule_id: z.string() };

const Event = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('fire'),
    ...schedule,
    config_version: z.int(),
    scheduled_at: z.iso.datetime(),
  }),
  z.strictObject({ task: z.literal('run'), ...schedule, run_id: z.string() }),
  z.strictObject({ task: z.literal('sync'), ...schedule }),
  z.strictObject({ task: z.literal('heal'), ...schedule }),
]);
type Event = z.output<typeof Event>;

export interface Wiring {
  readonly ports: FirePorts;
  readonly logger: Logger;
}

/**
 * Everything that happens to a schedule by itself; all of it may be repeated.
 *
 * @param wiringOf By the function's own ARN, which its environment cannot hold: the timers call it.
 */
export function fireTask(
  wiringOf: (function_arn: string) => Wiring,
): (event: unknown, context: Context) => Promise<object> {
  return async (event, context) => {
    const { ports, logger } = wiringOf(context.invokedFunctionArn);
    const input = Event.parse(event);
    const { task, dream_schedule_id } = input;
    try {
      const run = await perform(ports, input);
      const about = { task, dream_schedule_id, run_id: run?.run_id, state: run?.state };
      logger.info('schedule', { ...about, reason: run?.reason?.type });
      return about;
    } catch (error) {
      logger.error('a schedule failed', { task, dream_schedule_id, error: error as Error });
      throw error;
    }
  };
}

async function perform(ports: FirePorts, input: Event): Promise<RunRow | undefined> {
  const { dream_schedule_id: id } = input;
  switch (input.task) {
    case 'fire':
      return await fire(ports, input);
    case 'run': {
      const run = await findRun(ports.table, id, input.run_id);
      return run === undefined ? undefined : await goOn(ports, run);
    }
    case 'sync':
      await syncTimers(ports, id);
      return undefined;
    case 'heal':
      await heal(ports, id);
      return undefined;
  }
}
