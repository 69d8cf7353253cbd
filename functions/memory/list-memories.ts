import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listMemories as list } from '#shared/memory/list-memories.ts';
import { MemoryListQuery } from '#shared/memory/memory-wire.ts';

/** GET /v1/memory_stores/{memory_store_id}/memories: 200 with a page by path, 400 or 404. */
export function listMemories(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const request = { store_id, query: parseQuery(MemoryListQuery, query) };
    return { status: 200, body: await list(ports, call, request) };
  };
}
