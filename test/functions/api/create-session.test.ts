/** What a session is created from, and what is refused. */
import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { primaryThreadId } from '#shared/core/id.ts';
import { environmentKey } from '#shared/environments/environment.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { collect } from './door.ts';
import { message, startSessionRig, type SessionRig } from './session-rig.ts';

let rig: SessionRig;
beforeAll(async () => {
  rig = await startSessionRig();
});
afterAll(async () => await rig.door.stop());

describe('create', () => {
  test('without events it is idle and nothing is started', async () => {
    const before = rig.door.ports.runs.started.length;
    const session = await rig.create({ title: 'First', metadata: { team: 'blue' } });
    expect(session).toMatchObject({
      status: 'idle',
      title: 'First',
      metadata: { team: 'blue' },
      agent: { id: rig.agent_id, version: 1, name: 'Ada' },
      environment_id: rig.environment_id,
      archived_at: null,
      budget: null,
      resources: [],
      vault_ids: [],
      outcome_evaluations: [],
      usage: { input_tokens: 0, list_cost: { amount: '0', currency: 'USD' } },
    });
    const read = await rig.sessions.retrieve(session.id);
    expect({ ...read, stats: session.stats }).toEqual(session);
    expect(rig.door.ports.runs.started.length).toBe(before);
  });

  test('with events it runs, its first run is started, and the events wait in order', async () => {
    const session = await rig.create({ initial_events: [message, message] });
    expect(session.status).toBe('running');
    const thread_id = primaryThreadId(session.id);
    expect(rig.door.ports.runs.started).toContainEqual({
      session_id: session.id,
      thread_id,
      run: 1,
      inbox: [1, 2],
    });
    const events = await collect(rig.sessions.events.list(session.id));
    expect(events).toMatchObject([
      { type: 'user.message', processed_at: null },
      { type: 'user.message', processed_at: null },
    ]);
    const row = await rig.door.ports.table.get(sessionKey(session.id));
    expect(row).toMatchObject({ gsi2pk: 'RUNNING', run: 1 });
  });

  test('takes all three forms of an agent, and keeps the version', async () => {
    const agent = await rig.client.beta.agents.create({ name: 'Bob', model: 'claude-opus-5-5' });
    await rig.client.beta.agents.update(agent.id, { system: 'Second' });
    const newest = await rig.create({ agent: agent.id });
    const pinned = await rig.create({ agent: { type: 'agent', id: agent.id, version: 1 } });
    const overridden = await rig.create({
      agent: { type: 'agent_with_overrides', id: agent.id, system: 'Mine' },
    });
    expect(newest.agent).toMatchObject({ version: 2, system: 'Second' });
    expect(pinned.agent).toMatchObject({ version: 1, system: null });
    expect(overridden.agent).toMatchObject({ version: 2, system: 'Mine' });
    await rig.client.beta.agents.update(agent.id, { system: 'Third' });
    expect((await rig.sessions.retrieve(newest.id)).agent.system).toBe('Second');
  });

  test('a start that is lost does not fail it: the row says that it runs', async () => {
    const { runs } = rig.door.ports;
    const start = runs.start.bind(runs);
    runs.start = async () => await Promise.reject(new Error('lost'));
    const session = await rig.create({ initial_events: [message] });
    runs.start = start;
    expect(session.status).toBe('running');
    expect((await rig.sessions.retrieve(session.id)).status).toBe('running');
  });

  test('a repeat under one Idempotency-Key makes one session and counts the environment once', async () => {
    const environment = await rig.client.beta.environments.create({ name: 'counted' });
    const params = {
      agent: rig.agent_id,
      environment_id: environment.id,
      initial_events: [message],
    };
    const options = { headers: { 'idempotency-key': 'once' } };
    const made = await Promise.all(
      Array.from({ length: 5 }, async () => await rig.sessions.create(params, options)),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const started = rig.door.ports.runs.started.filter(
      ({ session_id }) => session_id === made[0]?.id,
    );
    expect(started.length).toBe(1);
    expect(await rig.door.ports.table.get(environmentKey(environment.id))).toMatchObject({
      sessions_count: 1,
    });
  });

  const refusals: [string, object, RegExp][] = [
    ['an unknown agent', { agent: 'agent_00000000000000000000000000' }, /404/],
    ['an unknown environment', { environment_id: 'env_00000000000000000000000000' }, /404/],
    ['an id of no form', { environment_id: 'nonsense' }, /404/],
    ['an id too long for a key', { environment_id: `env_${'0'.repeat(3_000)}` }, /404/],
    ['an id of an agent too long for a key', { agent: `agent_${'0'.repeat(3_000)}` }, /404/],
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
    await expect(rig.create(params as Partial<SessionCreateParams>)).rejects.toThrow(text);
  });

  test('a budget needs a model with a list price', async () => {
    const odd = await rig.client.beta.agents.create({ name: 'Odd', model: 'my-own-model' });
    const budget = { type: 'limit', max_list_cost: { amount: '100', currency: 'USD' } } as const;
    await expect(rig.create({ agent: odd.id, budget })).rejects.toThrow(
      /model_not_budgetable|no list price/,
    );
    expect((await rig.create({ budget })).budget).toEqual(budget);
  });

  test('an archived agent or environment is refused', async () => {
    const agent = await rig.client.beta.agents.create({ name: 'Old', model: 'claude-opus-5-5' });
    await rig.client.beta.agents.archive(agent.id);
    await expect(rig.create({ agent: agent.id })).rejects.toThrow(/400.*archived/);
    const environment = await rig.client.beta.environments.create({ name: 'old' });
    await rig.client.beta.environments.archive(environment.id);
    await expect(rig.create({ environment_id: environment.id })).rejects.toThrow(/400.*archived/);
  });

  test('a closed environment refuses an agent whose MCP server it would not reach', async () => {
    const closed = await rig.client.beta.environments.create({
      name: 'closed',
      config: { type: 'cloud', networking: { type: 'limited', allowed_hosts: ['*.example.com'] } },
    });
    const agentWith = async (url: string) =>
      await rig.client.beta.agents.create({
        name: 'Net',
        model: 'claude-opus-5-5',
        mcp_servers: [{ type: 'url', name: 'tools', url }],
        tools: [{ type: 'mcp_toolset', mcp_server_name: 'tools' }],
      });
    const outside = await agentWith('https://example.com/mcp');
    const inside = await agentWith('https://mcp.example.com/mcp');
    const to = { environment_id: closed.id };
    await expect(rig.create({ ...to, agent: outside.id })).rejects.toThrow(/400.*'tools'/);
    expect((await rig.create({ ...to, agent: inside.id })).status).toBe('idle');
  });
});
