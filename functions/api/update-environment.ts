import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { EnvironmentUpdate } from '#shared/environments/environment-wire.ts';
import { changeEnvironment } from '#shared/environments/environments.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/environments/{environment_id}: 200 with the environment as it now is, 400, 404 or 409. */
export function updateEnvironment(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('environment', path['environment_id']);
    const update = parseBody(EnvironmentUpdate, body);
    return { status: 200, body: await changeEnvironment(ports, call, id, update) };
  };
}
