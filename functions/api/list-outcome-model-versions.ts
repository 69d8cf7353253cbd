import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { ModelVersionsQuery } from '#shared/outcome-models/model-wire.ts';
import { listModelVersions } from '#shared/outcome-models/outcome-models.ts';

/** GET /v1/reverie/agents/{agent_id}/outcome_model/versions: 200 with a page, newest first, 400 or 404. */
export function listOutcomeModelVersions(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('agent', path['agent_id']);
    const wanted = parseQuery(ModelVersionsQuery, query);
    return { status: 200, body: await listModelVersions(ports, call, id, wanted) };
  };
}
