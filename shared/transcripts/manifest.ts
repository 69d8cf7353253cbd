import type { SessionConfig } from '../sessions/session.ts';
import { transcriptPrefix } from './segment.ts';

/** What the manifest says of a segment; its key is relative to the manifest. */
export interface SegmentEntry {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly events_count: number;
  readonly size_bytes: number;
  readonly sha256: string;
  /** `processed_at` of the first event, and of the last. */
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

/** The manifest of a session without a segment. */
export function newManifest({ session_id, agent_id, agent_version }: SessionConfig): Manifest {
  const agent = { id: agent_id, version: agent_version };
  return { type: 'transcript', schema: 1, session_id, agent, threads: [] };
}

export function segmentsOf({ threads }: Manifest, thread_id: string): readonly SegmentEntry[] {
  return threads.find((thread) => thread.thread_id === thread_id)?.segments ?? [];
}

/** With more segments of a thread; one that is there already stays as it is. */
export function withSegments(
  manifest: Manifest,
  thread_id: string,
  added: readonly SegmentEntry[],
): Manifest {
  const known = segmentsOf(manifest, thread_id);
  const last = known.at(-1)?.to ?? 0;
  const segments = [...known, ...added.filter(({ from }) => from > last)];
  const others = manifest.threads.filter((thread) => thread.thread_id !== thread_id);
  const threads = [...others, { thread_id, segments }];
  return { ...manifest, threads: threads.toSorted((a, b) => (a.thread_id < b.thread_id ? -1 : 1)) };
}
