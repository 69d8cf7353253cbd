import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { FullView } from '#shared/memory/memory-wire.ts';
import { getVersion } from '#shared/memory/versions.ts';

/** GET /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}: 200, 400 or 404. */
export function readMemoryVersion(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const version_id = parseId('memory_version', path['memory_version_id']);
    const { view } = parseQuery(FullView, query);
    return { status: 200, body: await getVersion(ports, call, { store_id, version_id, view }) };
  };
}
