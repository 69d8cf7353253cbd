import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { ModelQuery } from '#shared/outcome-models/model-wire.ts';
import { getModel } from '#shared/outcome-models/outcome-models.ts';

/** GET /v1/reverie/agents/{agent_id}/outcome_model: 200 with the newest or the asked version, 400 or 404. */
export function readOutcomeModel(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    const { version } = parseQuery(ModelQuery, query);
    return { status: 200, body: await getModel(ports, call, id, version) };
  };
}
