import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { deleteModel } from '#shared/outcome-models/outcome-models.ts';

/** DELETE /v1/reverie/agents/{agent_id}/outcome_model: 200 with the model that is reported by no more, 400 or 404. */
export function deleteOutcomeModel(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await deleteModel(ports, call, id) };
  };
}
