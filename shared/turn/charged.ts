import { addUsage } from '../sessions/add-usage.ts';
import type { Change } from '../threads/change.ts';
import type { ThreadHead, Usage } from '../threads/thread.ts';

/** What has been used is paid for, by the thread and by its session, and nothing is said of it. */
export function charged(head: ThreadHead, usage: Partial<Usage>): Change {
  return { lines: [], patch: { usage: addUsage(head.usage, usage) }, session: { usage } };
}
