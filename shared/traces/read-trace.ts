import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { parseId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { everyVersion, type FileVersion } from '../files/history.ts';
import { readRows } from '../sessions/read-session.ts';
import { threadUsage, usageNow, usageSnapshot } from '../sessions/session-usage.ts';
import { sessionKey } from '../sessions/session.ts';
import { loadEvent, walkLog } from '../threads/log.ts';
import { readThread } from '../threads/read-thread.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { Summary, traced, type Birth } from './summary.ts';
import type { FileTrace, SessionTrace, ThreadTrace, TraceQuery } from './trace-wire.ts';

export interface TraceReply {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<string>;
}

/**
 * `GET /v1/reverie/sessions/{session_id}/trace`: a {@link SessionTrace}, made from rows and logs, so it
 * is right for a session that runs and for one of a single thread. It is streamed a thread at a time,
 * and each thread's part is bounded.
 *
 * @throws Fault `missing`, before the first chunk
 */
export async function readTrace(
  ports: Ports,
  call: Call,
  session_id: string,
  query: TraceQuery,
): Promise<TraceReply> {
  const only = query.thread_id === undefined ? undefined : parseId('thread', query.thread_id);
  if (only !== undefined) await readThread(ports.table, call, session_id, only);
  const { session, config, thread } = await readRows(ports.table, call, session_id);
  const { threads: _, ...head }: SessionTrace = {
    type: 'session_trace',
    session_id,
    status: session.status,
    created_at: config.created_at,
    usage: usageSnapshot(usageNow(session.usage, session.running_since, ports.clock.now())),
    threads: [],
  };
  return {
    headers: { 'content-type': 'application/json' },
    chunks: jsonOf(head, threadsOf(ports, thread, only)),
  };
}

async function* jsonOf(head: object, threads: AsyncIterable<ThreadTrace>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"threads":[`;
  let separator = '';
  for await (const thread of threads) {
    yield separator + JSON.stringify(thread);
    separator = ',';
  }
  yield ']}';
}

/** The primary thread's log is read in any case: it says why the others were started. */
async function* threadsOf(
  ports: Ports,
  primary: ThreadHead,
  only: string | undefined,
): AsyncGenerator<ThreadTrace> {
  const files = await filesByThread(ports.table, primary.session_id);
  const summary = await summaryOf(ports, primary);
  const shown = { ports, files, births: summary.births };
  if (only === undefined || only === primary.thread_id) yield traceOf(shown, primary, summary);
  for (const { thread_id } of await childrenOf(ports.table, primary.session_id)) {
    if (only !== undefined && only !== thread_id) continue;
    const head = (await ports.table.get(threadKey(thread_id))) as ThreadHead | undefined;
    if (head !== undefined) yield traceOf(shown, head, await summaryOf(ports, head));
  }
}

const Child = z.object({ thread_id: z.string() });

/** Ids rise with time, so they come in the order in which they were started. */
async function childrenOf(table: Table, session_id: string): Promise<z.output<typeof Child>[]> {
  const children: z.output<typeof Child>[] = [];
  const { pk } = sessionKey(session_id);
  for (let from = 'T#'; ;) {
    const { rows, more } = await table.query({ pk, from, to: 'T#~' });
    children.push(...rows.map((row) => Child.parse(row)));
    const last = rows.at(-1);
    if (!more || last === undefined) return children;
    from = `${last.sk}\0`;
  }
}

/** A thread's log as far as it went when the trace was asked for. */
async function summaryOf(ports: Ports, { thread_id, seq }: ThreadHead): Promise<Summary> {
  const summary = new Summary(thread_id);
  let reached = 0;
  for await (const page of walkLog(ports.table, thread_id, { through: seq })) {
    const wanted = page.filter(({ type }) => traced.has(type));
    const events = await Promise.all(
      wanted.map(async (line) => await loadEvent(ports.blobs, line)),
    );
    for (const event of events) summary.add(event);
    reached = page.at(-1)?.seq ?? reached;
  }
  // The session was deleted meanwhile: a part must not look like the whole.
  if (reached < seq) throw new Error(`The log of ${thread_id} ends at ${reached} of ${seq}.`);
  return summary;
}

interface Shown {
  readonly ports: Ports;
  readonly files: ReadonlyMap<string, FileTrace[]>;
  readonly births: ReadonlyMap<string, Birth>;
}

function traceOf({ ports, files, births }: Shown, head: ThreadHead, summary: Summary): ThreadTrace {
  const parent_thread_id = (head['parent_thread_id'] as string | undefined) ?? null;
  const birth = births.get(head.thread_id);
  const own = (files.get(head.thread_id) ?? []).toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return {
    thread_id: head.thread_id,
    parent_thread_id,
    agent_name: head.agent_name,
    started_by:
      parent_thread_id === null || birth === undefined
        ? null
        : { thread_id: parent_thread_id, ...birth },
    status: head.status,
    stop_reason: head.stop_reason === null ? null : { type: head.stop_reason.type },
    created_at: head.created_at,
    archived_at: (head['archived_at'] as string | undefined) ?? null,
    usage: threadUsage(head, ports.clock.now()),
    model_requests_count: summary.model_requests_count,
    model_errors_count: summary.model_errors_count,
    tools: [...summary.tools.values()],
    turns: summary.turns,
    turns_count: summary.turns_count,
    messages: summary.messages,
    messages_count: summary.messages_count,
    files: own.slice(-limits.trace_files_max),
    files_count: own.length,
    verdicts: summary.verdicts,
  };
}

/** What each thread wrote and removed, as far as it is kept. */
async function filesByThread(table: Table, session_id: string): Promise<Map<string, FileTrace[]>> {
  const byThread = new Map<string, FileTrace[]>();
  const add = (thread_id: string, file: FileTrace): void => {
    byThread.set(thread_id, [...(byThread.get(thread_id) ?? []), file]);
  };
  for await (const page of everyVersion(table, session_id)) {
    for (const version of page) {
      add(version.written_by.thread_id, writtenOf(version));
      const { ended_by, path } = version;
      if (ended_by?.removed !== true) continue;
      const { event_id, at } = ended_by;
      const change = 'removed' as const;
      add(ended_by.thread_id, { path, change, event_id, at, size_bytes: null, is_current: false });
    }
  }
  return byThread;
}

function writtenOf({ path, written_by, written_at, size_bytes, ended_by }: FileVersion): FileTrace {
  return {
    path,
    change: 'written',
    event_id: written_by.event_id,
    at: written_at,
    size_bytes,
    is_current: ended_by === null,
  };
}
