import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { summariseVerdicts as summarise } from '#shared/outcomes/summarise-verdicts.ts';
import { VerdictSummaryQuery } from '#shared/outcomes/verdict-wire.ts';

/** GET /v1/reverie/agents/{agent_id}/verdicts/summary: 200 with a summary or a comparison, 400 or 404. */
export function summariseVerdicts(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    const asked = parseQuery(VerdictSummaryQuery, query);
    return { status: 200, body: await summarise(ports, call, id, asked) };
  };
}
