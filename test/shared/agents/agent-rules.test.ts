import { expect, test } from 'vitest';
import { checkUpdatable, newAgent, updateAgent } from '#shared/agents/agent-rules.ts';
import type { Agent } from '#shared/agents/agent.ts';
import { AgentCreate, AgentUpdate } from '#shared/agents/agent-bodies.ts';
import { parseBody } from '#shared/core/parse.ts';
import { alone, anAgent, created_at, custom, mcp, server, toolset } from './samples.ts';

/**
 * What an update does to an agent: one row for each field and each of its states. Method: a full
 * agent, one change, and only the changed fields named; everything else must stay as it was.
 */

const later = '2026-01-02T00:00:00.000Z';

const full = anAgent({
  description: 'Before',
  system: 'Be kind.',
  model: { id: 'claude-opus-5-5', effort: 'low', inference_geo: 'us', speed: 'fast' },
  tools: [toolset, mcp, custom],
  mcp_servers: [server],
  metadata: { team: 'red', cost: '1' },
});

function update(agent: Agent, body: object): Agent {
  const parsed = parseBody(AgentUpdate, body);
  checkUpdatable(agent, parsed);
  return updateAgent(agent, parsed, later, alone);
}

const model = (over: object): object => ({ ...full.model, ...over });
const { inference_geo: _geo, ...without_geo } = full.model;

const changes: [string, object, Partial<Record<keyof Agent, unknown>>][] = [
  ['a name', { name: 'After' }, { name: 'After' }],
  ['a description', { description: 'After' }, { description: 'After' }],
  ['a description that is null', { description: null }, { description: null }],
  ['a description that is empty', { description: '' }, { description: null }],
  ['a system prompt', { system: 'After' }, { system: 'After' }],
  ['a system prompt that is null', { system: null }, { system: null }],
  ['a system prompt that is empty', { system: '' }, { system: null }],
  [
    'the same model as text: only effort stays',
    { model: 'claude-opus-5-5' },
    { model: { ...without_geo, speed: 'standard' } },
  ],
  [
    'another model: effort is its default again',
    { model: 'claude-haiku-5-5' },
    { model: { id: 'claude-haiku-5-5', effort: { type: 'medium' }, speed: 'standard' } },
  ],
  [
    'the same model with an effort',
    {
      model: { id: 'claude-opus-5-5', effort: { type: 'max' }, inference_geo: 'us', speed: 'fast' },
    },
    { model: model({ effort: { type: 'max' } }) },
  ],
  [
    'the same model with effort null: its default',
    { model: { id: 'claude-opus-5-5', effort: null, inference_geo: 'us', speed: 'fast' } },
    { model: model({ effort: { type: 'medium' } }) },
  ],
  [
    'the same model with another place and null speed',
    { model: { id: 'claude-opus-5-5', inference_geo: 'global', speed: null } },
    { model: model({ inference_geo: 'global', speed: 'standard' }) },
  ],
  [
    'tools and servers that are null',
    { tools: null, mcp_servers: null },
    { tools: [], mcp_servers: [] },
  ],
  [
    'tools and servers that are empty',
    { tools: [], mcp_servers: [] },
    { tools: [], mcp_servers: [] },
  ],
  [
    'other tools and no servers',
    { tools: [custom], mcp_servers: null },
    { tools: [custom], mcp_servers: [] },
  ],
  ['a key of metadata', { metadata: { team: 'blue' } }, { metadata: { team: 'blue', cost: '1' } }],
  [
    'a new key of metadata',
    { metadata: { x: '' } },
    { metadata: { team: 'red', cost: '1', x: '' } },
  ],
  ['a key of metadata that is null', { metadata: { cost: null } }, { metadata: { team: 'red' } }],
];

test.each(changes)('an update with %s makes a new version with just that', (_, body, changed) => {
  expect(update(full, body)).toEqual({ ...full, ...changed, version: 2, updated_at: later });
});

test.each<[string, object]>([
  ['nothing', {}],
  ['its own name', { name: full.name }],
  ['its own texts', { description: 'Before', system: 'Be kind.' }],
  ['its own model', { model: { id: 'claude-opus-5-5', inference_geo: 'us', speed: 'fast' } }],
  ['its own tools, written shorter', { tools: [toolset, mcp, custom] }],
  [
    'its own schema with its keys in another order',
    {
      tools: [
        toolset,
        mcp,
        {
          ...custom,
          input_schema: {
            required: ['id'],
            properties: { id: { type: 'string' } },
            type: 'object',
          },
        },
      ],
    },
  ],
  ['its own metadata', { metadata: { cost: '1' } }],
  ['null for metadata', { metadata: null }],
  ['null for an unknown key of metadata', { metadata: { nothing: null } }],
  ['the right version', { version: 1 }],
  ['what this release can only clear', { skills: [], execution_identity: null }],
  ['null for multiagent', { multiagent: null }],
])('an update with %s changes nothing and makes no version', (_, body) => {
  expect(update(full, body)).toBe(full);
});

test.each([{}, { name: 'After' }])(
  'a version that is not the present one is refused: %j',
  (body) => {
    for (const version of [2, 99]) {
      expect(() => update(full, { ...body, version })).toThrow(
        expect.objectContaining({
          kind: 'conflict',
          details: { error_code: 'agent_version_mismatch' },
        }),
      );
    }
  },
);

test('an archived agent is not updated, not even with nothing', () => {
  const archived = { ...full, archived_at: later };
  for (const body of [{}, { name: 'After' }]) {
    expect(() => update(archived, body)).toThrow(/is archived, so it cannot be updated/);
  }
});

test('a server that tools still name cannot be cleared, and the other way round', () => {
  expect(() => update(full, { mcp_servers: null })).toThrow(/names the server 'docs'/);
  expect(() => update(full, { tools: null })).toThrow(/no mcp_toolset in tools names .* 'docs'/);
});

test.each<[object, RegExp]>([
  [{ name: null }, /^name: must be of type string/],
  [{ name: '' }, /^name: must have at least 1 character/],
  [{ model: null }, /^model: must be string or object/],
  [{ version: 0 }, /^version: must be at least 1/],
  [{ skills: [{ type: 'custom', skill_id: 'x' }] }, /^skills: skills are not built yet/],
  [
    { execution_identity: { type: 'aws_role', role_arn: 'arn' } },
    /^execution_identity: aws_role is not/,
  ],
  [{ archived_at: null }, /^archived_at: unknown field/],
])('the body %j is refused by name', (body, message) => {
  expect(() => update(full, body)).toThrow(message);
});

test('a new agent has every field, with its defaults', () => {
  expect(anAgent()).toEqual({
    id: expect.any(String),
    type: 'agent',
    version: 1,
    name: 'Sample',
    description: null,
    system: null,
    model: { id: 'claude-opus-5-5', effort: { type: 'medium' }, speed: 'standard' },
    tools: [],
    mcp_servers: [],
    skills: [],
    multiagent: null,
    execution_identity: { type: 'service_account' },
    metadata: {},
    created_at,
    updated_at: created_at,
    archived_at: null,
  });
});

test.each<[string, object, RegExp]>([
  ['a name of 257 characters', { name: 'n'.repeat(257) }, /^name: must have at most 256/],
  [
    'a long description',
    { description: 'd'.repeat(2_049) },
    /^description: must have at most 2048/,
  ],
  ['a long system prompt', { system: 's'.repeat(100_001) }, /^system: must have at most 100000/],
  ['257 tools', { tools: Array(257).fill(toolset) }, /^tools: must have at most 256 items/],
  [
    '21 servers',
    { mcp_servers: Array(21).fill(server) },
    /^mcp_servers: must have at most 20 items/,
  ],
  [
    'a place that is none',
    { model: { id: 'm', inference_geo: 'eu' } },
    /^model\.inference_geo: must be/,
  ],
  ['an effort that is none', { model: { id: 'm', effort: 'huge' } }, /^model\.effort: /],
  ['no name', { name: undefined }, /^name: is required/],
  [
    '17 pairs of metadata',
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, ''])) },
    /^metadata: has more than 16/,
  ],
])('an agent with %s is refused', (_, body, message) => {
  const sent = { name: 'a', model: 'm', ...body };
  expect(() => parseBody(AgentCreate, sent)).toThrow(message);
});

test('an agent at the limits of its texts is accepted, one beyond a megabyte in all is not', () => {
  const widest = {
    name: 'n'.repeat(256),
    description: 'd'.repeat(2_048),
    system: '€'.repeat(100_000),
  };
  expect(anAgent(widest)).toMatchObject(widest);
  const schema = { type: 'object', description: 'x'.repeat(1_000_000) };
  const body = parseBody(AgentCreate, {
    name: 'a',
    model: 'm',
    tools: [{ ...custom, input_schema: schema }],
  });
  expect(() => newAgent('agent_1', body, created_at, alone)).toThrow(/bytes of JSON/);
});

test('a custom tool may be named as one of a coordinator’s where there is no team', () => {
  const tools = [{ ...custom, name: 'start_agent' }];
  const agent = anAgent({ tools });
  const multiagent = { type: 'coordinator' as const, agents: [] };
  const { id, version } = agent;
  const team = {
    multiagent: { ...multiagent, agents: [{ type: 'agent' as const, id, version }] },
    members: [],
  };
  expect(() => updateAgent(agent, {}, later, team)).toThrow(
    "tools: 'start_agent' is a tool that an agent with multiagent has from the platform.",
  );
  expect(() => updateAgent(agent, { tools: [] }, later, team)).not.toThrow();
});
