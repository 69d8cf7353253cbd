import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { Begun } from '../threads/prepare-change.ts';
import type { StepInput, StepResult } from '../turn/run-turn.ts';
import type { Observation } from '../turn/turn-ports.ts';
import { observer } from './observe.ts';
import { thrownBy } from '../core/aws-failure.ts';

/** What the state machine sends; `error` is what its Catch caught. */
const Event = z.object({
  session_id: z.string(),
  thread_id: z.string(),
  run: z.int().positive(),
  // An execution that began before there was one goes on without.
  inbox: z.array(z.int().positive()).default([]),
  threads: z.array(z.object({ thread_id: z.string(), run: z.int().positive() })).default([]),
  machine: z.string().optional(),
  execution: z.string(),
  give_up: z.boolean().optional(),
  report: z.boolean().optional(),
  error: z.unknown().optional(),
});

/** What a state of the session machine does. */
export interface Task {
  /** For the log: `step`, `grade`. */
  readonly name: string;
  readonly work: (
    observe: (observation: Observation) => void,
    input: StepInput,
    time_ms: number,
  ) => Promise<StepResult>;
  readonly logger: Logger;
}

interface Answer extends Pick<StepInput, 'session_id' | 'thread_id' | 'run' | 'inbox'>, StepResult {
  readonly threads: readonly Begun[];
}

/**
 * The function behind a state of the session machine.
 *
 * @returns what the machine's Choice reads, with the ids that travel on.
 */
export function task({
  name,
  work,
  logger,
}: Task): (event: unknown, context: Context) => Promise<Answer> {
  return async (event, context) => {
    const { threads, machine, ...input } = Event.parse(event);
    const { session_id, thread_id, run } = input;
    const travels = { session_id, thread_id, run, inbox: [], threads };
    // An execution for several children: they are what comes next, and all that there is to say.
    if (threads.length > 0) return { ...travels, next: 'threads', wait_seconds: 0 };
    // Given with each line and not to a child logger: making one costs more than ten lines.
    const ids = { session_id, thread_id, run_id: input.execution };
    if (input.give_up === true) logger.error('giving up', { ...ids, error: input.error });
    const observed = observer(logger, ids);
    try {
      const given = {
        ...input,
        give_up: input.give_up === true,
        report: input.report === true,
        ...(machine === undefined ? {} : { machine }),
      };
      const time_ms = context.getRemainingTimeInMillis();
      const result = await work(observed.observe, given, time_ms);
      logger.info(name, { ...ids, ...result });
      // What comes next has a lease to take back: it reads its queue behind that.
      return { ...travels, ...result };
    } catch (error) {
      logger.error(`${name} failed`, { ...ids, error: error as Error });
      throw thrownBy(error);
    } finally {
      observed.publish();
    }
  };
}
