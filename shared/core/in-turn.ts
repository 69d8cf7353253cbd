import pLimit, { type LimitFunction } from 'p-limit';

/** By whose they are: of what is at work or waits, by name. */
const queues = new WeakMap<object, Map<string, LimitFunction>>();

/**
 * One after the other for each name, in the order of asking, among those who share `scope`. For writers of
 * one row in one process, who would only refuse each other; those of other processes still meet at its
 * condition.
 */
export async function inTurn<Result>(
  scope: object,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const own = queues.get(scope) ?? new Map<string, LimitFunction>();
  queues.set(scope, own);
  const queue = own.get(name) ?? pLimit(1);
  own.set(name, queue);
  try {
    return await queue(work);
  } finally {
    if (queue.activeCount + queue.pendingCount === 0) own.delete(name);
  }
}
