import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { archiveEnvironment as archive } from '#shared/environments/environments.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/environments/{environment_id}/archive: 200 with the archived environment, or 404. */
export function archiveEnvironment(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('environment', path['environment_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, id) };
  };
}
