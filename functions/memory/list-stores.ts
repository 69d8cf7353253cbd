import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { StoreListQuery } from '#shared/memory/memory-wire.ts';
import { listStores as list } from '#shared/memory/stores.ts';

/** GET /v1/memory_stores: 200 with a page, newest first, or 400. */
export function listStores(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(StoreListQuery, query)),
  });
}
