import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { getDream } from '#shared/dreams/dreams.ts';

/** GET /v1/dreams/{dream_id}: 200, also when it is archived, or 404. */
export function readDream(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('dream', path['dream_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await getDream(ports, call, id) };
  };
}
