import type { SessionConfig } from '../sessions/session.ts';
import { segmentName, transcriptPrefix, type SegmentRow } from './segment.ts';

/** What the manifest says of a segment; its key is relative to the manifest. */
interface SegmentEntry {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly events_count: number;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly first_at: string;
  readonly last_at: string;
}

/** `transcripts/<session_id>/manifest.json`: which segments there are, and what they are of. */
export interface Manifest {
  readonly type: 'transcript';
  readonly schema: 1;
  readonly session_id: string;
  readonly agent: { readonly id: string; readonly version: number };
  /** In the order in which they were made, which is that of their ids. */
  readonly threads: readonly {
    readonly thread_id: string;
    readonly segments: readonly SegmentEntry[];
  }[];
}

export function manifestKey(session_id: string): string {
  return `${transcriptPrefix(session_id)}manifest.json`;
}

/** One line of JSON, made of the rows alone: the same rows give the same bytes. */
export function manifestText(config: SessionConfig, rows: readonly SegmentRow[]): string {
  const threads = Map.groupBy(rows, ({ thread_id }) => thread_id);
  const manifest: Manifest = {
    type: 'transcript',
    schema: 1,
    session_id: config.session_id,
    agent: { id: config.agent_id, version: config.agent_version },
    threads: [...threads].map(([thread_id, segments]) => ({
      thread_id,
      segments: segments.map(entryOf),
    })),
  };
  return `${JSON.stringify(manifest)}\n`;
}

function entryOf(row: SegmentRow): SegmentEntry {
  const { first_seq, last_seq, events_count, size_bytes, sha256, first_at, last_at } = row;
  return {
    key: `${row.thread_id}/${segmentName(row)}`,
    from: first_seq,
    to: last_seq,
    events_count,
    size_bytes,
    sha256,
    first_at,
    last_at,
  };
}
