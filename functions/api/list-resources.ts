import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listResources as list } from '#shared/resources/list-resources.ts';
import { ResourceListQuery } from '#shared/resources/resource-wire.ts';

/** GET /v1/sessions/{session_id}/resources: 200 with a page, 400 or 404. */
export function listResources(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    return { status: 200, body: await list(ports, call, id, parseQuery(ResourceListQuery, query)) };
  };
}
