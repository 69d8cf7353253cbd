import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { deleteFile as remove } from '#shared/api-files/delete-file.ts';
import type { Route } from '#shared/door/route.ts';

/** DELETE /v1/files/{file_id}: 200 with its id, or 404. */
export function deleteFile(ports: Ports): Route {
  return async ({ path, query, call }) => {
    parseQuery(NoQuery, query);
    return { status: 200, body: await remove(ports, call, parseId('file', path['file_id'])) };
  };
}
