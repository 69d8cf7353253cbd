// Goal: an operation that the table calls implemented is answered as the SDK declares it. Method: one
// session's life through the checked client; at its end every implemented operation has been called.
import { toFile } from '@anthropic-ai/sdk';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHost, type Host } from '../../infra/local/host.ts';
import { startModel, type ScriptedModel } from '../model/model.ts';
import { call, calls, refuse, reply, say, think } from '../model/replies.ts';
import { checkedClient, type CheckedClient } from '../wire/checked-client.ts';
import { compatibility } from './table.ts';

const key = 'every-operation';
let model: ScriptedModel;
let host: Host;
let checked: CheckedClient;
let data_dir: string;

beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'every-operation-'));
  model = await startModel();
  host = await startHost({
    data_dir,
    admin_key: key,
    model: { api_key: 'test', base_url: model.url },
    is_warmed: false,
  });
  checked = checkedClient(host.base_url, key, { maxRetries: 0 });
});

afterAll(async () => {
  await host.stop();
  await model.close();
  await rm(data_dir, { recursive: true, force: true });
});

/** Send a text, follow the turn on an open stream, and say which events it had. */
async function turn(session_id: string, text: string, thread_id?: string): Promise<string[]> {
  const { events, threads } = checked.client.beta.sessions;
  const stream =
    thread_id === undefined
      ? await events.stream(session_id, { event_deltas: ['agent.message'] })
      : await threads.events.stream(thread_id, { session_id });
  await events.send(session_id, {
    events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
  });
  const end = thread_id === undefined ? 'session.status_idle' : 'session.thread_status_idle';
  const types: string[] = [];
  for await (const { type } of stream) {
    types.push(type);
    if (type === end) return types;
  }
  throw new Error('the stream ended before the session was idle');
}

test('agents and environments are created, read, changed, listed and put away', async () => {
  const { agents, environments } = checked.client.beta;
  const agent = await agents.create({ name: 'one', model: 'claude-sonnet-5-5' });
  await agents.retrieve(agent.id);
  await agents.update(agent.id, { version: 1, description: 'changed' });
  await agents.list();
  await agents.versions.list(agent.id);
  await agents.archive(agent.id);
  const environment = await environments.create({ name: 'one', config: { type: 'cloud' } });
  await environments.retrieve(environment.id);
  await environments.update(environment.id, { description: 'changed' });
  await environments.list();
  await environments.archive(environment.id);
  const other = await environments.create({ name: 'two' });
  await environments.delete(other.id);
  expect(checked.violations).toEqual([]);
});

test('a memory store is filled, read, changed, emptied and put away', async () => {
  const stores = checked.client.beta.memoryStores;
  const store = await stores.create({ name: 'one', metadata: { team: 'test' } });
  const place = { memory_store_id: store.id };
  await stores.retrieve(store.id);
  await stores.update(store.id, { description: 'changed' });
  await stores.list({ limit: 1 });
  const content = 'x'.repeat(10_000);
  const memory = await stores.memories.create(store.id, { path: '/a/b', content, view: 'full' });
  await stores.memories.retrieve(memory.id, place);
  await stores.memories.update(memory.id, { ...place, path: '/c' });
  await stores.memories.list(store.id, { depth: 1, view: 'full' });
  await stores.memories.delete(memory.id, place);
  await stores.memoryVersions.list(store.id, { memory_id: memory.id, view: 'full' });
  await stores.memoryVersions.retrieve(memory.memory_version_id, place);
  await stores.memoryVersions.redact(memory.memory_version_id, place);
  await stores.archive(store.id);
  await stores.delete(store.id);
  expect(checked.violations).toEqual([]);
});

test('a session lives from its first message to its end', async () => {
  const { agents, environments, sessions } = checked.client.beta;
  const agent = await agents.create({
    name: 'worker',
    model: { id: 'claude-sonnet-5-5', effort: 'high' },
    system: 'You work.',
    tools: [
      {
        type: 'agent_toolset_20260401',
        configs: [{ name: 'write', permission_policy: { type: 'always_ask' } }],
      },
      {
        type: 'custom',
        name: 'lookup',
        description: 'Looks up.',
        input_schema: { type: 'object' },
      },
    ],
    metadata: { team: 'test' },
  });
  const environment = await environments.create({
    name: 'limited',
    config: { type: 'cloud', networking: { type: 'limited', allowed_hosts: ['example.com'] } },
  });
  const session = await sessions.create({
    agent: { type: 'agent', id: agent.id, version: 1 },
    environment_id: environment.id,
    title: 'All of it',
    budget: { type: 'limit', max_list_cost: { amount: '5000', currency: 'USD' } },
  });
  model.on(
    'tools',
    reply(
      think('hm'),
      say('I look.'),
      calls(['bash', { command: 'echo hi' }], ['glob', { pattern: '*' }]),
    ),
    say('Done.'),
    reply(call('write', { file_path: '/tmp/a', content: 'x' }), call('lookup', { id: 1 })),
    say('Both answered.'),
    refuse('cyber', 'no'),
  );
  expect(await turn(session.id, 'use tools')).toContain('event_delta');

  expect(await turn(session.id, 'ask me')).toContain('agent.custom_tool_use');
  const asked = await sessions.events.list(session.id, {
    types: ['agent.tool_use', 'agent.custom_tool_use'],
    order: 'desc',
    limit: 2,
  });
  await sessions.events.send(session.id, {
    events: asked.data.map(({ id, type }) =>
      type === 'agent.tool_use'
        ? { type: 'user.tool_confirmation', tool_use_id: id, result: 'deny', deny_message: 'no' }
        : {
            type: 'user.custom_tool_result',
            custom_tool_use_id: id,
            content: [{ type: 'text', text: '1' }],
          },
    ),
  });
  await expect.poll(async () => (await sessions.retrieve(session.id)).status).toBe('idle');

  const { data } = await sessions.threads.list(session.id);
  const thread_id = data[0]?.id ?? '';
  await sessions.threads.retrieve(thread_id, { session_id: session.id });
  expect(await turn(session.id, 'refuse me', thread_id)).toContain('span.model_request_end');
  await expect.poll(async () => (await sessions.retrieve(session.id)).status).toBe('idle');
  await sessions.threads.events.list(thread_id, { session_id: session.id });
  const all = await sessions.events.list(session.id);
  expect(all.data.some(({ type }) => type === 'agent.thinking')).toBe(true);

  const archived = sessions.threads.archive(thread_id, { session_id: session.id });
  await expect(archived).rejects.toMatchObject({ status: 400 });

  await sessions.update(session.id, { title: 'Changed', metadata: { a: 'b' } });
  await sessions.list({ agent_id: agent.id, statuses: ['idle'], limit: 1 });
  await sessions.archive(session.id);
  await sessions.delete(session.id);
  expect(checked.violations).toEqual([]);
  expect(model.violations).toEqual([]);
});

test('a dream lives from its creation to its archive', async () => {
  const { agents, environments, dreams, memoryStores, sessions } = checked.client.beta;
  const agent = await agents.create({ name: 'dreamt of', model: 'claude-sonnet-5-5' });
  const environment = await environments.create({ name: 'dreams', config: { type: 'cloud' } });
  const session = await sessions.create({ agent: agent.id, environment_id: environment.id });
  const store = await memoryStores.create({ name: 'dreams' });
  const dream = await dreams.create({
    inputs: [
      { type: 'memory_store', memory_store_id: store.id },
      { type: 'sessions', session_ids: [session.id] },
    ],
    model: { id: 'claude-sonnet-5-5', speed: 'standard' },
    instructions: 'Keep it short.',
  });
  // The session is empty: the dream has nobody to ask and may have ended before it is canceled.
  await dreams.cancel(dream.id).catch((error: unknown) => {
    expect(error).toMatchObject({ status: 400 });
  });
  await dreams.retrieve(dream.id);
  await dreams.list({ statuses: ['canceled', 'completed'], limit: 1 });
  await dreams.archive(dream.id);
  expect(checked.violations).toEqual([]);
});

test('a session works with files, stores and repositories', async () => {
  const { agents, environments, files, memoryStores, sessions } = checked.client.beta;
  const agent = await agents.create({ name: 'mounted', model: 'claude-sonnet-5-5' });
  const environment = await environments.create({ name: 'mounted' });
  const file = await files.upload({ file: await toFile(Buffer.from('a,b'), 'data.csv') });
  const store = await memoryStores.create({ name: 'Notes' });
  const session = await sessions.create({
    agent: agent.id,
    environment_id: environment.id,
    resources: [
      { type: 'memory_store', memory_store_id: store.id },
      { type: 'github_repository', url: 'https://github.com/octo/hello', authorization_token: 'x' },
    ],
  });
  const session_id = session.id;
  const { resources } = sessions;
  const added = await resources.add(session_id, { type: 'file', file_id: file.id });
  const { data } = await resources.list(session_id);
  expect(data.map(({ type }) => type)).toEqual(['memory_store', 'github_repository', 'file']);
  await resources.retrieve(added.id, { session_id });
  await resources.retrieve(store.id, { session_id });
  const repository = data[1] !== undefined && 'id' in data[1] ? data[1].id : '';
  await resources.update(repository, { session_id, authorization_token: 'y' });
  await sessions.retrieve(session_id);
  await sessions.list({ memory_store_id: store.id });
  await resources.delete(added.id, { session_id });
  await sessions.delete(session_id);
  expect(checked.violations).toEqual([]);
});

test('files are uploaded, listed, handed over, downloaded and deleted', async () => {
  const { agents, environments, files, sessions } = checked.client.beta;
  const file = await files.upload({ file: await toFile(Buffer.from('a,b'), 'data.csv') });
  await files.retrieveMetadata(file.id);
  await files.list({ ids: [file.id] });
  await files.delete(file.id);
  const agent = await agents.create({
    name: 'writer',
    model: 'claude-sonnet-5-5',
    tools: [{ type: 'agent_toolset_20260401' }],
  });
  const environment = await environments.create({ name: 'writer' });
  const session = await sessions.create({ agent: agent.id, environment_id: environment.id });
  const output = { file_path: '/mnt/session/outputs/a.txt', content: 'done' };
  model.on('hand over', call('write', output), say('There it is.'));
  await turn(session.id, 'hand over');
  const { data } = await files.list({ scope_id: session.id });
  const response = await files.download(data[0]?.id ?? '');
  expect(await response.text()).toBe('done');
  expect(checked.violations).toEqual([]);
});

test.each([
  ['an unknown session', 404, 'not_found_error', 'sessions/sesn_00000000000000000000000000'],
  ['an id of no form', 404, 'not_found_error', 'agents/nothing'],
  ['a route that is not there', 404, 'not_found_error', 'no_such_thing'],
  ['a page that is not one', 400, 'invalid_request_error', 'agents?page=nonsense'],
])('%s is answered %i %s in the envelope', async (_, status, type, path) => {
  const failed = checked.client.get(`/v1/${path}`);
  await expect(failed).rejects.toMatchObject({ status, error: { error: { type } } });
  expect(checked.violations).toEqual([]);
});

test('every operation that the table calls implemented has been called', () => {
  const called = new Set(checked.calls.map((each) => each.call));
  const implemented = compatibility().operations.filter((row) => row.implemented);
  expect(implemented.map((row) => row.call).filter((name) => !called.has(name))).toEqual([]);
});
