import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { forwardOnly, readPage, type Entry, type Page, type Stretch } from '../core/page.ts';
import { queryInt, queryList } from '../core/parse.ts';
import type { Ports } from '../core/ports.ts';
import { load } from '../core/stored.ts';
import { readRows, type SessionRows } from '../sessions/read-session.ts';
import { memberKey, type MemberRow, type ThreadAgent } from './member.ts';
import { readThread } from './read-thread.ts';
import { primaryAgent, showThread, type Thread } from './show-thread.ts';
import { threadKey, type ThreadHead } from './thread.ts';

export const ThreadListQuery = z.strictObject({
  limit: queryInt(1, limits.events_page_max).default(limits.events_page_max),
  page: z.string().optional(),
  statuses: queryList(z.enum(['running', 'idle', 'rescheduling', 'terminated'])).optional(),
});
export type ThreadListQuery = z.output<typeof ThreadListQuery>;

/** Positions of the list: the primary thread before the rows of its children. */
const PRIMARY = 'P#';
const FIRST_CHILD = 'T#';
const LAST = 'T#~';

/** Children of one read: their agents may be large. */
const TOGETHER = 100;

/**
 * The threads of a session in the order in which they were made, the primary one first.
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listThreads(
  ports: Ports,
  call: Call,
  session_id: string,
  query: ThreadListQuery,
): Promise<Page<Thread>> {
  const rows = await readRows(ports.table, call, session_id);
  const { limit, page, statuses } = query;
  const request = { kind: `threads/${session_id}`, order: 'asc' as const, limit, page };
  const read = await readPage({ ...request, from: PRIMARY, to: LAST }, async (stretch) => {
    const primary = stretch.from <= PRIMARY ? [await primaryEntry(ports, rows)] : [];
    const children = await childEntries(ports, rows, stretch);
    const entries = [...primary, ...children.entries];
    const wanted = entries.map(({ position, item }) => ({
      position,
      item: statuses === undefined || (item && statuses.includes(item.status)) ? item : undefined,
    }));
    return { entries: wanted, more: children.more };
  });
  return forwardOnly(read);
}

async function primaryEntry(
  ports: Ports,
  { session, config, thread }: SessionRows,
): Promise<Entry<Thread>> {
  const agent = primaryAgent(await load(ports.blobs, config.agent));
  return { position: PRIMARY, item: showThread(thread, session, agent, ports.clock.now()) };
}

async function childEntries(
  ports: Ports,
  { session, thread }: SessionRows,
  { from, to, limit }: Stretch,
): Promise<{ readonly entries: Entry<Thread>[]; readonly more: boolean }> {
  // A thread that never started one has none to look for.
  if (thread.team === undefined) return { entries: [], more: false };
  const { rows, more } = await ports.table.query({
    pk: memberKey(session.session_id, '').pk,
    from: from <= PRIMARY ? FIRST_CHILD : from,
    to,
    limit: Math.min(limit, TOGETHER),
  });
  const members = rows as MemberRow[];
  const found = await ports.table.getMany(members.map(({ thread_id }) => threadKey(thread_id)));
  const heads = new Map((found as ThreadHead[]).map((head) => [head.thread_id, head]));
  const entries = members.map(async (member): Promise<Entry<Thread>> => {
    const head = heads.get(member.thread_id);
    const agent = await load(ports.blobs, member.agent);
    const item = head && showThread(head, session, agent, ports.clock.now());
    return { position: member.sk, item };
  });
  return { entries: await Promise.all(entries), more };
}

/** @throws Fault `missing` */
export async function retrieveThread(
  ports: Ports,
  call: Call,
  session_id: string,
  thread_id: string,
): Promise<Thread> {
  const [rows, thread] = await Promise.all([
    readRows(ports.table, call, session_id),
    readThread(ports.table, call, session_id, thread_id),
  ]);
  return await threadOf(ports, rows, thread);
}

/** A thread with its agent. */
export async function threadOf(
  ports: Ports,
  { session, config }: Pick<SessionRows, 'session' | 'config'>,
  thread: ThreadHead,
): Promise<Thread> {
  const agent = await agentOf(ports, config, thread);
  return showThread(thread, session, agent, ports.clock.now());
}

async function agentOf(
  { table, blobs }: Ports,
  config: SessionRows['config'],
  { session_id, thread_id }: ThreadHead,
): Promise<ThreadAgent> {
  if (thread_id === primaryThreadId(session_id))
    return primaryAgent(await load(blobs, config.agent));
  const member = (await table.get(memberKey(session_id, thread_id))) as MemberRow;
  return await load(blobs, member.agent);
}
