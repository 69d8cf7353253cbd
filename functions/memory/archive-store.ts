import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { archiveStore as archive } from '#shared/memory/stores.ts';

/** POST /v1/memory_stores/{memory_store_id}/archive: 200 with the archived store, or 404. */
export function archiveStore(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('memory_store', path['memory_store_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, id) };
  };
}
