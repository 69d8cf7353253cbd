import { listKeys } from '#shared/core/listing.ts';
import type { Ports } from '#shared/core/ports.ts';
import { applyOperations } from '#shared/dreams/apply-operations.ts';
import { dreamKey, dreamObject, no_dream_usage, type DreamHead } from '#shared/dreams/dream.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { reportMarkdown } from '#shared/dreams/report-markdown.ts';
import { reportOf, type DreamFacts } from '#shared/dreams/report-of.ts';
import type { Snapshot } from '#shared/dreams/snapshot.ts';
import { readMemories, textOf } from '#shared/memory/read-store.ts';

/** A dream that has completed, made by hand: what its pipeline would have left. */
export interface FabricatedDream {
  readonly workspace_id: string;
  readonly store_id: string;
  readonly snapshot: Snapshot;
  readonly operations: readonly Operation[];
}

export async function putDream(
  ports: Ports,
  { workspace_id, store_id, snapshot, operations }: FabricatedDream,
  changed: Partial<DreamHead> = {},
): Promise<string> {
  const id = ports.newId('dream');
  const created_at = ports.clock.now().toISOString();
  const head: DreamHead = {
    ...dreamKey(id),
    schema: 1,
    version: 1,
    dream_id: id,
    workspace_id,
    status: 'completed',
    stage: 'ended',
    memory_store_id: store_id,
    session_ids: [],
    model: { id: 'claude-sonnet-5-5', speed: 'standard' },
    instructions: null,
    output_behavior: { type: 'create_new' },
    copy_store_id: ports.newId('memory_store'),
    output_store_id: null,
    pipeline_session_id: ports.newId('session'),
    session_id: null,
    boundary: 'of-a-test',
    error: null,
    usage: no_dream_usage,
    cost_microcents: 0,
    recommended: true,
    created_at,
    ended_at: created_at,
    archived_at: null,
    run: 1,
    ...listKeys(workspace_id, 'dream', { id, created_at }),
    ...changed,
  };
  await putJson(ports, id, 'snapshot.json', snapshot);
  await putJson(ports, id, 'verified.json', { operations });
  await ports.table.transact([{ put: head }]);
  return id;
}

async function putJson({ blobs }: Ports, id: string, name: string, value: object): Promise<void> {
  await blobs.put(dreamObject(id, name), JSON.stringify(value), 'application/json');
}

/** A store as a dream would have found it now. */
export async function snapshotOf(ports: Ports, store_id: string): Promise<Snapshot> {
  const rows = await readMemories(ports.table, store_id);
  const memories = rows.map(async (row) => ({
    memory_id: row.memory_id,
    memory_version_id: row.memory_version_id,
    path: row.sk,
    text: await textOf(ports.blobs, row.content),
    updated_at: row.updated_at,
    by_hand: true,
  }));
  return { memory_store_id: store_id, memories: await Promise.all(memories) };
}

/** What the pipeline leaves beside that: the account of the dream, and all that it has worked with. */
export async function putReport(
  ports: Ports,
  id: string,
  facts: Pick<DreamFacts, 'snapshot' | 'operations'> & Partial<DreamFacts>,
): Promise<void> {
  const report = reportOf({
    dream_id: id,
    dream_prompt_version: 'v',
    model_id: 'claude-sonnet-5-5',
    session_ids: [],
    sessions: [],
    candidates_count: 0,
    dropped: [],
    skipped: [],
    gate: null,
    uses: [],
    spending: { ...no_dream_usage, cost_microcents: 0, sessions_cost_microcents: null },
    applied: applyOperations(facts.snapshot, facts.operations),
    ...facts,
  });
  await putJson(ports, id, 'report.json', report);
  await ports.blobs.put(dreamObject(id, 'report.md'), reportMarkdown(report), 'text/markdown');
  const all = { memories: facts.snapshot.memories, operations: facts.operations };
  const workings = ['pieces/0/0', 'consolidated', 'gate', 'answers/1', 'asked/1'];
  for (const name of workings) await putJson(ports, id, `${name}.json`, all);
  const asked = { ...dreamKey(id), sk: 'M#reflect#0#hash#0', span_id: 'sevt_1' };
  await ports.table.transact([{ put: { ...asked, reply: { json: JSON.stringify(all) } } }]);
}
