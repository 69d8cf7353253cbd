import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { measureDream } from '#shared/dreams/measure.ts';
import { runStage, stage_tasks } from '#shared/dreams/stages/run-stage.ts';
import type { StagePorts } from '#shared/dreams/stages/work.ts';
import { thrownBy } from '#shared/core/aws-failure.ts';

/** What the machine sends; `error` is what its Catch caught. */
const Event = z.object({
  task: z.enum(stage_tasks),
  dream_id: z.string(),
  run: z.int().positive(),
  session_n: z.int().min(0).optional(),
  error: z.unknown().optional(),
});

export interface Wiring {
  readonly ports: StagePorts;
  readonly logger: Logger;
}

/** The function behind the states of the dream machine. @returns what the machine's Choices read */
export function dreamTask({
  ports,
  logger,
}: Wiring): (event: unknown, context: Context) => Promise<object> {
  return async (event, context) => {
    const input = Event.parse(event);
    const { dream_id, run, task, session_n } = input;
    const ids = { dream_id, run, task, session_n };
    if (task === 'fail') logger.error('the dream fails', { ...ids, caught: input.error });
    try {
      const result = await runStage(ports, input, context.getRemainingTimeInMillis());
      logger.info('dream', { ...ids, next: result.next, failed: result.failed });
      const { next, sessions, seconds, stopped } = result;
      if (stopped !== undefined) {
        logger.info('a dream has stopped', { ...ids, status: stopped.status });
        measureDream(stopped);
      }
      // Always there: a path that leads to nothing would fail the machine.
      return { dream_id, run, session_n, next, sessions: sessions ?? [], seconds: seconds ?? 0 };
    } catch (error) {
      logger.error('a task of a dream failed', { ...ids, error: error as Error });
      throw thrownBy(error);
    }
  };
}
