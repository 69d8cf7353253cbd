import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { acceptAll } from '#shared/reviews/decide.ts';

/** POST /v1/reverie/dreams/{dream_id}/changes/accept_all: 200 with how many were accepted, or 404. */
export function acceptAllChanges(ports: Ports): Route {
  return async ({ path, body, call }) => {
    parseBody(NoBody, body);
    const dream_id = parseId('dream', path['dream_id']);
    return { status: 200, body: await acceptAll(ports, call, dream_id) };
  };
}
