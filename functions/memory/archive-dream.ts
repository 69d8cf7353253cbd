import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { archiveDream as archive } from '#shared/dreams/dreams.ts';

/** POST /v1/dreams/{dream_id}/archive: 200, 400 or 404. */
export function archiveDream(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('dream', path['dream_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, id) };
  };
}
