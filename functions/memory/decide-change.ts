import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { decideChange as decide } from '#shared/reviews/decide.ts';
import { Decision } from '#shared/reviews/review-wire.ts';

/** POST /v1/reverie/dreams/{dream_id}/changes/{change_id}: 200 with the change, 400, 404 or 409. */
export function decideChange(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const dream_id = parseId('dream', path['dream_id']);
    const change_id = path['change_id'] ?? '';
    const request = { dream_id, change_id, body: parseBody(Decision, body) };
    return { status: 200, body: await decide(ports, call, request) };
  };
}
