import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { rollBack } from '#shared/reviews/roll-back.ts';

/** POST /v1/reverie/dreams/{dream_id}/applies/{apply_id}/rollback: 200 with what became of each change, 400 or 404. */
export function rollBackApply(ports: MemoryPorts): Route {
  return async ({ path, body, call }) => {
    parseBody(NoBody, body);
    const dream_id = parseId('dream', path['dream_id']);
    const apply_id = parseId('apply', path['apply_id']);
    return { status: 200, body: await rollBack(ports, call, { dream_id, apply_id }) };
  };
}
