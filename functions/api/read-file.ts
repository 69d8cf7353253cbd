import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { readFile as read } from '#shared/api-files/read-file.ts';
import { asksOldShape, showFile, toOldShape } from '#shared/api-files/show-file.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/files/{file_id}: 200 with what is known of it, also for a month after it expired, or 404. */
export function readFile(ports: Ports): Route {
  return async ({ path, query, betas, call }) => {
    parseQuery(NoQuery, query);
    const file = showFile(await read(ports, call, parseId('file', path['file_id'])));
    return { status: 200, body: asksOldShape(betas) ? toOldShape(file) : file };
  };
}
