import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { getEnvironment } from '#shared/environments/environments.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/environments/{environment_id}: 200 with the environment, or 404. */
export function readEnvironment(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('environment', path['environment_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await getEnvironment(ports, call, id) };
  };
}
