import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listEvaluations as list } from '#shared/outcomes/list-verdicts.ts';
import { EvaluationListQuery } from '#shared/outcomes/verdict-wire.ts';

/** GET /v1/reverie/sessions/{session_id}/outcome_evaluations: 200 with a page, 400 or 404. */
export function listEvaluations(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    const asked = parseQuery(EvaluationListQuery, query);
    return { status: 200, body: await list(ports, call, id, asked) };
  };
}
