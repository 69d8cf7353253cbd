import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { exportStore as archive } from '#shared/memory-history/export.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/reverie/memory_stores/{memory_store_id}/export: a tar, 404, or 429 for a store that never rests. */
export function exportStore(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    parseQuery(NoQuery, query);
    return await archive(ports, call, parseId('memory_store', path['memory_store_id']));
  };
}
