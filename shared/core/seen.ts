import type { Clock } from './clock.ts';
import { limits } from './limits.ts';

/**
 * Whether all rows of a transaction are seen by now. DynamoDB shows them one by one while it commits, so who
 * has read one and reads the others may find them as they were. What is read before may be used and not kept:
 * the next reader would take it for what that one row stands for.
 *
 * @param changed_at Of the last transaction, as it wrote it; undefined for rows from before it did
 */
export function isAllSeen(changed_at: string | undefined, clock: Clock): boolean {
  if (changed_at === undefined) return true;
  return clock.now().getTime() - Date.parse(changed_at) >= limits.transaction_seen_ms;
}
