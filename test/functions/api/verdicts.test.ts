/**
 * What operators ask of verdicts, over HTTP and the typed client. Method: verdict rows are put as a
 * grading puts them, so that every sum can be written down beside them.
 */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { newId, primaryThreadId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import type { Write } from '#shared/core/table.ts';
import { default_workspace_id } from '#shared/keys/api-key.ts';
import type { Judged } from '#shared/outcomes/explanation.ts';
import {
  gradePrefix,
  verdictKey,
  verdictPointerKey,
  type VerdictRow,
} from '#shared/outcomes/verdict-row.ts';
import { noUsage } from '#shared/threads/thread.ts';
import { admin_key } from './door.ts';
import { startSessionRig, type SessionRig } from './session-rig.ts';

let rig: SessionRig;
let reverie: ReverieClient;

beforeAll(async () => {
  rig = await startSessionRig();
  reverie = new ReverieClient(clientOf(admin_key));
});
afterAll(async () => await rig.door.stop());

function clientOf(apiKey: string): Anthropic {
  return new Anthropic({ baseURL: rig.door.baseURL, apiKey, maxRetries: 0 });
}

const workspace_id = default_workspace_id;

function criterion(id: string, text: string, verdict: Judged['verdict']): Judged {
  return { id, text, verdict, reason: `As to ${text}`, evidence: [{ path: '/a', quote: 'x' }] };
}

interface Draft extends Partial<VerdictRow> {
  readonly judged?: readonly Judged[];
}

let minute = 0;

/** A verdict a minute. */
function rowOf(agent_id: string, session_id: string, { judged = [], ...draft }: Draft): VerdictRow {
  minute += 1;
  const created_at = draft.created_at ?? new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString();
  const verdict_id = newId('event');
  return {
    ...verdictKey({ workspace_id, agent_id }, created_at, verdict_id),
    schema: 1,
    kind: 'outcome',
    verdict_id,
    workspace_id,
    agent_id,
    agent_version: 1,
    session_id,
    thread_id: primaryThreadId(session_id),
    outcome_id: newId('outcome'),
    iteration: 0,
    result: 'satisfied',
    explanation: { json: JSON.stringify('All is met.') },
    criteria: { json: JSON.stringify(judged) },
    usage: { ...noUsage, input_tokens: 100, output_tokens: 10, cost_microcents: 250_000 },
    model_id: 'claude-sonnet-5-5',
    grader_prompt_version: '1',
    transcript_key: `${gradePrefix(session_id, verdict_id, 3)}.jsonl`,
    started_at: created_at,
    created_at,
    ...draft,
  };
}

async function put(rows: readonly VerdictRow[]): Promise<void> {
  await write(
    rows.flatMap((row) => [
      { put: row },
      {
        put: {
          ...verdictPointerKey(row.session_id, row.created_at, row.verdict_id),
          verdict_pk: row.pk,
          verdict_sk: row.sk,
        },
      },
    ]),
  );
}

async function write(writes: readonly Write[]): Promise<void> {
  for (let at = 0; at < writes.length; at += 100) {
    await rig.door.ports.table.transact(writes.slice(at, at + 100));
  }
}

async function anAgent(): Promise<string> {
  const { id } = await rig.client.beta.agents.create({ name: 'Ada', model: 'claude-sonnet-5-5' });
  return id;
}

async function aSession(agent: string): Promise<string> {
  return (await rig.create({ agent })).id;
}

test('a session lists its evaluations in order, page by page, with all that was found', async () => {
  const agent_id = await anAgent();
  const session_id = await aSession(agent_id);
  const other = await aSession(agent_id);
  const judged = [
    criterion('c1', 'Has a total', 'met'),
    criterion('c2', 'Has a source', 'not_met'),
  ];
  const rows = [
    rowOf(agent_id, session_id, { result: 'needs_revision', judged }),
    rowOf(agent_id, session_id, { kind: 'report' }),
    rowOf(agent_id, session_id, { iteration: 1 }),
  ];
  await put([...rows, rowOf(agent_id, other, {})]);
  const first = await reverie.verdicts.ofSession(session_id, { limit: 1 });
  expect(first.data).toEqual([
    {
      type: 'verdict',
      id: rows[0]?.verdict_id,
      kind: 'outcome',
      agent: { id: agent_id, version: 1 },
      session_id,
      session_thread_id: primaryThreadId(session_id),
      outcome_id: rows[0]?.outcome_id,
      iteration: 0,
      result: 'needs_revision',
      explanation: 'All is met.',
      criteria: judged,
      usage: {
        input_tokens: 100,
        output_tokens: 10,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
        web_fetch_requests: 0,
        list_cost: { amount: '0.25', currency: 'USD' },
      },
      model: 'claude-sonnet-5-5',
      grader_prompt_version: '1',
      started_at: rows[0]?.started_at,
      created_at: rows[0]?.created_at,
    },
  ]);
  const second = await reverie.verdicts.ofSession(session_id, { page: first.next_page });
  expect(second.data.map(({ id }) => id)).toEqual([rows[2]?.verdict_id]);
  expect(second.next_page).toBeNull();
  const newest = await reverie.verdicts.ofSession(session_id, { order: 'desc', limit: 1 });
  expect(newest.data[0]?.id).toBe(rows[2]?.verdict_id);
});

test("a grading's transcript is what its verdict points at, and nothing else is to be had", async () => {
  const agent_id = await anAgent();
  const session_id = await aSession(agent_id);
  const row = rowOf(agent_id, session_id, {});
  await put([row]);
  await rig.door.ports.blobs.put(row.transcript_key, '{"type":"begin"}\n');
  const response = await reverie.verdicts.transcript(session_id, row.verdict_id);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  expect(await response.text()).toBe('{"type":"begin"}\n');
  const other = await aSession(agent_id);
  for (const [id, verdict_id] of [
    [other, row.verdict_id],
    [session_id, newId('event')],
    [newId('session'), row.verdict_id],
  ] as const) {
    await expect(reverie.verdicts.transcript(id, verdict_id)).rejects.toMatchObject({
      status: 404,
    });
  }
});

test('verdicts of an agent are found by version, result, session, kind and time', async () => {
  const agent_id = await anAgent();
  const [one, two] = [await aSession(agent_id), await aSession(agent_id)];
  const rows = [
    rowOf(agent_id, one, { result: 'needs_revision' }),
    rowOf(agent_id, one, { agent_version: 2 }),
    rowOf(agent_id, two, { kind: 'report', result: 'failed' }),
    rowOf(agent_id, two, { result: 'max_iterations_reached', agent_version: 2 }),
  ];
  await put([...rows, rowOf(await anAgent(), one, {})]);
  const found = async (query: Parameters<typeof reverie.verdicts.list>[1]): Promise<number[]> => {
    const { data } = await reverie.verdicts.list(agent_id, query);
    return data.map(({ id }) => rows.findIndex(({ verdict_id }) => verdict_id === id));
  };
  expect(await found({})).toEqual([3, 2, 1, 0]);
  expect(await found({ order: 'asc' })).toEqual([0, 1, 2, 3]);
  expect(await found({ agent_version: 2 })).toEqual([3, 1]);
  expect(await found({ result: 'needs_revision' })).toEqual([0]);
  expect(await found({ session_id: two })).toEqual([3, 2]);
  expect(await found({ kind: 'report' })).toEqual([2]);
  const gt = rows[0]?.created_at ?? '';
  const lt = rows[3]?.created_at ?? '';
  expect(await found({ created_at: { gt, lt } })).toEqual([2, 1]);
  expect(await found({ created_at: { gte: gt, lte: lt } })).toEqual([3, 2, 1, 0]);
  const paged = await reverie.verdicts.list(agent_id, { limit: 1, agent_version: 2 });
  expect(await found({ agent_version: 2, page: paged.next_page })).toEqual([1]);
});

/** Four outcomes: passed at once, passed after two revisions, never passed, and one still open. */
function history(agent_id: string, session_id: string): VerdictRow[] {
  const source = (verdict: Judged['verdict'], text = 'Has a source'): Judged =>
    criterion('c1', text, verdict);
  const total = criterion('c2', 'Has a total', 'not_met');
  const add = (draft: Draft): VerdictRow => rowOf(agent_id, session_id, draft);
  return [
    add({ judged: [source('met')] }),
    add({ result: 'needs_revision', judged: [source('not_met'), total] }),
    add({
      result: 'needs_revision',
      iteration: 1,
      judged: [source('cannot_tell', '**has a  Source.**')],
    }),
    add({ iteration: 2, judged: [source('met')] }),
    add({ agent_version: 2, result: 'max_iterations_reached', judged: [source('not_met')] }),
    add({ agent_version: 2, result: 'needs_revision' }),
    add({ kind: 'report', result: 'failed', judged: [total] }),
  ];
}

test('a summary counts outcomes by their last verdict, and says what fails most', async () => {
  const agent_id = await anAgent();
  const session_id = await aSession(agent_id);
  const rows = history(agent_id, session_id);
  await put(rows);
  const summary = await reverie.verdicts.summary(agent_id);
  expect(summary).toMatchObject({
    type: 'verdict_summary',
    agent_id,
    kind: 'outcome',
    from: rows[0]?.created_at,
    to: rows[5]?.created_at,
    is_complete: true,
    verdicts_count: 6,
    outcomes_count: 3,
    results: { satisfied: 2, max_iterations_reached: 1, failed: 0, needs_revision: 0 },
    iterations_to_pass: { mean: 2, median: 2 },
    usage: { input_tokens: 600, list_cost: { amount: '1.5', currency: 'USD' } },
    next_page: null,
  });
  expect(summary.pass_rate).toBeCloseTo(2 / 3);
  expect(summary.by_version).toMatchObject([
    { agent_version: 2, outcomes_count: 1, pass_rate: 0, iterations_to_pass: null },
    { agent_version: 1, outcomes_count: 2, pass_rate: 1, verdicts_count: 4 },
  ]);
  expect(summary.failed_criteria).toEqual([
    {
      text: 'Has a source',
      count: 3,
      cannot_tell_count: 1,
      example: {
        evaluation_id: rows[4]?.verdict_id,
        session_id,
        reason: 'As to Has a source',
      },
    },
    {
      text: 'Has a total',
      count: 1,
      cannot_tell_count: 0,
      example: { evaluation_id: rows[1]?.verdict_id, session_id, reason: 'As to Has a total' },
    },
  ]);
  const first = await reverie.verdicts.summary(agent_id, { agent_version: 1 });
  expect(first).toMatchObject({ outcomes_count: 2, pass_rate: 1 });
  const reports = await reverie.verdicts.summary(agent_id, { kind: 'report' });
  expect(reports).toMatchObject({ outcomes_count: 1, results: { failed: 1 }, pass_rate: 0 });
});

test('a comparison puts what was before a time beside what came after it', async () => {
  const agent_id = await anAgent();
  const rows = history(agent_id, await aSession(agent_id));
  await put(rows);
  const split_at = rows[4]?.created_at ?? '';
  const compared = await reverie.verdicts.compare(agent_id, { split_at });
  expect(compared).toMatchObject({
    type: 'verdict_comparison',
    split_at,
    before: { verdicts_count: 4, pass_rate: 1, to: rows[3]?.created_at, is_complete: true },
    after: { verdicts_count: 2, pass_rate: 0, from: split_at, is_complete: true },
  });
  const bounds = { gte: rows[1]?.created_at ?? '', lt: rows[5]?.created_at ?? '' };
  expect(await reverie.verdicts.compare(agent_id, { split_at, created_at: bounds })).toMatchObject({
    before: { verdicts_count: 3 },
    after: { verdicts_count: 1 },
  });
  const empty = await reverie.verdicts.compare(agent_id, { split_at: '2020-01-01T00:00:00Z' });
  expect(empty.before).toMatchObject({
    from: null,
    verdicts_count: 0,
    pass_rate: null,
    iterations_to_pass: null,
  });
});

test('a summary of more than one request can count goes on where it stopped', async () => {
  const agent_id = await anAgent();
  const session_id = await aSession(agent_id);
  const count = limits.summary_verdicts_max + 250;
  const rows = Array.from({ length: count }, () => rowOf(agent_id, session_id, {}));
  await write(rows.map((row) => ({ put: row })));
  const first = await reverie.verdicts.summary(agent_id);
  expect(first.is_complete).toBe(false);
  expect(first.verdicts_count).toBeGreaterThanOrEqual(limits.summary_verdicts_max);
  expect(first.verdicts_count).toBeLessThan(limits.summary_verdicts_max + 150);
  const second = await reverie.verdicts.summary(agent_id, { page: first.next_page });
  expect(second.is_complete).toBe(true);
  expect(second.next_page).toBeNull();
  expect(first.verdicts_count + second.verdicts_count).toBe(count);
  expect((second.to ?? '') < (first.from ?? '')).toBe(true);
});

test('a model without a price makes the cost unknown, and nothing else', async () => {
  const agent_id = await anAgent();
  const session_id = await aSession(agent_id);
  const usage = { ...noUsage, input_tokens: 5, cost_microcents: null };
  await put([rowOf(agent_id, session_id, {}), rowOf(agent_id, session_id, { usage })]);
  const { usage: sums } = await reverie.verdicts.summary(agent_id);
  expect(sums).toMatchObject({ input_tokens: 105, list_cost: null });
});

test.each([
  ['an unknown filter', 'verdicts?colour=red', 400, /colour/],
  ['an unknown result', 'verdicts?result=good', 400, /result/],
  ['a page beside a split', 'verdicts/summary?page=x&split_at=2026-01-01T00:00:00Z', 400, /page/],
  ['a cursor of nothing', 'verdicts/summary?page=x', 400, /page/],
  ['a time that is none', 'verdicts/summary?split_at=yesterday', 400, /split_at/],
])('%s is refused by name', async (_what, path, status, said) => {
  const asked = rig.client.get(`/v1/reverie/agents/${await anAgent()}/${path}`);
  await expect(asked).rejects.toMatchObject({ status });
  await expect(asked).rejects.toThrow(said);
});

test("another workspace's agents and sessions have no verdicts", async () => {
  const agent_id = await anAgent();
  const session_id = await aSession(agent_id);
  const row = rowOf(agent_id, session_id, {});
  await put([row]);
  const { secret } = await reverie.apiKeys.create({
    name: 'other',
    workspace_id: newId('workspace'),
  });
  const other = new ReverieClient(clientOf(secret ?? '')).verdicts;
  const asked = [
    other.list(agent_id),
    other.summary(agent_id),
    other.ofSession(session_id),
    other.transcript(session_id, row.verdict_id),
    reverie.verdicts.list(newId('agent')),
  ];
  for (const ended of await Promise.allSettled(asked)) {
    expect(ended).toMatchObject({ status: 'rejected', reason: { status: 404 } });
  }
});
