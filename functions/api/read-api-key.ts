import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { getApiKey } from '#shared/keys/api-keys.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/reverie/api_keys/{api_key_id}: 200 with the key, never its secret, or 404. */
export function readApiKey(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('api_key', path['api_key_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await getApiKey(ports, call, id) };
  };
}
