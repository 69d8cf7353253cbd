import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { inTurn } from '../core/in-turn.ts';
import type { Table } from '../core/table.ts';
import type { SessionConfig } from '../sessions/session.ts';
import type { PlacedLine } from '../threads/log.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { KnownManifest, ManifestCache } from './manifest-cache.ts';
import {
  manifestKey,
  newManifest,
  segmentsOf,
  withSegments,
  type Manifest,
  type SegmentEntry,
} from './manifest.ts';
import { cutLog } from './segment.ts';

export interface TranscriptStore {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
  /** How long the bucket keeps transcripts; 0 means for ever. */
  readonly transcript_days: number;
  /** Of the sessions that this process writes down again and again. */
  readonly manifests?: ManifestCache;
}

/** As many threads of one session may come to rest at the same moment. */
const ATTEMPTS_MAX = 40;

const DAY_MS = 86_400_000;

/**
 * Bring a thread's transcript in the bucket up to its last rest. It may run twice, at once and late:
 * segments follow from the log, and stand before the manifest that names them; the manifest, which
 * says how far it has come, is replaced only while it is what was read. Whoever dies here leaves the
 * rest to the next.
 *
 * Nobody holds a lease here, since the thread rests already and its next turn must not wait.
 *
 * @param written The end of the log, where it is known: see {@link cutLog}.
 */
export async function keepTranscript(
  store: TranscriptStore,
  config: SessionConfig,
  head: ThreadHead,
  written?: readonly PlacedLine[],
): Promise<void> {
  const write = async () => await keep(store, config, head, written);
  if (store.manifests === undefined) return await write();
  // Threads of one process that rest together would only refuse each other's manifests.
  await inTurn(store.manifests, config.session_id, write);
}

async function keep(
  store: TranscriptStore,
  config: SessionConfig,
  head: ThreadHead,
  written: readonly PlacedLine[] | undefined,
): Promise<void> {
  const known = await knownManifest(store, config, head);
  const after = segmentsOf(known.manifest, head.thread_id).at(-1)?.to ?? 0;
  const oldest = known.tag === undefined ? oldestKept(store) : '';
  const added: SegmentEntry[] = [];
  for await (const { key, text, entry } of cutLog(store, head, after, written)) {
    if (entry.last_at < oldest) continue;
    await store.blobs.put(key, text, 'application/x-ndjson');
    added.push(entry);
  }
  if (added.length > 0) await addSegments(store, known, head.thread_id, added);
  else if (known.tag !== undefined) store.manifests?.keep(known);
}

/** The first turn of a session has none yet; where that is wrong, the first replacement says so. */
async function knownManifest(
  store: TranscriptStore,
  config: SessionConfig,
  { run }: ThreadHead,
): Promise<KnownManifest> {
  const { session_id } = config;
  const cached = store.manifests?.take(session_id);
  if (cached !== undefined) return cached;
  const stands =
    store.manifests !== undefined && run === 1 ? undefined : await read(store, session_id);
  return stands ?? { manifest: newManifest(config), tag: undefined };
}

async function read(
  { blobs }: TranscriptStore,
  session_id: string,
): Promise<KnownManifest | undefined> {
  const found = await blobs.getTagged(manifestKey(session_id));
  if (found === undefined) return undefined;
  const manifest = JSON.parse(Buffer.from(found.body).toString('utf8')) as Manifest;
  return { manifest, tag: found.tag };
}

/** Where the manifest has expired, so has what it named: that is not written again. */
function oldestKept({ clock, transcript_days }: TranscriptStore): string {
  if (transcript_days === 0) return '';
  return new Date(clock.now().getTime() - transcript_days * DAY_MS).toISOString();
}

async function addSegments(
  store: TranscriptStore,
  known: KnownManifest,
  thread_id: string,
  added: readonly SegmentEntry[],
): Promise<void> {
  const { session_id } = known.manifest;
  for (let attempt = 1, seen = known; attempt <= ATTEMPTS_MAX; attempt++) {
    const manifest = withSegments(seen.manifest, thread_id, added);
    const text = `${JSON.stringify(manifest)}\n`;
    const key = manifestKey(session_id);
    const tag = await store.blobs.replace(key, text, 'application/json', seen.tag);
    if (tag !== undefined) {
      store.manifests?.keep({ manifest, tag });
      return;
    }
    const now = await read(store, session_id);
    // It was there and is gone: the session is being deleted, and nothing more of it may be written.
    if (now === undefined && seen.tag !== undefined) return;
    seen = now ?? seen;
    await sleep(backoffMs(attempt));
  }
  throw new Error(`The manifest of ${session_id} is written by too many at once.`);
}
