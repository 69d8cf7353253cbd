import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listVerdicts as list } from '#shared/outcomes/list-verdicts.ts';
import { VerdictListQuery } from '#shared/outcomes/verdict-wire.ts';

/** GET /v1/reverie/agents/{agent_id}/verdicts: 200 with a page, 400 or 404. */
export function listVerdicts(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    return { status: 200, body: await list(ports, call, id, parseQuery(VerdictListQuery, query)) };
  };
}
