/**
 * The typed client, whole: each route of our own is one of its methods, each list can be iterated as
 * the official client's can, and what changes something may be repeated under a key. Method: real
 * HTTP; the door's log names the route that a call has reached, whatever it was answered.
 */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { prefixes, type Noun } from '#shared/core/id.ts';
import { routes } from '#shared/routes.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../../functions/api/door.ts';

let door: StartedDoor;
let client: Anthropic;
let own: ReverieClient;

beforeAll(async () => {
  door = await startDoor();
  client = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, maxRetries: 0 });
  own = new ReverieClient(client);
});
afterAll(async () => await door.stop());

const id = (noun: Noun): string => `${prefixes[noun]}_${'0'.repeat(26)}`;

const store = id('memory_store');
const schedule = id('dream_schedule');
const dream = id('dream');
const session = id('session');
const agent = id('agent');

/** Every method that is one route; those that go on by themselves end with the first refusal. */
const calls: readonly [route: string, call: () => PromiseLike<unknown>][] = [
  [
    'POST /v1/reverie/files',
    () => own.files.start({ filename: 'a', size_bytes: 1, sha256: '0'.repeat(64) }),
  ],
  ['POST /v1/reverie/files/{file_id}/complete', () => own.files.complete(id('file'))],
  [
    'POST /v1/reverie/memory_stores/{memory_store_id}/memories/{memory_id}/restore',
    () =>
      own.memoryStores.restoreMemory(store, id('memory'), {
        memory_version_id: id('memory_version'),
      }),
  ],
  [
    'POST /v1/reverie/memory_stores/{memory_store_id}/restore',
    () => own.memoryStores.restore(store, { at: '2026-01-01T00:00:00Z' }),
  ],
  [
    'GET /v1/reverie/memory_stores/{memory_store_id}/diff',
    () => own.memoryStores.diff(store, { from: '2026-01-01T00:00:00Z' }),
  ],
  [
    'GET /v1/reverie/memory_stores/{memory_store_id}/search',
    () => own.memoryStores.search(store, { query: 'x' }),
  ],
  [
    'GET /v1/reverie/memory_stores/{memory_store_id}/export',
    () => own.memoryStores.export(store).next(),
  ],
  ['POST /v1/reverie/memory_stores/import', () => own.memoryStores.import({ file_id: id('file') })],
  [
    'POST /v1/reverie/agents/{agent_id}/outcome_model',
    () => own.outcomeModels.put(agent, { success_criteria: [{ text: 'It is right.' }] }),
  ],
  ['GET /v1/reverie/agents/{agent_id}/outcome_model', () => own.outcomeModels.retrieve(agent)],
  ['DELETE /v1/reverie/agents/{agent_id}/outcome_model', () => own.outcomeModels.delete(agent)],
  [
    'GET /v1/reverie/agents/{agent_id}/outcome_model/versions',
    () => own.outcomeModels.versions(agent),
  ],
  ['GET /v1/reverie/sessions/{session_id}/outcome_reports', () => own.outcomeReports.list(session)],
  [
    'GET /v1/reverie/sessions/{session_id}/outcome_reports/{outcome_report_id}',
    () => own.outcomeReports.retrieve(session, id('outcome_report')),
  ],
  ['GET /v1/reverie/dreams/{dream_id}/report', () => own.dreams.report(dream)],
  ['GET /v1/reverie/dreams/{dream_id}/changes', () => own.dreams.changes(dream)],
  ['POST /v1/reverie/dreams/{dream_id}/changes/accept_all', () => own.dreams.acceptAll(dream)],
  [
    'POST /v1/reverie/dreams/{dream_id}/changes/{change_id}',
    () => own.dreams.decide(dream, 'c0001', { decision: 'accept' }),
  ],
  [
    'POST /v1/reverie/dreams/{dream_id}/apply',
    () => own.dreams.apply(dream, { memory_store_id: store }),
  ],
  ['GET /v1/reverie/dreams/{dream_id}/applies', () => own.dreams.applies(dream)],
  [
    'POST /v1/reverie/dreams/{dream_id}/applies/{apply_id}/rollback',
    () => own.dreams.rollBack(dream, id('apply')),
  ],
  ['GET /v1/reverie/sessions/{session_id}/playbook_uses', () => own.playbookUses.list(session)],
  [
    'POST /v1/reverie/dream_schedules',
    () =>
      own.dreamSchedules.create({
        name: 'nightly',
        schedule: { type: 'cron', expression: '0 3 * * *', timezone: 'Europe/Berlin' },
        memory_store_id: store,
        model: 'claude-sonnet-5-5',
      }),
  ],
  ['GET /v1/reverie/dream_schedules', () => own.dreamSchedules.list()],
  [
    'GET /v1/reverie/dream_schedules/{dream_schedule_id}',
    () => own.dreamSchedules.retrieve(schedule),
  ],
  [
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}',
    () => own.dreamSchedules.update(schedule, {}),
  ],
  [
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/pause',
    () => own.dreamSchedules.pause(schedule),
  ],
  [
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/unpause',
    () => own.dreamSchedules.unpause(schedule),
  ],
  [
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/run',
    () => own.dreamSchedules.run(schedule),
  ],
  [
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/archive',
    () => own.dreamSchedules.archive(schedule),
  ],
  [
    'GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs',
    () => own.dreamSchedules.runs(schedule),
  ],
  [
    'GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs/{run_id}',
    () => own.dreamSchedules.retrieveRun(schedule, id('dream_schedule_run')),
  ],
  ['GET /v1/reverie/sessions/{session_id}/transcript', () => own.transcripts.read(session)],
  ['GET /v1/reverie/sessions/{session_id}/trace', () => own.sessions.trace(session)],
  [
    'GET /v1/reverie/sessions/{session_id}/files/history',
    () => own.sessions.fileHistory(session, '/tmp/a'),
  ],
  [
    'GET /v1/reverie/sessions/{session_id}/outcome_evaluations',
    () => own.verdicts.ofSession(session),
  ],
  [
    'GET /v1/reverie/sessions/{session_id}/outcome_evaluations/{evaluation_id}/transcript',
    () => own.verdicts.transcript(session, id('event')),
  ],
  ['GET /v1/reverie/agents/{agent_id}/verdicts', () => own.verdicts.list(agent)],
  ['GET /v1/reverie/agents/{agent_id}/verdicts/summary', () => own.verdicts.summary(agent)],
  ['POST /v1/reverie/api_keys', () => own.apiKeys.create({ name: 'k' })],
  ['GET /v1/reverie/api_keys', () => own.apiKeys.list()],
  ['GET /v1/reverie/api_keys/{api_key_id}', () => own.apiKeys.retrieve(id('api_key'))],
  ['DELETE /v1/reverie/api_keys/{api_key_id}', () => own.apiKeys.revoke(id('api_key'))],
];

test('every route of our own is a method', () => {
  const ours = Object.keys(routes).filter((name) => name.includes(' /v1/reverie/'));
  expect(calls.map(([route]) => route).toSorted()).toEqual(ours.toSorted());
});

test.each(calls)('%s is reached, and nothing of the request is refused', async (route, call) => {
  door.log.length = 0;
  const status = await Promise.resolve(call()).then(
    () => 200,
    (error: { status?: number }) => error.status,
  );
  expect(door.log.map((line) => line['route'])).toContain(route);
  // What it names does not exist; that it is asked for rightly is all that can be seen here.
  expect([200, 404]).toContain(status);
});

test('a list is one page when it is awaited, and all of it when it is iterated', async () => {
  const { id: agent_id } = await client.beta.agents.create({ name: 'A', model: 'claude-opus-5-5' });
  for (const text of ['one', 'two', 'three']) {
    await own.outcomeModels.put(agent_id, { success_criteria: [{ text }] });
  }
  const first = await own.outcomeModels.versions(agent_id, { limit: 2 });
  expect(first.data.map(({ version }) => version)).toEqual([3, 2]);
  const next = await own.outcomeModels.versions(agent_id, { limit: 2, page: first.next_page });
  expect(next).toMatchObject({ data: [{ version: 1 }], next_page: null });
  const all = await collect(own.outcomeModels.versions(agent_id, { limit: 1 }));
  expect(all.map(({ version }) => version)).toEqual([3, 2, 1]);
});

test('what changes something is done once under one key', async () => {
  const { id: agent_id } = await client.beta.agents.create({ name: 'A', model: 'claude-opus-5-5' });
  const body = { success_criteria: [{ text: 'It is right.' }] };
  const once = { idempotencyKey: 'once' };
  const first = await own.outcomeModels.put(agent_id, body, once);
  await own.outcomeModels.put(agent_id, { success_criteria: [{ text: 'It is new.' }] });
  expect(await own.outcomeModels.put(agent_id, body, once)).toEqual(first);
  expect(await own.outcomeModels.retrieve(agent_id)).toMatchObject({ version: 2 });
  const other = own.outcomeModels.put(agent_id, { success_criteria: [{ text: 'x' }] }, once);
  await expect(other).rejects.toMatchObject({ status: 409 });
});
