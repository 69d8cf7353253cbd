import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listChanges as list } from '#shared/reviews/list-review.ts';
import { ChangeListQuery } from '#shared/reviews/review-wire.ts';

/** GET /v1/reverie/dreams/{dream_id}/changes: 200 with a page in their order, 400 or 404. */
export function listChanges(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const dream_id = parseId('dream', path['dream_id']);
    const wanted = parseQuery(ChangeListQuery, query);
    return { status: 200, body: await list(ports, call, dream_id, wanted) };
  };
}
