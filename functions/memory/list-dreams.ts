import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { DreamListQuery } from '#shared/dreams/dream-wire.ts';
import { listDreams as list } from '#shared/dreams/dreams.ts';

/** GET /v1/dreams: 200 with a page, newest first, or 400. */
export function listDreams(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(DreamListQuery, query)),
  });
}
