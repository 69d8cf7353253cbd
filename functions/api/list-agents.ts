import { AgentListQuery } from '#shared/agents/agent-wire.ts';
import { listAgents as list } from '#shared/agents/agents.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/agents: 200 with a page, or 400. */
export function listAgents(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(AgentListQuery, query)),
  });
}
