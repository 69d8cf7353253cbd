import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { ModelPut } from '#shared/outcome-models/model-wire.ts';
import { putModel } from '#shared/outcome-models/outcome-models.ts';

/** POST /v1/reverie/agents/{agent_id}/outcome_model: 200 with the model as it now is, 400, 404 or 409. */
export function putOutcomeModel(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('agent', path['agent_id']);
    return { status: 200, body: await putModel(ports, call, id, parseBody(ModelPut, body)) };
  };
}
