import { primaryThreadId } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import { filesKey } from '../files/entry.ts';
import { threadKey } from '../threads/thread.ts';
import { sessionKey, sessionPrefix } from './session.ts';

/** Rows of one round: they are read whole to know their keys, so a round is a few MB at most. */
const ROWS_PER_ROUND = 100;

/** Below and above every sort key that we make. */
const EVERY = { from: ' ', to: '~' };

/**
 * Remove everything that a deleted session has left. Safe to repeat and to run twice at once: the
 * head goes last, so whoever finds it goes on from wherever another one stopped.
 *
 * @param is_time_up Asked between rounds.
 * @returns whether it came to the end
 */
export async function sweepSession(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  session_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  const head = sessionKey(session_id);
  const partitions = [
    filesKey(session_id),
    head.pk,
    // Last of the rows: streams may still be reading the log to its end.
    threadKey(primaryThreadId(session_id)).pk,
  ];
  for (const pk of partitions) {
    for (let more = true; more;) {
      if (is_time_up()) return false;
      const page = await table.query({ pk, ...EVERY, limit: ROWS_PER_ROUND });
      await table.deleteMany(page.rows.filter(({ sk }) => pk !== head.pk || sk !== head.sk));
      more = page.more && page.rows.length > 1;
    }
  }
  if (!(await blobs.deletePrefix(sessionPrefix(session_id), is_time_up))) return false;
  await table.deleteMany([head]);
  return true;
}
