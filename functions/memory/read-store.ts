import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { getStore } from '#shared/memory/stores.ts';

/** GET /v1/memory_stores/{memory_store_id}: 200 or 404. */
export function readStore(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('memory_store', path['memory_store_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await getStore(ports, call, id) };
  };
}
