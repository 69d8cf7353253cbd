import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import { queryInt, queryList } from '../core/parse.ts';
import type { Ports } from '../core/ports.ts';
import { load } from '../core/stored.ts';
import { readRows } from '../sessions/read-session.ts';
import { readThread } from './read-thread.ts';
import { showThread, type Thread } from './show-thread.ts';

export const ThreadListQuery = z.strictObject({
  limit: queryInt(1, limits.events_page_max).default(limits.events_page_max),
  page: z.string().optional(),
  statuses: queryList(z.enum(['running', 'idle', 'rescheduling', 'terminated'])).optional(),
});
export type ThreadListQuery = z.output<typeof ThreadListQuery>;

/**
 * The threads of a session in the order in which they were made, the primary one first.
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listThreads(
  ports: Ports,
  call: Call,
  session_id: string,
  { limit, page, statuses }: ThreadListQuery,
): Promise<Page<Thread>> {
  const primary = await retrieveThread(ports, call, session_id, primaryThreadId(session_id));
  const position = `${primary.created_at}#${primary.id}`;
  const request = { kind: `threads/${session_id}`, order: 'asc' as const, limit, page };
  const read = await readPage({ ...request, from: position, to: position }, async () => {
    const wanted = statuses === undefined || statuses.includes(primary.status);
    return { entries: [{ position, item: wanted ? primary : undefined }], more: false };
  });
  return forwardOnly(read);
}

/** @throws Fault `missing` */
export async function retrieveThread(
  ports: Ports,
  call: Call,
  session_id: string,
  thread_id: string,
): Promise<Thread> {
  const [{ session, config }, thread] = await Promise.all([
    readRows(ports.table, call, session_id),
    readThread(ports.table, call, session_id, thread_id),
  ]);
  const agent = await load(ports.blobs, config.agent);
  return showThread(thread, session, agent, ports.clock.now());
}
