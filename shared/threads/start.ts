import type { ThreadHead } from './thread.ts';

/** What a thread's head becomes when a run begins, which nobody has said or taken yet. */
export function startPatch(run: number, at: string): Partial<ThreadHead> {
  return {
    status: 'running',
    stop_reason: null,
    announced: false,
    attempts: 0,
    rounds: 0,
    running_since: at,
    run,
    lease_holder: null,
    lease_until_ms: 0,
  };
}

/** A child's: the log says at once that it runs, and its head by which execution. */
export function childStartPatch(run: number, at: string, execution: string): Partial<ThreadHead> {
  return { ...startPatch(run, at), announced: true, execution };
}
