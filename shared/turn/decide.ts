import type { ThreadHead } from '../threads/thread.ts';
import { interrupted, teamIsDone } from '../threads/team.ts';

/** What a running thread does next. */
export type Action =
  | 'stop'
  | 'interrupt'
  | 'take'
  | 'settle'
  | 'request'
  | 'run_calls'
  | 'await'
  | 'evaluate'
  | 'grade';

/**
 * Decide from the head alone: whoever takes a thread over, after whatever died, goes on from here.
 * Pure; test/shared/turn/decide.test.ts holds the whole table.
 */
export function decide(head: ThreadHead): Action {
  if (head.status !== 'running' && head.status !== 'rescheduling') return 'stop';
  if (interrupted(head)) return 'interrupt';
  switch (head.phase) {
    case 'take':
      return decideRest(head);
    case 'model':
      return 'request';
    case 'tools':
      return decideCalls(head);
  }
}

/** Nothing is open: what clients have sent comes first, then the outcome; but what is begun is judged. */
function decideRest(head: ThreadHead): Action {
  const { queue, outcome, unread = 0 } = head;
  if (outcome?.stage === 'grade') return 'grade';
  if (queue.length > 0) return 'take';
  if (outcome?.stage === 'pending' || unread > 0) return 'request';
  // What is judged is the work of all: it waits for those that still run, or wait for an answer.
  return outcome?.stage === 'work' && teamIsDone(head) ? 'evaluate' : 'settle';
}

function decideCalls({ calls }: ThreadHead): Action {
  const runnable = calls.some(
    ({ state }) => state === 'ready' || state === 'started' || state === 'denied',
  );
  if (runnable) return 'run_calls';
  const waiting = calls.some(({ state }) => state === 'ask' || state === 'custom');
  return waiting ? 'await' : 'request';
}
