import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listApplies as list } from '#shared/reviews/list-review.ts';
import { ApplyListQuery } from '#shared/reviews/review-wire.ts';

/** GET /v1/reverie/dreams/{dream_id}/applies: 200 with a page, newest first, 400 or 404. */
export function listApplies(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const dream_id = parseId('dream', path['dream_id']);
    const wanted = parseQuery(ApplyListQuery, query);
    return { status: 200, body: await list(ports, call, dream_id, wanted) };
  };
}
