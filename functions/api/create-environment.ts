import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { EnvironmentCreate } from '#shared/environments/environment-wire.ts';
import { createEnvironment as create } from '#shared/environments/environments.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/environments: 200 with the environment, 400, or 409 when its name is taken. */
export function createEnvironment(ports: Ports): Route {
  return async ({ body, call }) => ({
    status: 200,
    body: await create(ports, call, parseBody(EnvironmentCreate, body)),
  });
}
