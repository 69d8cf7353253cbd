import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { retrieveResource } from '#shared/resources/list-resources.ts';

/** GET /v1/sessions/{session_id}/resources/{resource_id}: 200 or 404. */
export function readResource(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    parseQuery(NoQuery, query);
    const resource_id = path['resource_id'] ?? '';
    return { status: 200, body: await retrieveResource(ports, call, id, resource_id) };
  };
}
