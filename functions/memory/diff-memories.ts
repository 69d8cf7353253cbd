import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { diffMemories as diff } from '#shared/memory-history/diff.ts';
import { DiffQuery } from '#shared/memory-history/history-wire.ts';

/** GET /v1/reverie/memory_stores/{memory_store_id}/diff: 200 with a page of changed paths, 400 or 404. */
export function diffMemories(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    return { status: 200, body: await diff(ports, call, store_id, parseQuery(DiffQuery, query)) };
  };
}
