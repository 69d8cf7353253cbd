import type { Logger } from '@aws-lambda-powertools/logger';
import type { Tracer } from '@aws-lambda-powertools/tracer';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { runTurn, type StepInput, type StepResult } from '#shared/turn/run-turn.ts';
import type { TurnPorts } from '#shared/turn/turn-ports.ts';
import { observer } from './observe.ts';

/** What the state machine sends; `error` is what its Catch caught. */
const Event = z.object({
  session_id: z.string(),
  thread_id: z.string(),
  run: z.int().positive(),
  execution: z.string(),
  give_up: z.boolean().optional(),
  error: z.unknown().optional(),
});

export interface Wiring {
  readonly ports: Omit<TurnPorts, 'observe'>;
  readonly logger: Logger;
  readonly tracer: Tracer;
}

type Answer = Pick<StepInput, 'session_id' | 'thread_id' | 'run'> & StepResult;

/**
 * The state Step (and GiveUp) of the session machine.
 * @returns what the machine's Choice reads, with the ids that travel on.
 */
export function step({
  ports,
  logger,
  tracer,
}: Wiring): (event: unknown, context: Context) => Promise<Answer> {
  return async (event, context) => {
    const input = Event.parse(event);
    const { session_id, thread_id, run } = input;
    const log = logger.createChild({
      persistentLogAttributes: { session_id, thread_id, run_id: input.execution },
    });
    if (input.give_up === true) log.error('giving the turn up', { error: input.error });
    const observed = observer(log);
    try {
      const given = { ...input, give_up: input.give_up === true };
      const time_ms = context.getRemainingTimeInMillis();
      const result = await traced(tracer, given, async () => {
        return await runTurn({ ...ports, observe: observed.observe }, given, time_ms);
      });
      log.info('step', { ...result });
      return { session_id, thread_id, run, ...result };
    } catch (error) {
      log.error('step failed', { error: error as Error });
      throw error;
    } finally {
      observed.publish();
    }
  };
}

/** A part of the trace with ids to search by: Lambda's own segment takes none. */
async function traced<T>(tracer: Tracer, input: StepInput, work: () => Promise<T>): Promise<T> {
  if (!tracer.isTracingEnabled()) return await work();
  return (await tracer.provider.captureAsyncFunc('## step', async (segment) => {
    segment?.addAnnotation('session_id', input.session_id);
    segment?.addAnnotation('thread_id', input.thread_id);
    segment?.addAnnotation('run_id', input.execution);
    try {
      return await work();
    } catch (error) {
      segment?.addError(error as Error);
      throw error;
    } finally {
      segment?.close();
    }
  })) as T;
}
