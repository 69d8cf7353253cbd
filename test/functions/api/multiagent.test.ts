/** Agents that start others, over HTTP through the official SDK: saved, read back, and in a session. */
import type { BetaManagedAgentsAgent } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkedClient } from '../../wire/checked-client.ts';
import { admin_key } from './door.ts';
import { startSessionRig, type SessionRig } from './session-rig.ts';

let rig: SessionRig;
let agents: SessionRig['client']['beta']['agents'];

beforeAll(async () => {
  rig = await startSessionRig();
  ({ agents } = rig.client.beta);
});
afterAll(async () => await rig.door.stop());

const model = 'claude-opus-5-5';
const off = { type: 'disabled' } as const;
const on = { type: 'enabled' } as const;
const self = { type: 'self' } as const;
const newer = { type: 'multiagent_20261001' } as const;

const agent = async (name: string, over: object = {}): Promise<BetaManagedAgentsAgent> =>
  await agents.create({ name, model, ...over });
const reference = ({ id, version }: BetaManagedAgentsAgent) =>
  ({ type: 'agent', id, version }) as const;
/** As a thread runs it. */
function definition(whole: BetaManagedAgentsAgent) {
  const { created_at: _c, updated_at: _u, archived_at: _a, metadata: _m, ...config } = whole;
  const { multiagent: _team, ...rest } = config;
  return rest;
}

describe('saving', () => {
  test('a coordinator names members in every form, and reads back pinned', async () => {
    const [reviewer, writer] = [await agent('Reviewer'), await agent('Writer')];
    await agents.update(writer.id, { system: 'Two.' });
    const advisor = { type: 'advisor', model: 'claude-fable-5-2' } as const;
    const lead = await agent('Lead', {
      multiagent: {
        type: 'coordinator',
        agents: [reviewer.id, advisor, { type: 'agent', id: writer.id, version: 1 }, self],
      },
    });
    expect(lead.multiagent).toEqual({
      type: 'coordinator',
      agents: [
        reference(reviewer),
        advisor,
        reference(writer),
        { type: 'agent', id: lead.id, version: 1 },
      ],
    });
    expect(await agents.retrieve(lead.id)).toEqual(lead);
  });

  test('the newer configuration reads back with every default filled in', async () => {
    const lead = await agent('Newer', { multiagent: newer });
    expect(lead.multiagent).toEqual({
      ...newer,
      subagents: { ...on, inline_agents: on, predefined_agents: [] },
      workflows: off,
      advisor: off,
    });
    expect(await agents.update(lead.id, { multiagent: lead.multiagent as never })).toEqual(lead);
  });

  test('a member that changes is the old one until the coordinator is saved with it again', async () => {
    const member = await agent('Member');
    const roster = { type: 'coordinator' as const, agents: [member.id] };
    const lead = await agent('Pinned', { multiagent: roster });
    const changed = await agents.update(member.id, { system: 'New.' });
    expect(await agents.retrieve(lead.id)).toEqual(lead);
    // Another change keeps the roster, pins and all.
    const renamed = await agents.update(lead.id, { name: 'Renamed' });
    expect(renamed).toMatchObject({ version: 2, multiagent: lead.multiagent });
    const again = await agents.update(lead.id, { multiagent: roster });
    expect(again).toMatchObject({ version: 3, multiagent: { agents: [reference(changed)] } });
    expect(await agents.update(lead.id, { multiagent: roster })).toEqual(again);
    expect((await agents.retrieve(lead.id, { version: 1 })).multiagent).toEqual(lead.multiagent);
  });

  test('self is the version that is saved, and sending it back is no change', async () => {
    const roster = { type: 'coordinator' as const, agents: [self] };
    const lead = await agent('Self', { multiagent: roster });
    for (const multiagent of [roster, lead.multiagent as never, { ...roster, agents: [lead.id] }]) {
      expect(await agents.update(lead.id, { multiagent })).toEqual(lead);
    }
    const second = await agents.update(lead.id, { system: 'Two.' });
    expect(second.multiagent).toEqual({
      type: 'coordinator',
      agents: [{ type: 'agent', id: lead.id, version: 2 }],
    });
  });

  test('a version makes a difference only where something does', async () => {
    const member = await agent('Merged');
    const lead = await agent('Levels', {
      multiagent: { ...newer, subagents: { ...on, predefined_agents: [member.id] } },
    });
    const advised = await agents.update(lead.id, {
      multiagent: { ...newer, advisor: { ...on, model: 'claude-fable-5-2' } },
    });
    expect(advised).toMatchObject({
      version: 2,
      multiagent: {
        subagents: { ...on, inline_agents: on, predefined_agents: [reference(member)] },
        advisor: { ...on, model: 'claude-fable-5-2' },
      },
    });
    expect(await agents.update(lead.id, { multiagent: newer })).toEqual(advised);
    const cleared = await agents.update(lead.id, { multiagent: null });
    expect(cleared).toMatchObject({ version: 3, multiagent: null });
  });

  test('an older version of itself, from before it had a team, may be a member', async () => {
    const { id } = await agent('Before');
    const roster = (version: number) => ({
      type: 'coordinator' as const,
      agents: [{ type: 'agent' as const, id, version }],
    });
    await agents.update(id, { system: 'Two.' });
    const third = await agents.update(id, { multiagent: roster(1) });
    expect(third).toMatchObject({ version: 3, multiagent: roster(1) });
    expect(await agents.update(id, { name: 'Other' })).toMatchObject({ multiagent: roster(1) });
    await agents.update(id, { name: 'More' });
    await expect(agents.update(id, { multiagent: roster(4) })).rejects.toThrow(/multiagent set/);
  });
});

describe('is refused, and changes nothing', () => {
  test('members that cannot be, each by its place', async () => {
    const fine = await agent('Fine');
    const archived = await agents.archive((await agent('Archived')).id);
    const deep = await agent('Deep', { multiagent: newer });
    const advisor = await agent('anthropic.advisor');
    const lead = await agent('Strict');
    const rows: [object | string, RegExp][] = [
      ['agent_00000000000000000000000000', /404.*multiagent\.agents\.1: agent '.*was not found/],
      ['nonsense', /404.*multiagent\.agents\.1: agent 'nonsense'/],
      [{ ...reference(fine), version: 2 }, /404.*no version 2/],
      [archived.id, /400.*multiagent\.agents\.1.*is archived/],
      [reference(deep), /400.*multiagent\.agents\.1.*may not start agents itself/],
      [advisor.id, /400.*multiagent\.agents\.1.*the name anthropic\.advisor/],
    ];
    for (const [entry, message] of rows) {
      const multiagent = { type: 'coordinator', agents: [self, entry] } as never;
      await expect(agents.update(lead.id, { multiagent })).rejects.toThrow(message);
      await expect(agents.create({ name: 'x', model, multiagent })).rejects.toThrow(message);
    }
    expect(await agents.retrieve(lead.id)).toEqual(lead);
    const listed = await agents.list({ limit: 1 });
    expect(listed.data[0]?.id).toBe(lead.id);
  });

  test('a member that was archived since, when the roster is sent or merged, but not when it is kept', async () => {
    const member = await agent('Retired later');
    const lead = await agent('Keeps', {
      multiagent: { ...newer, subagents: { ...on, predefined_agents: [member.id] } },
    });
    await agents.archive(member.id);
    const merged = agents.update(lead.id, { multiagent: { ...newer, advisor: null } });
    await expect(merged).rejects.toThrow(/400.*predefined_agents\.0.*is archived/);
    expect(await agents.update(lead.id, { system: 'Kept.' })).toMatchObject({ version: 2 });
    const session = await rig.create({ agent: lead.id });
    expect(session.agent.multiagent).toMatchObject({
      subagents: { predefined_agents: [{ id: member.id, version: 1 }] },
    });
  });

  test('regions that differ and an advisor that is weaker, also when only the model is sent', async () => {
    const us = { id: model, inference_geo: 'us' };
    const member = await agent('American', { model: us });
    const roster = { type: 'coordinator' as const, agents: [member.id] };
    await expect(agent('Anywhere', { multiagent: roster })).rejects.toThrow(
      /400.*inference_geo must be the same/,
    );
    const lead = await agent('Also', { model: us, multiagent: roster });
    await expect(agents.update(lead.id, { model })).rejects.toThrow(/400.*inference_geo/);
    const advised = await agent('Advised', {
      model: 'claude-sonnet-5-5',
      multiagent: { ...newer, advisor: { ...on, model } },
    });
    await expect(agents.update(advised.id, { model: 'claude-fable-5-2' })).rejects.toThrow(
      /400.*less capable/,
    );
    const old = { ...newer, advisor: { ...on, model: 'claude-3-opus' } };
    await expect(agents.update(advised.id, { multiagent: old })).rejects.toThrow(/400.*too old/);
    expect((await agents.retrieve(lead.id)).version).toBe(1);
    expect((await agents.retrieve(advised.id)).version).toBe(1);
  });

  test('a lost lock comes before everything that is wrong with the roster', async () => {
    const lead = await agent('Locked');
    const multiagent = { type: 'coordinator' as const, agents: ['nonsense'] };
    await expect(agents.update(lead.id, { version: 7, multiagent })).rejects.toThrow(/409/);
  });
});

describe('a session', () => {
  test('has the whole team as it was pinned, whatever becomes of it later', async () => {
    const writer = await agent('Writer', {
      system: 'Write.',
      tools: [{ type: 'agent_toolset_20260401' }],
      metadata: { team: 'red' },
    });
    const advisor = { type: 'advisor', model } as const;
    const lead = await agent('Lead', {
      multiagent: { type: 'coordinator', agents: [writer.id, advisor, self] },
    });
    await agents.update(writer.id, { system: 'Other.' });
    const session = await rig.create({ agent: lead.id });
    expect(session.agent).toEqual({
      ...definition(lead),
      multiagent: { type: 'coordinator', agents: [definition(writer), advisor, definition(lead)] },
    });
    await agents.update(lead.id, { multiagent: null });
    expect((await rig.sessions.retrieve(session.id)).agent).toEqual(session.agent);
    const listed = await rig.sessions.list({ agent_id: lead.id });
    expect(listed.data[0]?.agent).toEqual(session.agent);
    const pinned = await rig.create({ agent: reference(lead) });
    expect(pinned.agent).toEqual(session.agent);
    const [thread] = (await rig.sessions.threads.list(session.id)).data;
    expect(thread?.agent).toEqual(definition(lead));
  });

  test('with overrides: they reach the agent and its copies, and no other member', async () => {
    const member = await agent('Other', { system: 'Mine.' });
    const lead = await agent('Overridden', {
      multiagent: { ...newer, subagents: { ...on, predefined_agents: [self, member.id] } },
    });
    const session = await rig.create({
      agent: {
        type: 'agent_with_overrides',
        id: lead.id,
        system: 'Here.',
        model: 'claude-sonnet-5-5',
        tools: [{ type: 'agent_toolset_20260401' }],
      },
    });
    const { multiagent, ...own } = session.agent;
    expect(own).toMatchObject({ system: 'Here.', model: { id: 'claude-sonnet-5-5' } });
    expect(multiagent).toEqual({
      ...newer,
      subagents: { ...on, inline_agents: on, predefined_agents: [own, definition(member)] },
      workflows: off,
      advisor: off,
    });
    const input_schema = { type: 'object' } as const;
    const taken = { type: 'custom', name: 'start_agent', description: 'x', input_schema } as const;
    await expect(rig.sessions.update(session.id, { agent: { tools: [taken] } })).rejects.toThrow(
      /'start_agent' is a tool that an agent with multiagent has/,
    );
    const changed = await rig.sessions.update(session.id, { agent: { tools: [] } });
    expect(changed.agent).toEqual({ ...own, tools: [], multiagent });
  });

  test('is refused where overrides, environment, budget or size do not fit the team', async () => {
    const us = { id: model, inference_geo: 'us' } as const;
    const member = await agent('Fits', { model: us });
    const lead = await agent('Fitting', {
      model: us,
      multiagent: { ...newer, subagents: { ...on, predefined_agents: [member.id] } },
    });
    const overridden = { type: 'agent_with_overrides' as const, id: lead.id };
    await expect(rig.create({ agent: { ...overridden, model } })).rejects.toThrow(
      /400.*inference_geo/,
    );
    const advised = await agent('Weaker', { multiagent: { ...newer, advisor: { ...on, model } } });
    const stronger = { ...overridden, id: advised.id, model: 'claude-fable-5-2' };
    await expect(rig.create({ agent: stronger })).rejects.toThrow(/400.*less capable/);

    const online = await agent('Online', {
      mcp_servers: [{ type: 'url', name: 'docs', url: 'https://mcp.example.com' }],
      tools: [{ type: 'mcp_toolset', mcp_server_name: 'docs' }],
    });
    const through = await agent('Through', {
      multiagent: { type: 'coordinator', agents: [online.id] },
    });
    const { client } = checkedClient(rig.door.baseURL, admin_key);
    const closed = await client.beta.environments.create({
      name: 'closed',
      config: { type: 'cloud', networking: { type: 'limited' } },
    });
    await expect(rig.create({ agent: through.id, environment_id: closed.id })).rejects.toThrow(
      /400.*MCP server 'docs'/,
    );

    const budget = {
      type: 'limit' as const,
      max_list_cost: { amount: '100', currency: 'USD' as const },
    };
    const unpriced = { ...newer, advisor: { ...on, model: 'of-another-maker' } };
    const dear = await agent('Unpriced', { multiagent: unpriced });
    await expect(rig.create({ agent: dear.id, budget })).rejects.toThrow(
      /400.*of-another-maker has no list price/,
    );

    const long = await Promise.all(
      Array.from(
        { length: 11 },
        async (_, n) => await agent(`L${n}`, { system: 'x'.repeat(100_000) }),
      ),
    );
    const roster = { type: 'coordinator', agents: long.map(({ id }) => id) };
    const wide = await agent('Wide', { multiagent: roster });
    await expect(rig.create({ agent: wide.id })).rejects.toThrow(
      /400.*agent: is more than 1000000 bytes of JSON, with the agents/,
    );
  });
});
