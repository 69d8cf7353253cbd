import type { Blobs } from '../core/blobs.ts';
import type { Table } from '../core/table.ts';
import type { SessionConfig } from '../sessions/session.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { manifestKey, manifestText } from './manifest.ts';
import { cutLog, readSegments, recordSegment, type SegmentRow } from './segment.ts';

export interface TranscriptStore {
  readonly table: Table;
  readonly blobs: Blobs;
}

/**
 * Bring a thread's transcript in the bucket up to its last rest. It may run twice, at once and late:
 * what it writes follows from the log, an object stands before the row that records it, and the
 * rows, not the manifest, say how far it has come. Whoever dies here leaves the rest to the next.
 *
 * Nobody holds a lease here, since the thread rests already and its next turn must not wait.
 */
export async function keepTranscript(
  store: TranscriptStore,
  config: SessionConfig,
  head: ThreadHead,
): Promise<void> {
  const known = await readSegments(store.table, head.session_id);
  const mine = known.filter(({ thread_id }) => thread_id === head.thread_id);
  const added: SegmentRow[] = [];
  for await (const { key, text, row } of cutLog(store, head, mine.at(-1)?.last_seq ?? 0)) {
    await store.blobs.put(key, text, 'application/x-ndjson');
    await store.table.update(recordSegment(row));
    added.push(row);
  }
  await renderManifest(store, config, inOrder([...known, ...added]));
}

/**
 * Write the manifest of these rows, and again while there are more rows than it shows: of several
 * who write it at once, the last one to do so sees every row.
 */
async function renderManifest(
  { table, blobs }: TranscriptStore,
  config: SessionConfig,
  rows: readonly SegmentRow[],
): Promise<void> {
  const { session_id } = config;
  for (let shown = rows; ;) {
    await blobs.put(manifestKey(session_id), manifestText(config, shown), 'application/json');
    const now = await readSegments(table, session_id);
    // With fewer the session is being deleted: nothing more of it may be written.
    if (now.length <= shown.length) return;
    shown = now;
  }
}

function inOrder(rows: readonly SegmentRow[]): SegmentRow[] {
  return rows.toSorted((a, b) => (a.sk < b.sk ? -1 : 1));
}
