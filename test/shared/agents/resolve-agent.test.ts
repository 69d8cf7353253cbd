import { expect, test } from 'vitest';
import { AgentParam } from '#shared/agents/agent-wire.ts';
import { overrideAgent } from '#shared/agents/resolve-agent.ts';
import { parseBody } from '#shared/core/parse.ts';
import { anAgent, custom, mcp, server, toolset } from './samples.ts';

/** What a session makes of its `agent`: one row for each override in each of its three states. */

const agent = anAgent({
  system: 'Be kind.',
  model: { id: 'claude-opus-5-5', effort: 'low', inference_geo: 'us' },
  tools: [toolset, mcp],
  mcp_servers: [server],
  metadata: { team: 'red' },
});

const { created_at: _c, updated_at: _u, archived_at: _a, metadata: _m, ...config } = agent;
const { multiagent: _team, ...snapshot } = config;

const override = (over: object) =>
  overrideAgent(
    agent,
    parseBody(AgentParam, { type: 'agent_with_overrides', id: agent.id, ...over }),
  );

test.each<[string, unknown]>([
  ['an id', agent.id],
  ['a reference', { type: 'agent', id: agent.id, version: 1 }],
  ['overrides that override nothing', { type: 'agent_with_overrides', id: agent.id }],
])('%s means the whole agent as it stands', (_, param) => {
  expect(overrideAgent(agent, parseBody(AgentParam, param))).toEqual(snapshot);
});

const none = { tools: [], mcp_servers: [] };

test.each<[string, object, object]>([
  ['a system prompt', { system: 'Be brief.' }, { system: 'Be brief.' }],
  ['null for the system prompt', { system: null }, { system: null }],
  ['an empty system prompt', { system: '' }, { system: null }],
  [
    'the same model: effort is its default, neither that of the agent nor what is sent',
    { model: { id: 'claude-opus-5-5', effort: 'max' } },
    { model: { id: 'claude-opus-5-5', effort: { type: 'medium' }, speed: 'standard' } },
  ],
  [
    'another model: effort is its default, whatever is sent',
    { model: { id: 'claude-opus-5', effort: 'max', speed: 'fast' } },
    { model: { id: 'claude-opus-5', effort: { type: 'high' }, speed: 'fast' } },
  ],
  ['no tools and no servers', { tools: [], mcp_servers: [] }, none],
  ['null for tools and servers', { tools: null, mcp_servers: null }, none],
  ['other tools, resolved', { tools: [custom], mcp_servers: [] }, { ...none, tools: [custom] }],
  ['no skills', { skills: [] }, {}],
])('an override with %s', (_, over, expected) => {
  expect(override(over)).toEqual({ ...snapshot, ...expected });
});

test('a model cannot be cleared', () => {
  expect(() => override({ model: null })).toThrow(
    expect.objectContaining({ kind: 'invalid', details: { error_code: 'agent_model_required' } }),
  );
});

test.each<[object, RegExp]>([
  [{ mcp_servers: [] }, /names the server 'docs'/],
  [{ tools: [] }, /no mcp_toolset in tools names/],
  [{ tools: [mcp, { ...custom, name: 'ant__x' }] }, /ant__ are reserved/],
])('overrides that do not fit together are refused: %j', (over, message) => {
  expect(() => override(over)).toThrow(message);
});

test.each<[unknown, RegExp]>([
  ['', /at least 1 character/],
  [3, /must be string or object/],
  [{ id: 'x' }, /type: must be 'agent' or 'agent_with_overrides'/],
  [{ type: 'agent', id: 'x', version: 0 }, /version: must be at least 1/],
  [{ type: 'agent', id: 'x', system: 'y' }, /system: unknown field/],
  [{ type: 'agent_with_overrides', id: 'x', name: 'y' }, /name: unknown field/],
  [{ type: 'agent_with_overrides', id: 'x', skills: [{}] }, /skills: skills are not built yet/],
])('the parameter %j is refused by name', (param, message) => {
  expect(() => parseBody(AgentParam, param)).toThrow(message);
});

test('tools that a session brings for a coordinator may not be named as those that it has', () => {
  const { id, version } = agent;
  const multiagent = {
    type: 'coordinator' as const,
    agents: [{ type: 'agent' as const, id, version }],
  };
  const tools = [{ ...custom, name: 'send_to_agent' }];
  const param = parseBody(AgentParam, { type: 'agent_with_overrides', id, tools, mcp_servers: [] });
  expect(() => overrideAgent(agent, param)).not.toThrow();
  expect(() => overrideAgent({ ...agent, multiagent }, param)).toThrow(
    "tools: 'send_to_agent' is a tool",
  );
});
