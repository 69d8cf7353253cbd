import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { VersionListQuery } from '#shared/memory/memory-wire.ts';
import { listVersions } from '#shared/memory/versions.ts';

/** GET /v1/memory_stores/{memory_store_id}/memory_versions: 200 with a page, newest first, 400 or 404. */
export function listMemoryVersions(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const request = { store_id, query: parseQuery(VersionListQuery, query) };
    return { status: 200, body: await listVersions(ports, call, request) };
  };
}
