import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { ApiKeyListQuery } from '#shared/keys/api-key-wire.ts';
import { listApiKeys as list } from '#shared/keys/api-keys.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/reverie/api_keys: 200 with a page, newest first, or 400. */
export function listApiKeys(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(ApiKeyListQuery, query)),
  });
}
