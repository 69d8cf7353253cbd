import { primaryThreadId } from '../core/id.ts';
import type { Begun } from '../threads/prepare-change.ts';
import { executionName } from './session.ts';

/** What the session machine is started with; ids travel, content stays in the table. */
export interface RunInput {
  readonly session_id: string;
  readonly thread_id: string;
  readonly run: number;
  /** Numbers of the events that wait: a hint, so that the step reads them with the thread's head. */
  readonly inbox?: readonly number[];
}

/** Several children of one session, which a Map runs side by side. */
export interface ThreadsInput {
  readonly session_id: string;
  readonly threads: readonly Begun[];
}

/** Executions of the session machine. */
export interface Runs {
  /**
   * Start the execution of a run. A second start of the same run is a success: its name is that of
   * the thread and the run, and Step Functions keeps names for 90 days. When this call is lost, the
   * reconcile function finds the running session without an execution and starts it.
   */
  start(input: RunInput): Promise<void>;
  /** Start one execution for several children, under the name that their heads have. Likewise. */
  startThreads(name: string, input: ThreadsInput): Promise<void>;
  /** Whether the execution of a name is alive. */
  alive(name: string): Promise<boolean>;
}

/** Name of the execution of one thread's run: a second start of it is refused by Step Functions. */
export function runName({ session_id, thread_id, run }: RunInput): string {
  return thread_id === primaryThreadId(session_id)
    ? executionName(session_id, run)
    : `${thread_id}-${run}`;
}

/**
 * Name of the execution that several children begin in.
 * @param version Of their primary thread's head: each of its appends has another.
 */
export function threadsName(session_id: string, version: number): string {
  return `${session_id}-v${version}`;
}

/**
 * The execution that a child is to begin in, for its head.
 * @param together How many begin with the same append.
 */
export function childExecution(
  begun: Begun & { readonly session_id: string },
  together: number,
  version: number,
): string {
  return together === 1 ? runName(begun) : threadsName(begun.session_id, version);
}

/** Start what an append has begun: one child by itself, several as one Map. */
export async function startRuns(
  runs: Pick<Runs, 'start' | 'startThreads'> | undefined,
  { session_id, version }: { readonly session_id: string; readonly version: number },
  begun: readonly Begun[],
): Promise<void> {
  const [first, ...more] = begun;
  if (runs === undefined || first === undefined) return;
  if (more.length === 0) return await runs.start({ session_id, ...first });
  await runs.startThreads(threadsName(session_id, version), { session_id, threads: begun });
}
