import { VersionListQuery } from '#shared/agents/agent-wire.ts';
import { listVersions } from '#shared/agents/agents.ts';
import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/agents/{agent_id}/versions: 200 with a page, newest first, 400 or 404. */
export function listAgentVersions(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    const page = await listVersions(ports, call, id, parseQuery(VersionListQuery, query));
    return { status: 200, body: page };
  };
}
