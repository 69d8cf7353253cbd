import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { applyChanges as apply } from '#shared/reviews/apply.ts';
import { ApplyCreate } from '#shared/reviews/review-wire.ts';

/** POST /v1/reverie/dreams/{dream_id}/apply: 200 with what became of each change, 400 or 404. */
export function applyChanges(ports: MemoryPorts): Route {
  return async ({ path, body, call }) => {
    const dream_id = parseId('dream', path['dream_id']);
    const answer = await apply(ports, call, dream_id, parseBody(ApplyCreate, body));
    return { status: 200, body: answer };
  };
}
