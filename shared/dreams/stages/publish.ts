import type { Blobs } from '../../core/blobs.ts';
import { timestamp } from '../../core/clock.ts';
import type { Write } from '../../core/table.ts';
import { configKey, type SessionConfig } from '../../sessions/session.ts';
import { applyOperations, INDEX_CHANGE } from '../apply-operations.ts';
import { dreamKey, dreamObject, type DreamHead } from '../dream.ts';
import { pathsOf, type Operation } from '../operation.ts';
import { dream_prompt_version } from '../prompts/version.ts';
import { reportMarkdown } from '../report-markdown.ts';
import { reportOf } from '../report-of.ts';
import type {
  DreamReport,
  DreamSpending,
  Dropped,
  Edit,
  GateResult,
  ReportedProcessing,
  ReportedSession,
} from '../report.ts';
import { batchesOf } from './batch-rows.ts';
import { checkSessions, readSessions, readSnapshot } from './gather.ts';
import { tell } from './pipeline-session.ts';
import { consolidateDream, gateDream, readReflections, verifyDream } from './think.ts';
import { readInput } from './take-snapshot.ts';
import type { Work } from './work.ts';
import { writeEdits, type Unwritten } from './write-edits.ts';

/**
 * The state Publish: the operations go into the output store, the report says what was done, and
 * then, in one write, the dream has completed. What the gate found worse never goes into a store
 * that is in use; a copy gets it all the same, and says that it is not recommended.
 *
 * @throws TimeUp, Elsewhere; DreamFailed; BrokenLedger before anything is written
 */
export async function publish(work: Work): Promise<void> {
  await work.enter('publish');
  const gate = await gateDream(work);
  const verified = await verifyDream(work);
  const snapshot = await readSnapshot(work);
  const is_kept_out =
    gate?.recommended === false && work.head.output_behavior.type === 'update_existing';
  const wanted = is_kept_out ? [] : verified.operations;
  // Also where nothing is to be written: an output that is gone is no result.
  if (work.head.output_behavior.type === 'update_existing') {
    await readInput(work.ports, work.head.memory_store_id);
  }
  const edits = applyOperations(snapshot, wanted).edits.filter(isOfChange);
  const left_out = await work.once('left-out', async () => {
    await checkSessions(work);
    return await writeEdits(work, edits);
  });
  const why = new Map(left_out.map(({ change_id, reason }) => [change_id, reason]));
  // The account is of what was written, and so is the index.
  const operations = wanted.filter(({ change_id }) => !why.has(change_id));
  const applied = applyOperations(snapshot, operations);
  await writeEdits(
    work,
    applied.edits.filter((edit) => !isOfChange(edit)),
  );
  await work.look();
  const reflections = await readReflections(work);
  const consolidated = await consolidateDream(work);
  const report = reportOf({
    dream_id: work.head.dream_id,
    dream_prompt_version,
    model_id: work.head.model.id,
    session_ids: work.head.session_ids,
    sessions: await titlesOf(work),
    candidates_count: reflections.candidates.length,
    dropped: [
      ...reflections.dropped,
      ...consolidated.dropped,
      ...verified.dropped,
      ...wanted.flatMap((operation) => leftOut(operation, why.get(operation.change_id))),
    ],
    skipped: reflections.skipped,
    uses: consolidated.uses,
    gate,
    processing: await processingOf(work),
    spending: await spendingOf(work),
    snapshot,
    operations,
    applied,
  });
  await putReport(work.ports.blobs, report);
  await complete(work, { report, gate, unwritten: [...why.keys()] });
}

/** The index belongs to none. */
function isOfChange({ change_ids }: Edit): boolean {
  return !change_ids.includes(INDEX_CHANGE);
}

const left_out_words: Readonly<Record<Unwritten['reason'], string>> = {
  changed_meanwhile: 'others changed it while the dream ran; it stays as they left it.',
  store_full: 'the store holds as many memories as it may. Merge or delete some.',
};

function leftOut(operation: Operation, reason: Unwritten['reason'] | undefined): Dropped[] {
  if (reason === undefined) return [];
  const { change_id, op, evidence } = operation;
  const what = `${change_id} ${op} ${pathsOf(operation).join(', ')}: ${left_out_words[reason]}`;
  return [{ stage: 'publish', reason, what, evidence }];
}

async function processingOf({ ports, head, batches }: Work): Promise<ReportedProcessing> {
  const none = { batches_count: 0, batched_count: 0, alone_count: 0 };
  if (head.processing !== 'batch') return { type: 'standard', ...none, reasons: [] };
  const rows = await batchesOf(ports.table, head);
  const sum = (count: 'answered_count' | 'alone_count'): number =>
    rows.reduce((total, row) => total + (row[count] ?? 0), 0);
  const reasons = rows.flatMap(({ reason }) => reason ?? []);
  return {
    type: batches === undefined ? 'standard' : 'batch',
    batches_count: rows.length,
    batched_count: sum('answered_count'),
    alone_count: sum('alone_count'),
    reasons: batches === undefined ? [...reasons, no_batches] : reasons,
  };
}

/** What people call the sessions. One that is deleted at this moment has no name any more. */
async function titlesOf({ ports, head }: Work): Promise<ReportedSession[]> {
  const attributes = ['pk', 'sk', 'session_id', 'title'];
  const keys = head.session_ids.map(configKey);
  const rows = (await ports.table.getMany(keys, { attributes })) as SessionConfig[];
  const titles = new Map(rows.map(({ session_id, title }) => [session_id, title]));
  return head.session_ids.map((session_id) => ({
    session_id,
    title: titles.get(session_id) ?? null,
  }));
}

const no_batches = 'the model provider of the deployment has no Message Batches any more';

async function spendingOf(work: Work): Promise<DreamSpending> {
  const costs = (await readSessions(work)).map(({ cost_microcents }) => cost_microcents);
  const { usage, cost_microcents } = work.head;
  const known = costs.filter((cost) => cost !== null);
  return {
    ...usage,
    cost_microcents,
    sessions_cost_microcents:
      known.length < costs.length ? null : known.reduce((sum, cost) => sum + cost, 0),
  };
}

async function putReport(blobs: Blobs, report: DreamReport): Promise<void> {
  const json = dreamObject(report.dream_id, 'report.json');
  await blobs.put(json, JSON.stringify(report), 'application/json');
  const markdown = dreamObject(report.dream_id, 'report.md');
  await blobs.put(markdown, reportMarkdown(report), 'text/markdown; charset=utf-8');
}

interface Published {
  readonly report: DreamReport;
  readonly gate: GateResult | null;
  /** Changes that others, or the store's bound, stood in the way of. */
  readonly unwritten: readonly string[];
}

async function complete(work: Work, published: Published): Promise<void> {
  // Refused when it was canceled at the last moment: then it stays canceled.
  await tell(work, lastWords(published), [completed(work, published)]);
}

function completed({ ports, head }: Work, { gate, unwritten }: Published): Write {
  return {
    update: dreamKey(head.dream_id),
    expression:
      'SET #status = :completed, stage = :ended, ended_at = :at, recommended = :recommended, unwritten = :unwritten, #version = #version + :one',
    condition: 'run = :run AND #status = :running',
    names: { '#status': 'status', '#version': 'version' },
    values: {
      ':completed': 'completed',
      ':ended': 'ended',
      ':at': timestamp(ports.clock),
      ':recommended': gate?.recommended ?? null,
      ':unwritten': unwritten,
      ':one': 1,
      ':run': head.run,
      ':running': 'running' satisfies DreamHead['status'],
    },
  };
}

function lastWords({ report, gate }: Published): string {
  const { operations, candidates_count } = report;
  if (operations.length === 0) {
    return `Nothing was changed. ${candidates_count} candidate lessons were found.`;
  }
  const verdict = gate === null || gate.recommended ? '' : ` Not recommended: ${gate.reason}`;
  return `${operations.length} operations were applied.${verdict}`;
}
