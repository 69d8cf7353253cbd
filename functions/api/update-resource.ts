import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import type { ResourcePorts } from '#shared/resources/plan-resources.ts';
import { ResourceUpdate } from '#shared/resources/resource-wire.ts';
import { rotateToken } from '#shared/resources/rotate-token.ts';

/** POST /v1/sessions/{session_id}/resources/{resource_id}: 200 with the resource, 400 or 404. */
export function updateResource(ports: ResourcePorts): Route {
  return async ({ path, body, call }) => {
    const session_id = parseId('session', path['session_id']);
    const ids = { session_id, resource_id: path['resource_id'] ?? '' };
    const update = parseBody(ResourceUpdate, body);
    return { status: 200, body: await rotateToken(ports, call, ids, update) };
  };
}
