import { archiveAgent as archive } from '#shared/agents/save-agent.ts';
import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/agents/{agent_id}/archive: 200 with the archived agent, or 404. */
export function archiveAgent(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('agent', path['agent_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, id) };
  };
}
