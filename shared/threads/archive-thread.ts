import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { readThread } from './read-thread.ts';

/**
 * `POST …/threads/{thread_id}/archive`. Only a child can be archived, and until agents delegate
 * every thread is the primary one.
 *
 * @throws Fault `missing`; `invalid` for the primary thread
 */
export async function archiveThread(
  ports: Ports,
  call: Call,
  session_id: string,
  thread_id: string,
): Promise<never> {
  await readThread(ports.table, call, session_id, thread_id);
  throw new Fault('invalid', 'The primary thread cannot be archived. Archive the session instead.');
}
