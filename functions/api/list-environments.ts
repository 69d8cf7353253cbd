import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { EnvironmentListQuery } from '#shared/environments/environment-wire.ts';
import { listEnvironments as list } from '#shared/environments/environments.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/environments: 200 with a page, newest first, or 400. */
export function listEnvironments(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(EnvironmentListQuery, query)),
  });
}
