import { downloadFile as download } from '#shared/api-files/download-file.ts';
import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/files/{file_id}/content: the bytes, 400 for what people have uploaded, or 404. */
export function downloadFile(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    parseQuery(NoQuery, query);
    return await download(ports, call, parseId('file', path['file_id']));
  };
}
