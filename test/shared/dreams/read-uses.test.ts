// Goal: what becomes of a session counts for the playbook that it has read, wherever that stands by
// now, and for no other. Method: the stage Consolidate over a table and a bucket.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SnapshotMemory } from '#shared/dreams/snapshot.ts';
import { runStage } from '#shared/dreams/stages/run-stage.ts';
import type { Consolidated } from '#shared/dreams/stages/think.ts';
import type { StagePorts } from '#shared/dreams/stages/work.ts';
import { noRequestUsage, type Model } from '#shared/models/model.ts';
import { recordRead } from '#shared/playbooks/playbook-reads.ts';
import { renderPlaybook, type PlaybookFacts } from '#shared/playbooks/playbook.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, aReply, append, putSession, testPorts } from '../../sessions.ts';
import { putDream } from '../reviews/review-rig.ts';
import { aMemory, aSnapshot, NEW, OLD } from './samples.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

const STORE = 'memstore_1';

function aPlaybook(path: string, memory_id: string): SnapshotMemory {
  const facts: PlaybookFacts = {
    id: memory_id,
    title: `How ${memory_id} is done`,
    situation: `When ${memory_id} is asked for.`,
    scope: 'private',
    learned_from: { agent_id: 'agent_1', agent_version: 1, model: 'm' },
    evidence: [],
    helpful: 0,
    harmful: 0,
    last_confirmed: OLD,
  };
  const text = renderPlaybook({ facts, body: `Do ${memory_id} at ${path}.\n` });
  return aMemory(path, text, { memory_id });
}

const silent: Model = {
  async *stream() {
    yield {
      type: 'done',
      message: {
        content: [{ type: 'text', text: '{"operations":[]}', citations: null }],
        stop_reason: 'end_turn',
        stop_details: null,
        usage: noRequestUsage,
        speed: null,
      },
    };
  },
};

/** What a dream makes of a session that has read `read` at a path and was told that it is wrong. */
async function consolidated(path: string, ...memories: readonly SnapshotMemory[]) {
  const base = testPorts(started.table);
  const ports: StagePorts = { ...base, model: silent, memories_max: 2_000, version_days: 0 };
  const call = aCall();
  const { session_id, thread_id } = await putSession(base, call);
  const shown = {
    memory_store_id: STORE,
    memory_id: 'read',
    memory_version_id: 'memver_1',
    path,
  };
  const place = { session_id, thread_id, event_id: 'sevt_1', at: OLD };
  await started.table.transact([recordRead(place, shown)]);
  const judged = {
    ...aReply(''),
    type: 'span.outcome_evaluation_end',
    outcome_id: 'outc_1',
    result: 'satisfied',
    processed_at: NEW,
  };
  await append(base, thread_id, [judged as never]);
  const fabricated = { ...call, store_id: STORE, operations: [] };
  const dream_id = await putDream(
    base,
    { ...fabricated, snapshot: { ...aSnapshot(...memories), memory_store_id: STORE } },
    { status: 'running', stage: 'consolidate', gsi2pk: 'DREAMING', session_ids: [session_id] },
  );
  const input = { dream_id, run: 1, task: 'consolidate' } as const;
  expect(await runStage(ports, input, 60_000)).toEqual({ next: 'verify' });
  const kept = await base.blobs.get(`dreams/${dream_id}/consolidated.json`);
  const { operations, uses } = JSON.parse(Buffer.from(kept).toString('utf8')) as Consolidated;
  const counted = operations.map((operation) => ('path' in operation ? operation.path : ''));
  return { counted, uses: uses.map((use) => use.path) };
}

test('a playbook that has been moved since it was read takes its uses along', async () => {
  const moved = aPlaybook('/playbooks/new-name.md', 'read');
  expect(await consolidated('/playbooks/name.md', moved)).toEqual({
    counted: ['/playbooks/new-name.md'],
    uses: ['/playbooks/new-name.md'],
  });
});

test('one that has taken its place since has not been read by anybody', async () => {
  const moved = aPlaybook('/playbooks/new-name.md', 'read');
  const other = aPlaybook('/playbooks/name.md', 'other');
  expect(await consolidated('/playbooks/name.md', moved, other)).toMatchObject({
    counted: ['/playbooks/new-name.md'],
  });
  expect(await consolidated('/playbooks/name.md', other)).toEqual({ counted: [], uses: [] });
});

test('the use of one that is gone is told, and counts for nothing', async () => {
  expect(await consolidated('/playbooks/name.md')).toEqual({
    counted: [],
    uses: ['/playbooks/name.md'],
  });
});
