import { AgentUpdate } from '#shared/agents/agent-bodies.ts';
import { changeAgent } from '#shared/agents/save-agent.ts';
import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/agents/{agent_id}: 200 with the agent as it now is, 400, 404 or 409. */
export function updateAgent(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('agent', path['agent_id']);
    return { status: 200, body: await changeAgent(ports, call, id, parseBody(AgentUpdate, body)) };
  };
}
