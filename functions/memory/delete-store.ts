import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { deleteStore as remove, type DeleteStorePorts } from '#shared/memory/delete-store.ts';
import { redactDreamsNow } from '#shared/redactions/redact-dreams.ts';

/** DELETE /v1/memory_stores/{memory_store_id}: 200 with its id, or 404. */
export function deleteStore(ports: DeleteStorePorts): Route {
  return async ({ path, query, call }) => {
    const id = parseId('memory_store', path['memory_store_id']);
    parseQuery(NoQuery, query);
    const deleted = await remove(ports, call, id);
    await redactDreamsNow(ports, id);
    return { status: 200, body: deleted };
  };
}
