import { newAgent } from '#shared/agents/agent-rules.ts';
import type { Agent } from '#shared/agents/agent.ts';
import type { Team } from '#shared/agents/team.ts';
import { AgentCreate } from '#shared/agents/agent-bodies.ts';

export const created_at = '2026-01-01T00:00:00.000Z';

/** An agent that starts no others. */
export const alone: Team = { multiagent: null, members: [] };

/** An agent as its creation makes it, from a body as it is sent. */
export function anAgent(body: object = {}): Agent {
  const parsed = AgentCreate.parse({ name: 'Sample', model: 'claude-opus-5-5', ...body });
  return newAgent('agent_01KSAMPLE0000000000000000', parsed, created_at, alone);
}

export const toolset = { type: 'agent_toolset_20260401' };
export const server = { type: 'url', name: 'docs', url: 'https://mcp.example.com/mcp' };
export const mcp = { type: 'mcp_toolset', mcp_server_name: 'docs' };
export const custom = {
  type: 'custom',
  name: 'get_order',
  description: 'Reads an order',
  input_schema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
};
