/** Dreams as a resource, through the SDK: what is refused, what is shown, and which way a status goes. */
import type { DreamCreateParams } from '@anthropic-ai/sdk/resources/beta/dreams';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { dreamKey } from '#shared/dreams/dream.ts';
import { dream_models } from '#shared/dreams/dream-wire.ts';
import { listPrice } from '#shared/models/prices.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { putSession } from '../../sessions.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';

let door: StartedDoor;
let checked: CheckedClient;
let store_id: string;
let sessions: string[];

beforeAll(async () => {
  door = await startDoor();
  checked = checkedClient(door.baseURL, admin_key, { maxRetries: 0 });
  store_id = (await checked.client.beta.memoryStores.create({ name: 'input' })).id;
  const agent = await checked.client.beta.agents.create({ name: 'a', model: 'claude-sonnet-5-5' });
  const environment = await checked.client.beta.environments.create({
    name: 'e',
    config: { type: 'cloud' },
  });
  sessions = [];
  for (let n = 0; n < 3; n++) {
    const made = { agent: agent.id, environment_id: environment.id };
    sessions.push((await checked.client.beta.sessions.create(made)).id);
  }
});
afterAll(async () => {
  expect(checked.violations).toEqual([]);
  await door.stop();
});

const dreams = () => checked.client.beta.dreams;

function inputs(
  session_ids: readonly string[] = sessions,
  memory_store_id = store_id,
): DreamCreateParams['inputs'] {
  return [
    { type: 'sessions', session_ids: [...session_ids] },
    { type: 'memory_store', memory_store_id },
  ];
}

const params = (more: Partial<DreamCreateParams> = {}): DreamCreateParams => ({
  inputs: inputs(),
  model: 'claude-opus-5-5',
  ...more,
});

/** What a task of the machine would write. */
async function become(id: string, status: string): Promise<void> {
  await door.ports.table.update({
    update: dreamKey(id),
    expression: 'SET #status = :status',
    names: { '#status': 'status' },
    values: { ':status': status },
  });
}

test('a new dream is pending, shows its inputs in order, and its machine is started', async () => {
  const made = await dreams().create(params({ inputs: inputs(sessions.toReversed()) }));
  expect(made).toEqual({
    id: expect.stringMatching(/^drm_[0-9A-Z]{26}$/),
    type: 'dream',
    status: 'pending',
    inputs: [
      { type: 'memory_store', memory_store_id: store_id },
      { type: 'sessions', session_ids: sessions.toSorted() },
    ],
    model: { id: 'claude-opus-5-5', speed: 'standard' },
    instructions: null,
    output_behavior: { type: 'create_new' },
    outputs: [],
    session_id: null,
    error: null,
    usage: {
      input_tokens: 0,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    },
    created_at: expect.any(String),
    ended_at: null,
    archived_at: null,
  });
  expect(door.ports.dreams.started.at(-1)).toEqual({
    name: `${made.id}-1`,
    input: { dream_id: made.id, run: 1 },
  });
  expect(await dreams().retrieve(made.id)).toEqual(made);
});

test('what was asked for is shown as it was asked for', async () => {
  const made = await dreams().create(
    params({
      model: { id: 'claude-sonnet-4-6', speed: 'standard' },
      instructions: 'x'.repeat(4_096),
      betas: ['message-batches-2024-09-24'],
    }),
  );
  expect(made).toMatchObject({
    model: { id: 'claude-sonnet-4-6', speed: 'standard' },
    instructions: 'x'.repeat(4_096),
  });
  const null_speed = await dreams().create(
    params({ model: { id: 'claude-opus-5', speed: null }, instructions: null }),
  );
  expect(null_speed.model).toEqual({ id: 'claude-opus-5', speed: 'standard' });
});

const memory_store = { type: 'memory_store' as const, memory_store_id: 'memstore_x' };
const one_session = { type: 'sessions' as const, session_ids: ['sesn_x'] };
const refusals: [title: string, body: unknown, message: RegExp][] = [
  ['no inputs', { inputs: [] }, /inputs: must hold exactly one/],
  ['no sessions', { inputs: [memory_store] }, /inputs: must hold exactly one/],
  ['no store', { inputs: [one_session] }, /inputs: must hold exactly one/],
  ['two stores', { inputs: [memory_store, memory_store, one_session] }, /exactly one/],
  ['twice sessions', { inputs: [memory_store, one_session, one_session] }, /exactly one/],
  ['another input', { inputs: [{ type: 'file' }] }, /inputs\.0/],
  [
    'no ids',
    { inputs: [memory_store, { type: 'sessions', session_ids: [] }] },
    /session_ids: must have at least 1 item/,
  ],
  [
    '101 ids',
    {
      inputs: [
        memory_store,
        { type: 'sessions', session_ids: Array.from({ length: 101 }, (_, n) => `sesn_${n}`) },
      ],
    },
    /session_ids: must have at most 100 items/,
  ],
  [
    'an id twice',
    { inputs: [memory_store, { type: 'sessions', session_ids: ['sesn_x', 'sesn_x'] }] },
    /session_ids: must not name a session twice/,
  ],
  ['a model that does not dream', { model: 'claude-haiku-5-5' }, /model.*does not dream/],
  ['a fast model', { model: { id: 'claude-opus-5-5', speed: 'fast' } }, /speed/],
  ['no model', { model: undefined }, /model/],
  ['empty instructions', { instructions: '' }, /instructions: must have at least 1 character/],
  ['long instructions', { instructions: 'x'.repeat(4_097) }, /at most 4096 characters/],
  [
    'another target',
    { output_behavior: { type: 'update_existing', memory_store_id: 'memstore_y' } },
    /output_behavior\.memory_store_id: must be the memory store of inputs/,
  ],
  ['another behavior', { output_behavior: { type: 'merge' } }, /output_behavior/],
  ['an unknown field', { mode: 'review' }, /mode: unknown field/],
];

test.each(refusals)('%s is a 400 that says so', async (_, body, message) => {
  const before = door.ports.dreams.started.length;
  const error = await dreams()
    .create(params(body as Partial<DreamCreateParams>))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ status: 400 });
  expect(String(error)).toMatch(message);
  expect(door.ports.dreams.started).toHaveLength(before);
});

test('inputs must be there: unknown ones are 404, also a deleted session and another workspace', async () => {
  const stranger = await putSession({ ...door.ports } as never, {
    request_id: '',
    workspace_id: `wrkspc_${'1'.repeat(24)}`,
    api_key_id: '',
    scopes: [],
  });
  const gone = sessions[0] ?? '';
  const deleted = newId('session');
  const row = await door.ports.table.get(sessionKey(gone));
  await door.ports.table.transact([
    { put: { ...row, ...sessionKey(deleted), session_id: deleted, deleted_at: '2026-01-01' } },
  ]);
  const unknown = [
    inputs(sessions, newId('memory_store')),
    inputs(sessions, 'memstore_'),
    inputs([...sessions, newId('session')]),
    inputs(['sesn_']),
    inputs([deleted]),
    inputs([stranger.session_id]),
  ];
  for (const each of unknown) {
    await expect(dreams().create(params({ inputs: each }))).rejects.toMatchObject({ status: 404 });
  }
});

test('an archived store does not dream; archived sessions do', async () => {
  const store = await checked.client.beta.memoryStores.create({ name: 'archived' });
  await checked.client.beta.memoryStores.archive(store.id);
  const refused = dreams().create(params({ inputs: inputs(sessions, store.id) }));
  await expect(refused).rejects.toMatchObject({ status: 400 });
  await checked.client.beta.sessions.archive(sessions[2] ?? '');
  await dreams().create(params());
});

test('one dream at a time writes into a store, and the refusal names it and is not retried', async () => {
  const store = await checked.client.beta.memoryStores.create({ name: 'held' });
  const wanted = params({
    inputs: inputs(sessions, store.id),
    output_behavior: { type: 'update_existing', memory_store_id: store.id },
  });
  const first = await dreams().create(wanted);
  expect(first.output_behavior).toEqual(wanted.output_behavior);
  const error = (await dreams()
    .create(wanted)
    .catch((thrown: unknown) => thrown)) as { status: number; headers: Headers; error: unknown };
  expect(error.status).toBe(409);
  expect(error.headers.get('x-should-retry')).toBe('false');
  expect(error.error).toMatchObject({
    error: { type: 'conflict_error', message: expect.stringContaining(first.id) },
  });
  // A copy holds nothing; and canceling alone does not free the store: its tasks may still write.
  await dreams().create(params({ inputs: inputs(sessions, store.id) }));
  await dreams().cancel(first.id);
  await expect(dreams().create(wanted)).rejects.toMatchObject({ status: 409 });
});

test.each(['pending', 'running'])('a dream that is %s is canceled, once', async (status) => {
  const { id } = await dreams().create(params());
  await become(id, status);
  await expect(dreams().archive(id)).rejects.toMatchObject({ status: 400 });
  const canceled = await dreams().cancel(id);
  expect(canceled).toMatchObject({ status: 'canceled', ended_at: expect.any(String) });
  await sleep(2);
  expect(await dreams().cancel(id)).toEqual(canceled);
  expect(await dreams().retrieve(id)).toEqual(canceled);
});

test.each(['completed', 'failed'])('a dream that has %s cannot be canceled', async (status) => {
  const { id } = await dreams().create(params());
  await become(id, status);
  await expect(dreams().cancel(id)).rejects.toMatchObject({ status: 400 });
  const archived = await dreams().archive(id);
  expect(archived).toMatchObject({ status, archived_at: expect.any(String) });
  await sleep(2);
  expect(await dreams().archive(id)).toEqual(archived);
  expect(await dreams().retrieve(id)).toEqual(archived);
});

test('dreams are listed newest first, by status and time, without archived ones', async () => {
  const made: string[] = [];
  const times: string[] = [];
  for (const status of ['running', 'canceled', 'completed', 'pending']) {
    await sleep(2);
    const { id, created_at } = await dreams().create(params());
    await become(id, status);
    made.push(id);
    times.push(created_at);
  }
  await dreams().archive(made[2] ?? '');
  const after = new Date(Date.parse(times[0] ?? '') - 1).toISOString();
  const listed = async (query: Parameters<ReturnType<typeof dreams>['list']>[0]) =>
    (await collect(dreams().list({ 'created_at[gt]': after, ...query }))).map(({ id }) =>
      made.indexOf(id),
    );
  expect(await listed({})).toEqual([3, 1, 0]);
  expect(await listed({ limit: 1 })).toEqual([3, 1, 0]);
  expect(await listed({ include_archived: true })).toEqual([3, 2, 1, 0]);
  expect(await listed({ statuses: ['running', 'pending'] })).toEqual([3, 0]);
  expect(await listed({ 'created_at[gt]': times[0] ?? '' })).toEqual([3, 1]);
  expect(await listed({ 'created_at[lt]': times[3] ?? '' })).toEqual([1, 0]);
});

test('a dream of another workspace is missing', async () => {
  const mine = await dreams().create(params());
  const response = await fetch(`${door.baseURL}/v1/reverie/api_keys`, {
    method: 'POST',
    headers: { 'x-api-key': admin_key, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'other',
      workspace_id: `wrkspc_${'1'.repeat(24)}`,
      scopes: ['read', 'write'],
    }),
  });
  const { secret } = (await response.json()) as { secret: string };
  const other = checkedClient(door.baseURL, secret, { maxRetries: 0 }).client.beta.dreams;
  for (const ask of ['retrieve', 'cancel', 'archive'] as const) {
    await expect(other[ask](mine.id)).rejects.toMatchObject({ status: 404 });
  }
  expect(await collect(other.list())).toEqual([]);
  expect(await dreams().retrieve(mine.id)).toEqual(mine);
});

test('a repeated creation is one dream, started once', async () => {
  const options = { headers: { 'Idempotency-Key': 'dream-once' } };
  const first = await dreams().create(params(), options);
  const started = door.ports.dreams.started.length;
  expect(await dreams().create(params(), options)).toEqual(first);
  expect(door.ports.dreams.started).toHaveLength(started);
});

test('every model that dreams has a list price, so that a dream knows what it has cost', () => {
  expect(dream_models.filter((id) => listPrice(id, {}) === null)).toEqual([]);
});
