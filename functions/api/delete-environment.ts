import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { deleteEnvironment as remove } from '#shared/environments/environments.ts';
import type { Route } from '#shared/door/route.ts';

/** DELETE /v1/environments/{environment_id}: 200 once it is gone, 404, or 409 while it is in use. */
export function deleteEnvironment(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('environment', path['environment_id']);
    parseQuery(NoQuery, query);
    await remove(ports, call, id);
    return { status: 200, body: { id, type: 'environment_deleted' } };
  };
}
