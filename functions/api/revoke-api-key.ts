import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { revokeApiKey as revoke } from '#shared/keys/api-keys.ts';
import type { Route } from '#shared/door/route.ts';

/** DELETE /v1/reverie/api_keys/{api_key_id}: 200 with the revoked key, or 404. */
export function revokeApiKey(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('api_key', path['api_key_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await revoke(ports, call, id) };
  };
}
