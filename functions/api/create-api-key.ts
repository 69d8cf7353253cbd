import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { newSecret } from '#shared/keys/api-key.ts';
import { ApiKeyCreate } from '#shared/keys/api-key-wire.ts';
import { createApiKey as create } from '#shared/keys/api-keys.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/reverie/api_keys: 200 with the key and, this once, its secret; 400 or 403. */
export function createApiKey(ports: Ports): Route {
  return async ({ body, call }) => ({
    status: 200,
    body: await create(ports, call, parseBody(ApiKeyCreate, body), newSecret()),
  });
}
