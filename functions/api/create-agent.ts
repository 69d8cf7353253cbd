import { AgentCreate } from '#shared/agents/agent-bodies.ts';
import { createAgent as create } from '#shared/agents/save-agent.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/agents: 200 with version 1 of the agent, or 400. */
export function createAgent(ports: Ports): Route {
  return async ({ body, call }) => ({
    status: 200,
    body: await create(ports, call, parseBody(AgentCreate, body)),
  });
}
