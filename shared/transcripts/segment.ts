import { createHash } from 'node:crypto';
import type { Blobs } from '../core/blobs.ts';
import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { loadText } from '../core/stored.ts';
import type { Key, Row, Table, Update } from '../core/table.ts';
import type { SessionEvent } from '../events/event.ts';
import { walkLog, type PlacedLine } from '../threads/log.ts';
import { padded, type ThreadHead } from '../threads/thread.ts';

/**
 * `SESSION#<id>` / `TRANSCRIPT#<thread>#<first_seq>`: a segment that stands in the bucket. A row
 * each, so that threads of one session never write the same row, and none grows with the session.
 */
export interface SegmentRow extends Row {
  readonly thread_id: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly events_count: number;
  readonly size_bytes: number;
  readonly sha256: string;
  /** `processed_at` of the first event, and of the last. */
  readonly first_at: string;
  readonly last_at: string;
}

/** A stretch of a thread's log as JSON Lines, with the row that records it. */
export interface Segment {
  readonly key: string;
  readonly text: string;
  readonly row: SegmentRow;
}

interface PlacedText extends Pick<PlacedLine, 'seq' | 'processed_at'> {
  /** The event as the API lists it, and a line feed. */
  readonly text: string;
}

/** Everything that is kept in the bucket of a session's transcript. */
export function transcriptPrefix(session_id: string): string {
  return `transcripts/${session_id}/`;
}

/** Numbers are padded, so that names sort as the log does. */
export function segmentName({ first_seq, last_seq }: SegmentRow): string {
  return `${padded(first_seq)}-${padded(last_seq)}.jsonl`;
}

/** An event as a line of JSON. JSON escapes every line feed inside of it. */
export async function jsonLine(blobs: Blobs, line: PlacedLine): Promise<string> {
  return `${await loadText(blobs, line.event)}\n`;
}

/**
 * Cut the log after number `after` into segments: behind each rest of the thread, and before a
 * segment would grow too large. What the thread has not rested upon waits for its rest.
 *
 * Where the cuts are follows from the log alone, as long as `after` is one of them. So whoever
 * writes a segment, and however often, writes the same bytes under the same name.
 */
export async function* cutLog(
  { table, blobs }: { readonly table: Table; readonly blobs: Blobs },
  head: Pick<ThreadHead, 'session_id' | 'thread_id' | 'seq'>,
  after: number,
): AsyncGenerator<Segment> {
  let lines: PlacedText[] = [];
  let bytes = 0;
  const cut = (): Segment => {
    const segment = segmentOf(head, lines, bytes);
    lines = [];
    bytes = 0;
    return segment;
  };
  for await (const page of walkLog(table, head.thread_id, { after, through: head.seq })) {
    for (const line of page) {
      const text = await jsonLine(blobs, line);
      const more = Buffer.byteLength(text);
      if (lines.length > 0 && bytes + more > limits.transcript_segment_bytes_max) yield cut();
      lines.push({ seq: line.seq, processed_at: line.processed_at, text });
      bytes += more;
      if (isRest(head, line.type)) yield cut();
    }
  }
}

const sessionRests: ReadonlySet<SessionEvent['type']> = new Set([
  'session.status_idle',
  'session.status_terminated',
]);
const threadRests: ReadonlySet<SessionEvent['type']> = new Set([
  'session.thread_status_idle',
  'session.thread_status_terminated',
]);

/** The primary thread's log says last that the session rests; another's, that the thread does. */
function isRest(
  { session_id, thread_id }: Pick<ThreadHead, 'session_id' | 'thread_id'>,
  type: SessionEvent['type'],
): boolean {
  const rests = thread_id === primaryThreadId(session_id) ? sessionRests : threadRests;
  return rests.has(type);
}

function segmentOf(
  { session_id, thread_id }: Pick<ThreadHead, 'session_id' | 'thread_id'>,
  lines: readonly PlacedText[],
  size_bytes: number,
): Segment {
  const text = lines.map((line) => line.text).join('');
  const [first, last] = [lines[0], lines.at(-1)];
  const row: SegmentRow = {
    ...segmentKey(session_id, thread_id, first?.seq ?? 0),
    thread_id,
    first_seq: first?.seq ?? 0,
    last_seq: last?.seq ?? 0,
    events_count: lines.length,
    size_bytes,
    sha256: createHash('sha256').update(text).digest('hex'),
    first_at: first?.processed_at ?? '',
    last_at: last?.processed_at ?? '',
  };
  return { key: `${transcriptPrefix(session_id)}${thread_id}/${segmentName(row)}`, text, row };
}

function segmentKey(session_id: string, thread_id: string, first_seq: number): Key {
  return { pk: `SESSION#${session_id}`, sk: `TRANSCRIPT#${thread_id}#${padded(first_seq)}` };
}

/** The recorded segments of a session, thread by thread, in the order of their logs. */
export async function readSegments(table: Table, session_id: string): Promise<SegmentRow[]> {
  const found: SegmentRow[] = [];
  for (let from = 'TRANSCRIPT#'; ;) {
    const { rows, more } = await table.query({
      pk: `SESSION#${session_id}`,
      from,
      to: 'TRANSCRIPT#~',
    });
    found.push(...(rows as SegmentRow[]));
    const last = rows.at(-1);
    if (!more || last === undefined) return found;
    from = `${last.sk}!`;
  }
}

/** Record a segment. Unconditional: a repeat records the same. */
export function recordSegment({ pk, sk, ...facts }: SegmentRow): Update {
  const names = Object.keys(facts);
  return {
    update: { pk, sk },
    expression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries(Object.entries(facts).map(([name, fact]) => [`:${name}`, fact])),
  };
}
