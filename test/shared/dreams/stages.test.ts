/** Stages against a table and a bucket: what no dream over HTTP can be brought to. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { dreamKey, type DreamHead } from '#shared/dreams/dream.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { outcomeOf } from '#shared/dreams/session-facts.ts';
import { runStage } from '#shared/dreams/stages/run-stage.ts';
import { waitingOf } from '#shared/dreams/stages/batch-rows.ts';
import { eventsOf, readReports, threadIds } from '#shared/dreams/stages/session-log.ts';
import type { StagePorts } from '#shared/dreams/stages/work.ts';
import { storeKey } from '#shared/memory/memory.ts';
import type { Batches } from '#shared/models/batches.ts';
import { ModelError } from '#shared/models/model-error.ts';
import { noRequestUsage, type Model, type ModelReply } from '#shared/models/model.ts';
import { reportKey } from '#shared/outcome-reports/report.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { threadKey } from '#shared/threads/thread.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { append, aCall, aReply, headOf, putSession, testPorts } from '../../sessions.ts';
import { putDream } from '../reviews/review-rig.ts';
import { anOperation, aSnapshot, NEW } from './samples.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

function stagePorts() {
  const base = testPorts(started.table);
  const model = {
    stream: () => {
      throw new Error('no model is asked');
    },
  };
  const ports: StagePorts = { ...base, model, memories_max: 2_000, version_days: 0 };
  return { base, ports };
}

const running = { status: 'running', stage: 'publish', gsi2pk: 'DREAMING' } as const;

test('a dream whose ledger does not close fails, and nothing is written', async () => {
  const { base, ports } = stagePorts();
  const snapshot = aSnapshot();
  const gone: Operation = anOperation('c0001', { op: 'retire', path: '/was-never-there.md' });
  const fabricated = { ...aCall(), store_id: 'memstore_1', snapshot, operations: [gone] };
  const dream_id = await putDream(base, fabricated, running);
  const input = { dream_id, run: 1, task: 'publish' } as const;
  await base.blobs.put(`dreams/${dream_id}/gate.json`, 'null');
  const written = base.blobs.objects.size;
  expect(await runStage(ports, input, 60_000)).toMatchObject({ next: 'settle' });
  const head = (await started.table.get(dreamKey(dream_id))) as DreamHead;
  expect(head).toMatchObject({ status: 'failed', error: { type: 'internal_error' } });
  expect(head.error?.message).toContain('ledger of the dream does not close');
  expect(base.blobs.objects.size).toBe(written);
});

test('a dream that has taken too long fails as timeout at its next look', async () => {
  const { base, ports } = stagePorts();
  const fabricated = { ...aCall(), store_id: 'memstore_1', snapshot: aSnapshot(), operations: [] };
  const dream_id = await putDream(base, fabricated, { ...running, stage: 'consolidate' });
  const input = { dream_id, run: 1, task: 'consolidate' } as const;
  base.clock.ms += limits.dream_timeout_ms + 1;
  expect(await runStage(ports, input, 60_000)).toMatchObject({ next: 'settle' });
  const { status, error } = (await started.table.get(dreamKey(dream_id))) as DreamHead;
  expect({ status, error }).toMatchObject({ status: 'failed', error: { type: 'timeout' } });
  // Who comes later finds it ended, and changes nothing.
  expect(await runStage(ports, input, 60_000)).toEqual({ next: 'settle' });
});

test('a store that is too large fails the dream by that name, before a session is read', async () => {
  const { base, ports } = stagePorts();
  const store_id = newId('memory_store');
  const call = aCall();
  const { session_id } = await putSession(base, call);
  const store = { ...storeKey(store_id), revision: 1, deleted_at: null, archived_at: null };
  const memory = {
    pk: `PATHS#${store_id}`,
    sk: '/large.md',
    kind: 'memory',
    content_size_bytes: limits.dream_store_bytes_max + 1,
  };
  await started.table.transact([{ put: store }, { put: memory }]);
  const fabricated = { ...call, store_id, snapshot: aSnapshot(), operations: [] };
  const changed = { ...running, status: 'pending', session_ids: [session_id] } as const;
  const dream_id = await putDream(base, fabricated, changed);
  base.blobs.objects.delete(`dreams/${dream_id}/snapshot.json`);
  const input = { dream_id, run: 1, task: 'gather' } as const;
  expect(await runStage(ports, input, 60_000)).toMatchObject({ next: 'settle' });
  const head = (await started.table.get(dreamKey(dream_id))) as DreamHead;
  expect(head).toMatchObject({
    status: 'failed',
    error: { type: 'input_memory_store_too_large' },
    output_store_id: null,
  });
});

test('all threads of a session are read, the primary one first, each up to where it stood', async () => {
  const { base } = stagePorts();
  const { session_id, thread_id } = await putSession(base, aCall());
  const child = newId('thread');
  const head = { ...(await headOf(base, thread_id)), ...threadKey(child), thread_id: child };
  const member = { pk: sessionKey(session_id).pk, sk: `T#${child}`, thread_id: child };
  await started.table.transact([{ put: head }, { put: member }]);
  const first = aReply('of the primary');
  const second = aReply('of the child');
  await append(base, thread_id, [first]);
  await append(base, child, [second]);
  await append(base, child, [aReply('came later')]);
  expect(await threadIds(started.table, session_id)).toEqual([thread_id, child]);
  const read = [];
  const threads = [thread_id, child].map((id) => ({ thread_id: id, through: 1 }));
  for await (const each of eventsOf(base, threads)) read.push([each.thread_id, each.event.id]);
  expect(read).toEqual([
    [thread_id, first.id],
    [child, second.id],
  ]);
});

test('of a session that is too long to be held every event is shown to the model all the same', async () => {
  const { base, ports } = stagePorts();
  const call = aCall();
  const { session_id, thread_id } = await putSession(base, call);
  const filler = 'lorem ipsum '.repeat(5_000);
  const count = Math.ceil(limits.dream_session_held_chars_max / filler.length) + 2;
  for (let n = 0; n < count; n += 1)
    await append(base, thread_id, [aReply(`mark-${n}. ${filler}`)]);
  const shown: string[] = [];
  const message: ModelReply = {
    content: [{ type: 'text', text: '{"lessons":[]}', citations: null }],
    stop_reason: 'end_turn',
    stop_details: null,
    usage: noRequestUsage,
    speed: null,
  };
  const model: Model = {
    async *stream(request) {
      shown.push(JSON.stringify(request.messages));
      yield { type: 'done', message };
    },
  };
  const fabricated = { ...call, store_id: 'memstore_1', snapshot: aSnapshot(), operations: [] };
  const changed = { ...running, stage: 'reflect', session_ids: [session_id] } as const;
  const dream_id = await putDream(base, fabricated, changed);
  const input = { dream_id, run: 1, task: 'reflect', session_n: 0 } as const;
  expect(await runStage({ ...ports, model }, input, 60_000)).toMatchObject({ next: 'read' });
  const marks = Array.from({ length: count }, (_, n) => `mark-${n}.`);
  expect(marks.filter((mark) => !shown.some((text) => text.includes(mark)))).toEqual([]);
});

/** A dream by batches that is about to read its only session. */
async function batchDream(made: Parameters<typeof putSession>[2] = {}) {
  const { base, ports } = stagePorts();
  const call = aCall();
  const { session_id, thread_id } = await putSession(base, call, made);
  await append(base, thread_id, [aReply('Nothing to learn.')]);
  const fabricated = { ...call, store_id: 'memstore_1', snapshot: aSnapshot(), operations: [] };
  const changed = { ...running, stage: 'reflect', processing: 'batch', session_ids: [session_id] };
  const dream_id = await putDream(base, fabricated, changed as Partial<DreamHead>);
  return { base, ports, dream_id, session_id };
}

test('what is said of a session while its pieces wait for a batch asks none of them anew', async () => {
  const { base, ports, dream_id, session_id } = await batchDream({ has_outcome_model: true });
  const never = async () => await Promise.reject(new Error('nobody asks it'));
  const batches: Batches = {
    submit: never,
    state: never,
    answers: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
    cancel: never,
    forget: never,
  };
  const input = { task: 'reflect', dream_id, run: 1, session_n: 0 } as const;
  const asked = async () => {
    expect(await runStage({ ...ports, batches }, input, 60_000)).toEqual({ next: 'read' });
    return (await waitingOf(started.table, { dream_id })).map(({ asked_sk }) => asked_sk);
  };
  const report = (run: number) => ({
    ...reportKey(session_id, run),
    state: 'done',
    idle_event_id: `sevt_${run}`,
    created_at: base.clock.now().toISOString(),
    result: 'needs_revision',
    findings: null,
  });
  await started.table.transact([{ put: report(1) }]);
  const first = await asked();
  expect(first).toHaveLength(1);
  await started.table.transact([{ put: report(2) }]);
  expect(await asked()).toEqual(first);
});

test('a batch whose id is lost is sent once more, then its requests are made by themselves', async () => {
  const { base, ports, dream_id } = await batchDream();
  const sent: string[] = [];
  const never = async () => await Promise.reject(new Error('nobody looks for it'));
  const batches: Batches = {
    submit: async (requests) => {
      sent.push(...requests.map(({ custom_id }) => custom_id));
      const is_unsent = sent.length === 1;
      throw new ModelError('It broke.', { kind: 'failed', retryable: true, is_unsent });
    },
    state: never,
    answers: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
    cancel: never,
    forget: never,
  };
  const pass = async (task: 'reflect' | 'consolidate' | 'batch', model = ports.model) =>
    await runStage({ ...ports, model, batches }, { task, dream_id, run: 1, session_n: 0 }, 60_000);
  expect(await pass('reflect')).toEqual({ next: 'read' });
  expect(await pass('consolidate')).toEqual({ next: 'batch' });
  const pause = { next: 'pause', seconds: limits.batch_pause_min_s };
  // It never left: that is no try.
  expect(await pass('batch')).toEqual(pause);
  expect(await pass('batch')).toEqual(pause);
  // It may still be on its way: who comes at once does not send it again.
  expect(await pass('batch')).toEqual(pause);
  expect(sent).toHaveLength(2);
  base.clock.ms += limits.batch_submit_ms;
  expect(await pass('batch')).toEqual({ next: 'pause', seconds: limits.batch_submit_ms / 4_000 });
  expect(new Set(sent).size).toBe(1);
  base.clock.ms += limits.batch_submit_ms;
  expect(await pass('batch')).toEqual({ next: 'sessions', sessions: [0] });
  expect(sent).toHaveLength(1 + limits.batch_submits_max);
  const message: ModelReply = {
    content: [{ type: 'text', text: '{"lessons":[]}', citations: null }],
    stop_reason: 'end_turn',
    stop_details: null,
    usage: noRequestUsage,
    speed: null,
  };
  const model: Model = {
    async *stream() {
      yield { type: 'done', message };
    },
  };
  expect(await pass('reflect', model)).toEqual({ next: 'read' });
  // It may take longer than others, and not for ever.
  base.clock.ms += limits.dream_timeout_ms;
  expect(await pass('batch')).toEqual({ next: 'consolidate' });
  base.clock.ms += limits.dream_batch_timeout_ms;
  expect(await pass('batch')).toMatchObject({ next: 'settle', failed: { type: 'timeout' } });
});

test('where the provider has no batches any more, a dream by batches asks at once', async () => {
  const { ports, dream_id } = await batchDream();
  const input = { task: 'reflect', dream_id, run: 1, session_n: 0 } as const;
  await expect(runStage(ports, input, 60_000)).rejects.toThrow('no model is asked');
});

test('a session is known by the reports on its runs as well; those that are not done say nothing', async () => {
  const { base } = stagePorts();
  const { session_id } = await putSession(base, aCall());
  const item = { id: 'c1', text: 'It adds up', verdict: 'not_met', reason: 'Two are off' };
  const findings = { success_criteria: [item], failure_modes: [], signals: [], facts: {} };
  const row = (run: number, state: string) => ({
    ...reportKey(session_id, run),
    state,
    idle_event_id: `sevt_${run}`,
    created_at: NEW,
    result: state === 'done' ? 'needs_revision' : null,
    findings: state === 'done' ? { json: JSON.stringify(findings) } : null,
  });
  await started.table.transact([{ put: row(1, 'done') }, { put: row(2, 'pending') }]);
  const reports = await readReports(base, session_id);
  const text = 'not_met: It adds up (Two are off)';
  expect(reports).toEqual([{ event_id: 'sevt_1', at: NEW, result: 'failure', text }]);
  expect(outcomeOf({ verdicts: [], reports })).toBe('failure');
  const verdict = { event_id: 'sevt_0', at: NEW, result: 'success', text: '' } as const;
  expect(outcomeOf({ verdicts: [verdict], reports })).toBe('success');
});
