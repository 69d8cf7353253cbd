import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { SearchQuery } from '#shared/memory-history/history-wire.ts';
import { MemorySearcher } from '#shared/memory-history/search.ts';

/** GET /v1/reverie/memory_stores/{memory_store_id}/search: 200 with the memories found, 400 or 404. */
export function searchMemories(ports: Ports): Route {
  // One for the life of the function: its indexes are what makes a second search fast.
  const searcher = new MemorySearcher(ports);
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const body = await searcher.search(call, store_id, parseQuery(SearchQuery, query));
    return { status: 200, body };
  };
}
