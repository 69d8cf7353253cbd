import { AgentQuery } from '#shared/agents/agent-wire.ts';
import { getAgent } from '#shared/agents/agents.ts';
import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/agents/{agent_id}: 200 with the newest or the asked version, 400 or 404. */
export function readAgent(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    const { version } = parseQuery(AgentQuery, query);
    return { status: 200, body: await getAgent(ports, call, id, version) };
  };
}
