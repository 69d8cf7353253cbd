import { createHash } from 'node:crypto';
import type { Blobs } from '../core/blobs.ts';
import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import type { SessionEvent } from '../events/event.ts';
import { eventText, walkLog, type PlacedLine } from '../threads/log.ts';
import { padded, type ThreadHead } from '../threads/thread.ts';
import type { SegmentEntry } from './manifest.ts';

/** A stretch of a thread's log as JSON Lines, with what the manifest says of it. */
export interface Segment {
  readonly key: string;
  readonly text: string;
  readonly entry: SegmentEntry;
}

interface PlacedText extends Pick<PlacedLine, 'seq' | 'processed_at'> {
  /** The event as the API lists it, and a line feed. */
  readonly text: string;
}

/** Everything that is kept in the bucket of a session's transcript. */
export function transcriptPrefix(session_id: string): string {
  return `transcripts/${session_id}/`;
}

/** An event as a line of JSON. JSON escapes every line feed inside of it. */
export async function jsonLine(blobs: Blobs, line: PlacedLine): Promise<string> {
  return `${await eventText(blobs, line)}\n`;
}

/**
 * Cut the log after number `after` into segments: behind each rest of the thread, and before a
 * segment would grow too large. What the thread has not rested upon waits for its rest.
 *
 * Where the cuts are follows from the log alone, as long as `after` is one of them. So whoever
 * writes a segment, and however often, writes the same bytes under the same name.
 *
 * @param written The end of the log without a gap, where it is known: then nothing is read.
 */
export async function* cutLog(
  { table, blobs }: { readonly table: Table; readonly blobs: Blobs },
  head: Pick<ThreadHead, 'session_id' | 'thread_id' | 'seq'>,
  after: number,
  written: readonly PlacedLine[] = [],
): AsyncGenerator<Segment> {
  let lines: PlacedText[] = [];
  let bytes = 0;
  const cut = (): Segment => {
    const segment = segmentOf(head, lines, bytes);
    lines = [];
    bytes = 0;
    return segment;
  };
  const is_known = (written[0]?.seq ?? Infinity) <= after + 1 && written.at(-1)?.seq === head.seq;
  const pages = is_known
    ? [written.filter(({ seq }) => seq > after)]
    : walkLog(table, head.thread_id, { after, through: head.seq });
  for await (const page of pages) {
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
  const [from, to] = [first?.seq ?? 0, last?.seq ?? 0];
  const entry: SegmentEntry = {
    // Numbers are padded, so that names sort as the log does.
    key: `${thread_id}/${padded(from)}-${padded(to)}.jsonl`,
    from,
    to,
    events_count: lines.length,
    size_bytes,
    sha256: createHash('sha256').update(text).digest('hex'),
    first_at: first?.processed_at ?? '',
    last_at: last?.processed_at ?? '',
  };
  return { key: `${transcriptPrefix(session_id)}${entry.key}`, text, entry };
}
