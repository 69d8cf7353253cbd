import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { parseId } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import { retrieveSession } from '../sessions/read-session.ts';
import type { Session } from '../sessions/show-session.ts';
import { loadEvent, walkLog, type PlacedLine } from '../threads/log.ts';
import { readThread } from '../threads/read-thread.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { eventMarkdown, threadMarkdown, titleMarkdown } from './markdown.ts';
import { jsonLine } from './segment.ts';

export const TranscriptQuery = z.strictObject({
  format: z.enum(['jsonl', 'markdown']).default('jsonl'),
  thread_id: z.string().optional(),
});
export type TranscriptQuery = z.output<typeof TranscriptQuery>;

export interface TranscriptReply {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<string>;
}

/** Characters that are gathered before they are sent: a chunk an event would be many small ones. */
const CHUNK_CHARS = 65_536;

/**
 * `GET /v1/reverie/sessions/{session_id}/transcript`: everything that the log says at this moment.
 * Read from the log and not from the segments: so it is whole while the session runs, and when
 * segments have expired. Holds one page of the log and one large event at a time.
 *
 * @throws Fault `missing`, before the first chunk
 */
export async function readTranscript(
  ports: Ports,
  call: Call,
  session_id: string,
  query: TranscriptQuery,
): Promise<TranscriptReply> {
  const thread_id = query.thread_id === undefined ? undefined : parseId('thread', query.thread_id);
  const session = await retrieveSession(ports, call, session_id);
  // Until agents delegate, the primary thread is all of them.
  const thread = await readThread(ports.table, call, session_id, thread_id);
  if (query.format === 'markdown') {
    return {
      headers: { 'content-type': 'text/markdown; charset=utf-8' },
      chunks: gathered(markdown(ports, session, thread)),
    };
  }
  return {
    headers: { 'content-type': 'application/x-ndjson' },
    chunks: gathered(jsonLines(ports, thread)),
  };
}

async function* jsonLines(ports: Ports, thread: ThreadHead): AsyncGenerator<string> {
  for await (const line of linesOf(ports, thread)) yield await jsonLine(ports.blobs, line);
}

async function* markdown(
  ports: Ports,
  session: Session,
  thread: ThreadHead,
): AsyncGenerator<string> {
  yield titleMarkdown(session);
  yield threadMarkdown(thread);
  for await (const line of linesOf(ports, thread)) {
    yield eventMarkdown(await loadEvent(ports.blobs, line));
  }
}

/** The log as far as it went when the transcript was asked for. */
async function* linesOf(
  { table }: Ports,
  { thread_id, seq }: ThreadHead,
): AsyncGenerator<PlacedLine> {
  let reached = 0;
  for await (const page of walkLog(table, thread_id, { through: seq })) {
    yield* page;
    reached = page.at(-1)?.seq ?? reached;
  }
  // The session was deleted meanwhile: a part must not look like the whole.
  if (reached < seq) throw new Error(`The log of ${thread_id} ends at ${reached} of ${seq}.`);
}

async function* gathered(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
