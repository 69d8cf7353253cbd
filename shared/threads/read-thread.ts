import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { primaryThreadId } from '../core/id.ts';
import type { Table } from '../core/table.ts';
import { readHead, unknownSession } from '../sessions/read-session.ts';
import { threadKey, type ThreadHead } from './thread.ts';

/**
 * The head of a thread of a session that the caller may see.
 *
 * @param thread_id Left out, it is the primary thread.
 * @throws Fault `missing`
 */
export async function readThread(
  table: Table,
  call: Call,
  session_id: string,
  thread_id: string = primaryThreadId(session_id),
): Promise<ThreadHead> {
  const [, row] = await Promise.all([
    readHead(table, call, session_id),
    table.get(threadKey(thread_id)),
  ]);
  const head = row as ThreadHead | undefined;
  if (head?.session_id === session_id) return head;
  if (thread_id === primaryThreadId(session_id)) throw unknownSession(session_id);
  throw new Fault('missing', `Thread ${thread_id} was not found.`);
}
