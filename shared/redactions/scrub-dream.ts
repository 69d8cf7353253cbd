import type { Blobs } from '../core/blobs.ts';
import { newId } from '../core/id.ts';
import { load, type Stored } from '../core/stored.ts';
import { ConditionFailed } from '../core/table.ts';
import { dreamKey, dreamObject, type DreamHead } from '../dreams/dream.ts';
import { REDACTED } from '../dreams/redacted.ts';
import type { Operation } from '../dreams/operation.ts';
import { reportMarkdown } from '../dreams/report-markdown.ts';
import type { DreamReport } from '../dreams/report.ts';
import type { Snapshot, SnapshotMemory } from '../dreams/snapshot.ts';
import { rowsBetween } from '../dreams/stages/session-log.ts';
import type { Verified } from '../dreams/stages/think.ts';
import { sha256Of } from '../memory/content.ts';
import { openReview } from '../reviews/adopt.ts';
import { readChanges } from '../reviews/read-review.ts';
import { decisionKey, type DecisionRow } from '../reviews/review-rows.ts';
import {
  isAuthor,
  isOwnText,
  mayHaveRead,
  type Gone,
  type GoneVersion,
  type RedactionPorts,
} from './redaction.ts';
import { readJson, rewrite, rewriteJson } from './rewrite.ts';
import {
  forgetQuotes,
  forgetSession,
  scrubOperations,
  scrubReport,
  scrubSnapshot,
  type Touched,
} from './scrub.ts';
import { touchedBy, type Holding } from './touched.ts';

/** What a dream needs no more once it has stopped, and what may hold anything that it has read. */
const workings = [
  'pieces/',
  'answers/',
  'asked/',
  'reflections.json',
  'uses.json',
  'consolidated.json',
  'gate.json',
] as const;

/**
 * Let one dream that has stopped forget what is gone. Each of its objects is replaced under the condition
 * that it is what was read, the snapshot last, since it says what to look for. So it may die anywhere, be
 * repeated, and run beside another one: nothing comes back.
 *
 * @returns false when there was no time to come to the end
 */
export async function scrubDream(
  ports: RedactionPorts,
  head: DreamHead,
  gone: Gone,
  is_time_up: () => boolean,
): Promise<boolean> {
  // Of one that has come to nothing nothing is needed; and nobody has put a text in the place of its own.
  if (head.status !== 'completed') {
    if (!mayHaveRead(head, gone)) return true;
    await leaveApply(ports, head);
    return await clear(ports, head, [''], is_time_up);
  }
  if (gone.type === 'session') {
    await review(ports, head);
    const { session_id } = gone;
    await rewriteOperations(ports.blobs, head, (all) => forgetQuotes(all, session_id));
    await rewriteReport(ports.blobs, head, (report) => forgetSession(report, session_id));
    return await clear(ports, head, workings, is_time_up);
  }
  return await scrubMemories(ports, head, gone, is_time_up);
}

type GoneMemories = Exclude<Gone, { type: 'session' }>;

async function scrubMemories(
  ports: RedactionPorts,
  head: DreamHead,
  gone: GoneMemories,
  is_time_up: () => boolean,
): Promise<boolean> {
  const { blobs } = ports;
  const own = gone.type === 'version' ? await ownTexts(ports, head, gone) : [];
  const written = gone.type === 'version' && isAuthor(head, gone) ? gone : undefined;
  const has_words = written !== undefined || own.length > 0;
  if (!has_words && gone.memory_store_id !== head.memory_store_id) return true;
  const touched = await touchedIn(ports, head, { gone, written, own });
  if (touched === undefined) return true;
  await rewriteOperations(blobs, head, (all) => scrubOperations(all, touched));
  await rewriteReport(blobs, head, (report) => scrubReport(report, touched));
  if (!(await clear(ports, head, workings, is_time_up))) return false;
  for (const decision of own) await scrubDecision(ports, head, decision);
  await rewriteJson<Snapshot>(blobs, snapshotOf(head), (now) => scrubSnapshot(now, touched));
  return true;
}

interface GoneFrom extends Pick<Holding, 'written' | 'own'> {
  readonly gone: GoneMemories;
}

/**
 * What of a dream must go; undefined for nothing. The snapshot, of up to 32 MiB, is read once and let go of
 * before it is read again to be changed: reconcile has room for it once, with what is made of it.
 */
async function touchedIn(
  ports: RedactionPorts,
  head: DreamHead,
  { gone, written, own }: GoneFrom,
): Promise<Touched | undefined> {
  const { blobs } = ports;
  const snapshot = await readJson<Snapshot>(blobs, snapshotOf(head));
  const held = heldOf(snapshot, gone);
  // One that is marked is done with, since the snapshot is changed last.
  const found = held.filter(({ redacted }) => redacted !== true);
  if (found.length === 0 && written === undefined && own.length === 0) {
    // Whoever marked them may have died before the bucket had forgotten what they said.
    if (held.length > 0) await blobs.deletePast([snapshotOf(head)]);
    return undefined;
  }
  const changes = await review(ports, head, snapshot);
  return touchedBy({ snapshot, found, written, own, changes: [...changes.values()] });
}

/** What a dream of the store has read of what is gone from it. */
function heldOf({ memory_store_id, memories }: Snapshot, gone: GoneMemories): SnapshotMemory[] {
  if (memory_store_id !== gone.memory_store_id) return [];
  return memories.filter(
    ({ memory_version_id }) =>
      gone.type === 'store' || memory_version_id === gone.memory_version_id,
  );
}

function snapshotOf({ dream_id }: DreamHead): string {
  return dreamObject(dream_id, 'snapshot.json');
}

/**
 * The changes as they are. A dream that wrote into its own store has its apply before they are changed: a
 * rollback goes by the sums of what was written.
 */
async function review(ports: RedactionPorts, head: DreamHead, snapshot?: Snapshot) {
  const with_ids = { ...ports, newId };
  const changes = await readChanges(with_ids, head, snapshot);
  await openReview(with_ids, head, changes);
  return changes;
}

/** Of one that was stopped amid its writes the apply stays, which has no texts; its changes go. */
async function leaveApply(ports: RedactionPorts, head: DreamHead): Promise<void> {
  if (head.unwritten === undefined) return;
  await review(ports, head);
  await ports.table.update({
    update: dreamKey(head.dream_id),
    expression: 'REMOVE unwritten ADD #version :one',
    condition: 'attribute_exists(pk)',
    names: { '#version': 'version' },
    values: { ':one': 1 },
  });
}

/** Decisions whose text, which an operator has put in the place of the dream's, is gone. */
async function ownTexts(
  { table, blobs }: RedactionPorts,
  { dream_id }: DreamHead,
  gone: GoneVersion,
): Promise<DecisionRow[]> {
  if (!isOwnText(gone)) return [];
  const rows = (await rowsBetween(table, dreamKey(dream_id).pk, 'C#')) as DecisionRow[];
  const own = rows.map(async (row) => {
    if (row.text === undefined) return [];
    return sha256Of(await load(blobs, row.text)) === gone.content_sha256 ? [row] : [];
  });
  return (await Promise.all(own)).flat();
}

/** The text goes, and what was decided stays. Where somebody has decided anew meanwhile that text is gone. */
async function scrubDecision(
  { table, blobs }: RedactionPorts,
  { dream_id }: DreamHead,
  { change_id, decided_at, text }: DecisionRow,
): Promise<void> {
  const silent: Stored<string> = { json: JSON.stringify(REDACTED) };
  try {
    await table.update({
      update: decisionKey(dream_id, change_id),
      expression: 'SET #text = :silent',
      condition: 'decided_at = :seen',
      names: { '#text': 'text' },
      values: { ':silent': silent, ':seen': decided_at },
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
  if (text !== undefined && 'blob' in text) await blobs.delete([text.blob]);
}

async function rewriteOperations(
  blobs: Blobs,
  { dream_id }: DreamHead,
  change: (operations: readonly Operation[]) => Operation[],
): Promise<void> {
  await rewriteJson<Verified>(blobs, dreamObject(dream_id, 'verified.json'), (verified) => ({
    ...verified,
    operations: change(verified.operations),
    // Of proposals that fell, which the report has.
    dropped: [],
  }));
}

/** As JSON, and for people, who are told what the JSON says by then. */
async function rewriteReport(
  blobs: Blobs,
  { dream_id }: DreamHead,
  change: (report: DreamReport) => DreamReport,
): Promise<void> {
  const json = dreamObject(dream_id, 'report.json');
  await rewriteJson<DreamReport>(blobs, json, change);
  await rewrite(
    blobs,
    dreamObject(dream_id, 'report.md'),
    'text/markdown; charset=utf-8',
    async () => reportMarkdown(await readJson<DreamReport>(blobs, json)),
  );
}

/** Take away objects of a dream by how their names begin, and all that its model has answered. */
async function clear(
  { table, blobs }: RedactionPorts,
  { dream_id }: DreamHead,
  names: readonly string[],
  is_time_up: () => boolean,
): Promise<boolean> {
  const { pk } = dreamKey(dream_id);
  for (let more = true; more;) {
    if (is_time_up()) return false;
    const page = await table.query({ pk, from: 'M#', to: 'M#~', limit: ROWS_PER_ROUND });
    await table.deleteMany(page.rows);
    ({ more } = page);
  }
  for (const name of names) {
    if (!(await blobs.deletePrefix(dreamObject(dream_id, name), is_time_up))) return false;
  }
  return true;
}

/** They are read whole to know their keys, and may hold an answer each. */
const ROWS_PER_ROUND = 100;
