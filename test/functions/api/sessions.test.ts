import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsUserMessageEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { primaryThreadId } from '#shared/core/id.ts';
import { environmentKey } from '#shared/environments/environment.ts';
import { changeSession } from '#shared/sessions/session-change.ts';
import { configKey, sessionKey, sessionPrefix } from '#shared/sessions/session.ts';
import { noUsage, threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { startPatch } from '#shared/events/send-plan.ts';
import { settle } from '#shared/turn/settle.ts';
import { checkedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from './door.ts';

/**
 * Sessions, their threads and events over HTTP, through the official SDK, with every answer held
 * against its own types. No step runs here: what a turn does to the rows is done by the test.
 */

let door: StartedDoor;
let client: Anthropic;
let sessions: Anthropic['beta']['sessions'];
let agent_id: string;
let environment_id: string;

beforeAll(async () => {
  door = await startDoor();
  ({ client } = checkedClient(door.baseURL, admin_key));
  ({ sessions } = client.beta);
  agent_id = (await client.beta.agents.create({ name: 'Ada', model: 'claude-opus-5-5' })).id;
  environment_id = (await client.beta.environments.create({ name: 'here' })).id;
});

afterAll(async () => {
  await door.stop();
});

async function create(params: Partial<SessionCreateParams> = {}) {
  return await sessions.create({ agent: agent_id, environment_id, ...params });
}

const message: BetaManagedAgentsUserMessageEventParams = {
  type: 'user.message',
  content: [{ type: 'text', text: 'hello' }],
};

async function headOf(session_id: string): Promise<ThreadHead> {
  return (await door.ports.table.get(threadKey(primaryThreadId(session_id)))) as ThreadHead;
}

/** What a step does at the end of a turn. */
async function endTurn(
  session_id: string,
  reason: 'end_turn' | 'budget_reached' = 'end_turn',
  cost_microcents = 0,
): Promise<void> {
  const head = await headOf(session_id);
  const bill = { usage: {}, budget: null };
  const now = door.ports.clock.now();
  const { lines, patch, session } = settle(head, { reason: { type: reason } }, bill, now);
  const append = await prepareAppend(door.ports, head, lines, { ...patch, queue: [] });
  const usage = { ...session?.usage, cost_microcents };
  const change = changeSession(session_id, { ...session, usage }, now.toISOString());
  await door.ports.table.transact([...append.writes, change]);
}

async function startTurn(session_id: string): Promise<void> {
  const head = await headOf(session_id);
  const at = door.ports.clock.now().toISOString();
  const run = head.run + 1;
  const append = await prepareAppend(door.ports, head, [], startPatch(run, at));
  const change = changeSession(session_id, { status: 'running', start: { run, at } }, at);
  await door.ports.table.transact([...append.writes, change]);
}

describe('create', () => {
  test('without events it is idle and nothing is started', async () => {
    const before = door.ports.runs.started.length;
    const session = await create({ title: 'First', metadata: { team: 'blue' } });
    expect(session).toMatchObject({
      status: 'idle',
      title: 'First',
      metadata: { team: 'blue' },
      agent: { id: agent_id, version: 1, name: 'Ada' },
      environment_id,
      archived_at: null,
      budget: null,
      resources: [],
      vault_ids: [],
      outcome_evaluations: [],
      usage: { input_tokens: 0, list_cost: { amount: '0', currency: 'USD' } },
    });
    const read = await sessions.retrieve(session.id);
    expect({ ...read, stats: session.stats }).toEqual(session);
    expect(door.ports.runs.started.length).toBe(before);
  });

  test('with events it runs, its first run is started, and the events wait in order', async () => {
    const session = await create({ initial_events: [message, message] });
    expect(session.status).toBe('running');
    const thread_id = primaryThreadId(session.id);
    expect(door.ports.runs.started).toContainEqual({ session_id: session.id, thread_id, run: 1 });
    const events = await collect(sessions.events.list(session.id));
    expect(events).toMatchObject([
      { type: 'user.message', processed_at: null },
      { type: 'user.message', processed_at: null },
    ]);
    const row = await door.ports.table.get(sessionKey(session.id));
    expect(row).toMatchObject({ gsi2pk: 'RUNNING', run: 1 });
  });

  test('takes all three forms of an agent, and keeps the version', async () => {
    const agent = await client.beta.agents.create({ name: 'Bob', model: 'claude-opus-5-5' });
    await client.beta.agents.update(agent.id, { system: 'Second' });
    const newest = await create({ agent: agent.id });
    const pinned = await create({ agent: { type: 'agent', id: agent.id, version: 1 } });
    const overridden = await create({
      agent: { type: 'agent_with_overrides', id: agent.id, system: 'Mine' },
    });
    expect(newest.agent).toMatchObject({ version: 2, system: 'Second' });
    expect(pinned.agent).toMatchObject({ version: 1, system: null });
    expect(overridden.agent).toMatchObject({ version: 2, system: 'Mine' });
    await client.beta.agents.update(agent.id, { system: 'Third' });
    expect((await sessions.retrieve(newest.id)).agent.system).toBe('Second');
  });

  test('a start that is lost does not fail it: the row says that it runs', async () => {
    const { runs } = door.ports;
    const start = runs.start.bind(runs);
    runs.start = async () => await Promise.reject(new Error('lost'));
    const session = await create({ initial_events: [message] });
    runs.start = start;
    expect(session.status).toBe('running');
    expect((await sessions.retrieve(session.id)).status).toBe('running');
  });

  test('a repeat under one Idempotency-Key makes one session and counts the environment once', async () => {
    const environment = await client.beta.environments.create({ name: 'counted' });
    const params = { agent: agent_id, environment_id: environment.id, initial_events: [message] };
    const options = { headers: { 'idempotency-key': 'once' } };
    const made = await Promise.all(
      Array.from({ length: 5 }, async () => await sessions.create(params, options)),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const started = door.ports.runs.started.filter(({ session_id }) => session_id === made[0]?.id);
    expect(started.length).toBe(1);
    expect(await door.ports.table.get(environmentKey(environment.id))).toMatchObject({
      sessions_count: 1,
    });
  });

  const refusals: [string, object, RegExp][] = [
    ['an unknown agent', { agent: 'agent_00000000000000000000000000' }, /404/],
    ['an unknown environment', { environment_id: 'env_00000000000000000000000000' }, /404/],
    ['an id of no form', { environment_id: 'nonsense' }, /404/],
    [
      'files',
      { resources: [{ type: 'file', file_id: 'file_1' }] },
      /400.*resources.*not built yet/,
    ],
    ['vaults', { vault_ids: ['vlt_1'] }, /400.*vault_ids.*not built yet/],
    [
      'a system message as first event',
      { initial_events: [{ type: 'system.message', content: [] }] },
      /400.*initial_events\.0/,
    ],
    ['an unknown field', { colour: 'blue' }, /400.*colour: unknown field/],
    [
      '17 pairs of metadata',
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v'])) },
      /400.*metadata/,
    ],
    [
      'a budget with leading zeros',
      { budget: { type: 'limit', max_list_cost: { amount: '0100', currency: 'USD' } } },
      /400.*whole cents/,
    ],
    [
      'a budget of nothing',
      { budget: { type: 'limit', max_list_cost: { amount: '0', currency: 'USD' } } },
      /400.*whole cents/,
    ],
    [
      'a budget in fractions',
      { budget: { type: 'limit', max_list_cost: { amount: '1.5', currency: 'USD' } } },
      /400.*whole cents/,
    ],
    [
      'a budget in euros',
      { budget: { type: 'limit', max_list_cost: { amount: '100', currency: 'EUR' } } },
      /400.*'USD'/,
    ],
  ];

  test.each(refusals)('%s is refused', async (_title, params, text) => {
    await expect(create(params as Partial<SessionCreateParams>)).rejects.toThrow(text);
  });

  test('a budget needs a model with a list price', async () => {
    const odd = await client.beta.agents.create({ name: 'Odd', model: 'my-own-model' });
    const budget = { type: 'limit', max_list_cost: { amount: '100', currency: 'USD' } } as const;
    await expect(create({ agent: odd.id, budget })).rejects.toThrow(
      /model_not_budgetable|no list price/,
    );
    expect((await create({ budget })).budget).toEqual(budget);
  });

  test('an archived agent or environment is refused', async () => {
    const agent = await client.beta.agents.create({ name: 'Old', model: 'claude-opus-5-5' });
    await client.beta.agents.archive(agent.id);
    await expect(create({ agent: agent.id })).rejects.toThrow(/400.*archived/);
    const environment = await client.beta.environments.create({ name: 'old' });
    await client.beta.environments.archive(environment.id);
    await expect(create({ environment_id: environment.id })).rejects.toThrow(/400.*archived/);
  });

  test('a closed environment refuses an agent whose MCP server it would not reach', async () => {
    const closed = await client.beta.environments.create({
      name: 'closed',
      config: { type: 'cloud', networking: { type: 'limited', allowed_hosts: ['*.example.com'] } },
    });
    const agentWith = async (url: string) =>
      await client.beta.agents.create({
        name: 'Net',
        model: 'claude-opus-5-5',
        mcp_servers: [{ type: 'url', name: 'tools', url }],
        tools: [{ type: 'mcp_toolset', mcp_server_name: 'tools' }],
      });
    const outside = await agentWith('https://example.com/mcp');
    const inside = await agentWith('https://mcp.example.com/mcp');
    const to = { environment_id: closed.id };
    await expect(create({ ...to, agent: outside.id })).rejects.toThrow(/400.*'tools'/);
    expect((await create({ ...to, agent: inside.id })).status).toBe('idle');
  });
});

describe('update', () => {
  test('says in the log what changed and nothing else, and nothing when nothing did', async () => {
    const { id } = await create({ title: 'a', metadata: { keep: '1', drop: '2' } });
    const updated = await sessions.update(id, { title: 'b', metadata: { drop: null, add: '3' } });
    expect(updated).toMatchObject({ title: 'b', metadata: { keep: '1', add: '3' } });
    await sessions.update(id, { title: 'b', metadata: { add: '3' } });
    await sessions.update(id, {});
    await sessions.update(id, { title: null });
    const events = await collect(sessions.events.list(id));
    expect(events).toEqual([
      {
        id: expect.any(String),
        type: 'session.updated',
        processed_at: expect.any(String),
        title: 'b',
        metadata: { keep: '1', add: '3' },
      },
      {
        id: expect.any(String),
        type: 'session.updated',
        processed_at: expect.any(String),
        title: null,
      },
    ]);
    expect((await sessions.retrieve(id)).title).toBeNull();
  });

  test('tools are replaced while it is idle, refused whole while it runs', async () => {
    const { id } = await create();
    const tool = {
      type: 'custom',
      name: 'ask',
      description: 'Asks',
      input_schema: { type: 'object' },
    } as const;
    const updated = await sessions.update(id, { agent: { tools: [tool] } });
    expect(updated.agent.tools).toMatchObject([{ name: 'ask' }]);
    const [event] = await collect(sessions.events.list(id));
    expect(event).toMatchObject({ type: 'session.updated', agent: updated.agent });
    await startTurn(id);
    await expect(sessions.update(id, { title: 'x', agent: { tools: [] } })).rejects.toThrow(
      /400.*only be changed while the session is idle/,
    );
    expect((await sessions.retrieve(id)).title).toBeNull();
    expect((await sessions.update(id, { title: 'x' })).title).toBe('x');
  });

  test('vaults cannot be changed, and tools must fit', async () => {
    const { id } = await create();
    await expect(sessions.update(id, { vault_ids: [] })).rejects.toThrow(/400.*vault_ids/);
    await expect(
      sessions.update(id, { agent: { tools: [{ type: 'mcp_toolset', mcp_server_name: 'no' }] } }),
    ).rejects.toThrow(/400/);
  });

  const cents = (amount: string) =>
    ({ type: 'limit', max_list_cost: { amount, currency: 'USD' } }) as const;

  test('a budget is only raised above what was spent, removed for good, never added', async () => {
    const without = await create();
    await expect(sessions.update(without.id, { budget: cents('100') })).rejects.toThrow(
      /budget_create_only|only be set when a session is created/,
    );
    expect((await sessions.update(without.id, { budget: null })).budget).toBeNull();

    const { id } = await create({ budget: cents('100'), initial_events: [message] });
    await endTurn(id, 'end_turn', 50_000_000);
    await expect(sessions.update(id, { budget: cents('50') })).rejects.toThrow(/above what/);
    expect((await sessions.update(id, { budget: cents('51') })).budget).toEqual(cents('51'));
    expect((await sessions.update(id, { budget: null })).budget).toBeNull();
    await expect(sessions.update(id, { budget: cents('900') })).rejects.toThrow(/only be set/);
  });

  test.each([
    ['raised', { budget: cents('900') }],
    ['removed', { budget: null }],
  ])(
    'a session that stopped at its cap goes on by itself once that is %s',
    async (_title, params) => {
      const { id } = await create({ budget: cents('10'), initial_events: [message] });
      await endTurn(id, 'budget_reached', 11_000_000);
      expect((await sessions.retrieve(id)).status).toBe('idle');
      const updated = await sessions.update(id, params);
      expect(updated.status).toBe('running');
      const thread_id = primaryThreadId(id);
      expect(door.ports.runs.started).toContainEqual({ session_id: id, thread_id, run: 2 });
      expect(await headOf(id)).toMatchObject({ status: 'running', run: 2, stop_reason: null });
      expect(await sessions.retrieve(id)).toMatchObject({
        status: 'running',
        budget: params.budget,
      });
    },
  );

  test('racing updates are all kept', async () => {
    const { id } = await create();
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await sessions.update(id, { metadata: { [`k${n}`]: String(n) } });
      }),
    );
    const { metadata } = await sessions.retrieve(id);
    expect(Object.keys(metadata).toSorted()).toEqual(Array.from({ length: 8 }, (_, n) => `k${n}`));
  });
});

describe('archive', () => {
  test('is refused while it runs; then it is final, readable, and says so in the log', async () => {
    const { id } = await create({ initial_events: [message] });
    await expect(sessions.archive(id)).rejects.toThrow(/400.*cannot be archived/);
    await endTurn(id);
    const archived = await sessions.archive(id);
    expect(archived).toMatchObject({ status: 'terminated', archived_at: expect.any(String) });
    expect((await sessions.archive(id)).archived_at).toBe(archived.archived_at);
    const types = (await collect(sessions.events.list(id))).map(({ type }) => type);
    expect(types.slice(-2)).toEqual([
      'session.thread_status_terminated',
      'session.status_terminated',
    ]);
    await expect(sessions.events.send(id, { events: [message] })).rejects.toThrow(/400.*archived/);
    await expect(sessions.update(id, { title: 'x' })).rejects.toThrow(/400.*archived/);
    const [thread] = await collect(sessions.threads.list(id));
    expect(thread).toMatchObject({ status: 'terminated', archived_at: archived.archived_at });
  });
});

describe('delete', () => {
  test('is refused while it runs; then nothing of the session is left', async () => {
    const environment = await client.beta.environments.create({ name: 'given back' });
    const { id } = await create({ environment_id: environment.id, initial_events: [message] });
    await expect(sessions.delete(id)).rejects.toThrow(/400.*cannot be deleted/);
    await expect(client.beta.environments.delete(environment.id)).rejects.toThrow(/409/);
    await endTurn(id);
    await door.ports.blobs.put(`${sessionPrefix(id)}files/1`, 'content');
    await door.ports.table.transact([
      { put: { pk: `FILES#${id}`, sk: 'HEAD' } },
      { put: { pk: `FILES#${id}`, sk: 'F#/a' } },
    ]);
    expect(await sessions.delete(id)).toEqual({ id, type: 'session_deleted' });
    const partitions = [`SESSION#${id}`, `FILES#${id}`, `THREAD#${primaryThreadId(id)}`];
    for (const pk of partitions) {
      expect((await door.ports.table.query({ pk, from: ' ', to: '~' })).rows).toEqual([]);
    }
    expect([...door.ports.blobs.objects.keys()].filter((key) => key.includes(id))).toEqual([]);
    await client.beta.environments.delete(environment.id);
  });

  test('every route answers 404 from then on, whether swept or not', async () => {
    const { id } = await create();
    const thread_id = primaryThreadId(id);
    await door.ports.table.update({
      update: sessionKey(id),
      expression: 'SET deleted_at = :at',
      values: { ':at': '2026-11-20T00:00:00.000Z' },
    });
    const calls: (() => PromiseLike<unknown>)[] = [
      () => sessions.retrieve(id),
      () => sessions.update(id, { title: 'x' }),
      () => sessions.archive(id),
      () => sessions.delete(id),
      () => sessions.events.list(id),
      () => sessions.events.send(id, { events: [message] }),
      () => sessions.events.stream(id),
      () => sessions.threads.list(id),
      () => sessions.threads.retrieve(thread_id, { session_id: id }),
      () => sessions.threads.archive(thread_id, { session_id: id }),
      () => sessions.threads.events.list(thread_id, { session_id: id }),
      () => sessions.threads.events.stream(thread_id, { session_id: id }),
    ];
    for (const call of calls)
      await expect(call(), String(call)).rejects.toThrow(/404.*was not found/);
    expect((await collect(sessions.list())).map((session) => session.id)).not.toContain(id);
  });

  test('of racing deletions one deletes and gives the environment back once', async () => {
    const environment = await client.beta.environments.create({ name: 'raced' });
    const { id } = await create({ environment_id: environment.id });
    await create({ environment_id: environment.id });
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, async () => await sessions.delete(id)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await door.ports.table.get(environmentKey(environment.id))).toMatchObject({
      sessions_count: 1,
    });
  });
});

describe('list', () => {
  const ids: string[] = [];
  let workspace: Anthropic;
  let other_agent: string;

  beforeAll(async () => {
    const workspace_id = 'wrkspc_listlistlistlistlistlist';
    ({ client: workspace } = checkedClient(door.baseURL, admin_key, {
      defaultHeaders: { 'anthropic-workspace-id': workspace_id },
    }));
    const made = { name: 'L', model: 'claude-opus-5-5' };
    const agent = (await workspace.beta.agents.create(made)).id;
    other_agent = (await workspace.beta.agents.create(made)).id;
    const environment = (await workspace.beta.environments.create({ name: 'L' })).id;
    for (let n = 0; n < 12; n++) {
      const session = await workspace.beta.sessions.create({
        agent: n % 4 === 0 ? other_agent : agent,
        environment_id: environment,
        ...(n % 3 === 0 ? { initial_events: [message] } : {}),
      });
      ids.push(session.id);
      door.ports.clock.shift_ms += 10;
    }
    await workspace.beta.agents.update(other_agent, { system: 'two' });
    const { id } = await workspace.beta.sessions.create({
      agent: other_agent,
      environment_id: environment,
    });
    ids.push(id);
    await workspace.beta.sessions.archive(ids[1] ?? '');
  });

  const visible = () => ids.filter((id) => id !== ids[1]);

  test('pages put together are the whole list, for any limit and order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 14 }),
        fc.constantFrom('asc' as const, 'desc' as const),
        async (limit, order) => {
          const listed = await collect(workspace.beta.sessions.list({ limit, order }));
          const expected = order === 'asc' ? visible() : visible().toReversed();
          expect(listed.map(({ id }) => id)).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });

  test('prev_page leads back over the same pages, and is null on the first', async () => {
    const first = await workspace.beta.sessions.list({ limit: 4 });
    expect(first.prev_page).toBeNull();
    const second = await first.getNextPage();
    const third = await second.getNextPage();
    const back = await workspace.beta.sessions.list({ limit: 4, page: third.prev_page });
    expect(back.data.map(({ id }) => id)).toEqual(second.data.map(({ id }) => id));
    const start = await workspace.beta.sessions.list({ limit: 4, page: back.prev_page });
    expect(start.data.map(({ id }) => id)).toEqual(first.data.map(({ id }) => id));
    expect(start.prev_page).toBeNull();
  });

  test('filters by agent, version, status, time and what is archived', async () => {
    const list = async (query: Parameters<typeof workspace.beta.sessions.list>[0]) =>
      (await collect(workspace.beta.sessions.list({ order: 'asc', limit: 2, ...query }))).map(
        ({ id }) => id,
      );
    const pick = (...numbers: number[]) => numbers.map((n) => ids[n]);
    expect(await list({ agent_id: other_agent })).toEqual(pick(0, 4, 8, 12));
    expect(await list({ agent_id: other_agent, agent_version: 2 })).toEqual(pick(12));
    expect(await list({ statuses: ['running'] })).toEqual(pick(0, 3, 6, 9));
    expect(await list({ statuses: ['running', 'idle'] })).toEqual(visible());
    expect(await list({ statuses: ['terminated'] })).toEqual([]);
    expect(await list({ statuses: ['terminated'], include_archived: true })).toEqual(pick(1));
    expect(await list({ include_archived: true })).toEqual(ids);
    expect(await list({ agent_id: 'agent_00000000000000000000000000' })).toEqual([]);
    expect(await list({ deployment_id: 'depl_1' })).toEqual([]);
    expect(await list({ memory_store_id: 'memstore_1' })).toEqual([]);
    const { created_at } = await workspace.beta.sessions.retrieve(ids[5] ?? '');
    expect(await list({ 'created_at[gt]': created_at })).toEqual(ids.slice(6));
    expect(await list({ 'created_at[gte]': created_at })).toEqual(ids.slice(5));
    expect(await list({ 'created_at[lt]': created_at })).toEqual(pick(0, 2, 3, 4));
    expect(await list({ 'created_at[lte]': created_at })).toEqual(pick(0, 2, 3, 4, 5));
    await expect(list({ agent_version: 2 })).rejects.toThrow(/400.*agent_id/);
  });

  test('another workspace sees none of it, on any route', async () => {
    const id = ids[0] ?? '';
    const thread_id = primaryThreadId(id);
    expect((await collect(sessions.list({ agent_id: other_agent }))).length).toBe(0);
    const calls: (() => PromiseLike<unknown>)[] = [
      () => sessions.retrieve(id),
      () => sessions.update(id, { title: 'x' }),
      () => sessions.archive(id),
      () => sessions.delete(id),
      () => sessions.events.list(id),
      () => sessions.events.send(id, { events: [message] }),
      () => sessions.events.stream(id),
      () => sessions.threads.list(id),
      () => sessions.threads.retrieve(thread_id, { session_id: id }),
      () => sessions.threads.archive(thread_id, { session_id: id }),
      () => sessions.threads.events.list(thread_id, { session_id: id }),
      () => sessions.threads.events.stream(thread_id, { session_id: id }),
    ];
    for (const call of calls) await expect(call(), String(call)).rejects.toThrow(/404/);
  });
});

describe('threads', () => {
  test('a session has its primary thread, which cannot be archived', async () => {
    const session = await create({ initial_events: [message] });
    const thread_id = primaryThreadId(session.id);
    const threads = await collect(sessions.threads.list(session.id));
    expect(threads).toMatchObject([
      { id: thread_id, parent_thread_id: null, status: 'running', usage: null, archived_at: null },
    ]);
    const thread = await sessions.threads.retrieve(thread_id, { session_id: session.id });
    expect({ ...thread, stats: null }).toEqual({ ...threads[0], stats: null });
    expect(await collect(sessions.threads.list(session.id, { statuses: ['idle'] }))).toEqual([]);
    const path = { session_id: session.id };
    await expect(sessions.threads.archive(thread_id, path)).rejects.toThrow(/400.*primary/);
    expect(await collect(sessions.threads.events.list(thread_id, path))).toEqual(
      await collect(sessions.events.list(session.id)),
    );
    await endTurn(session.id);
    const rested = await sessions.threads.retrieve(thread_id, path);
    expect(rested).toMatchObject({ status: 'idle', usage: { input_tokens: 0 } });
  });

  test('before the first turn it has neither stats nor usage', async () => {
    const { id } = await create();
    const [thread] = await collect(sessions.threads.list(id));
    expect(thread).toMatchObject({ stats: null, usage: null, status: 'idle' });
  });

  test("another session's thread is not found", async () => {
    const [one, two] = [await create(), await create()];
    await expect(
      sessions.threads.retrieve(primaryThreadId(two.id), { session_id: one.id }),
    ).rejects.toThrow(/404/);
    await expect(
      sessions.threads.events.list(primaryThreadId(two.id), { session_id: one.id }),
    ).rejects.toThrow(/404/);
  });
});

test('usage and stats move while it runs and stand still when it rests', async () => {
  const { id } = await create({ initial_events: [message] });
  door.ports.clock.shift_ms += 10_000;
  const running = await sessions.retrieve(id);
  expect(running.usage.active_seconds).toBeGreaterThanOrEqual(10);
  expect(running.stats.active_seconds).toBe(running.usage.active_seconds);
  await endTurn(id, 'end_turn', 2_400_000);
  const rested = await sessions.retrieve(id);
  door.ports.clock.shift_ms += 10_000;
  const later = await sessions.retrieve(id);
  expect(later.usage).toEqual(rested.usage);
  expect(later.usage.list_cost).toEqual({
    amount: expect.stringMatching(/^\d+(\.\d+)?$/),
    currency: 'USD',
  });
  expect(later.stats.duration_seconds).toBeGreaterThan(rested.stats.duration_seconds ?? 0);
  expect(noUsage.active_ms).toBe(0);
  expect(await door.ports.table.get(configKey(id))).toBeDefined();
});
