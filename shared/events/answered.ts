import type { OpenCall } from '../threads/thread.ts';

/** Whether a call waits for its client. */
export function isWaiting({ state }: OpenCall): boolean {
  return state === 'ask' || state === 'custom';
}

/**
 * The calls once the client has interrupted an advisor's thread: it has no turn of its own, so who asks
 * it stops waiting. @returns undefined when nobody asks it
 */
export function withAbandoned(
  calls: readonly OpenCall[],
  thread_id: string,
): readonly OpenCall[] | undefined {
  const is_asked = (call: OpenCall): boolean =>
    call.thread_id === thread_id && call.state !== 'answered';
  if (!calls.some(is_asked)) return undefined;
  return calls.map((call) => (is_asked(call) ? { ...call, is_abandoned: true } : call));
}

/** Whether calls keep a thread at rest: with all of them answered before, it is its budget that does. */
export function isHeld(calls: readonly OpenCall[], answered: ReadonlySet<string>): boolean {
  return answered.size > 0 || calls.some(({ state }) => state !== 'answered');
}
