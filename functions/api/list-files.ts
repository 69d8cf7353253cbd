import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { FileListQuery, OldFileListQuery } from '#shared/api-files/file-wire.ts';
import { listFiles as list, listOldFiles } from '#shared/api-files/list-files.ts';
import { asksOldShape } from '#shared/api-files/show-file.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/files: 200 with a page, newest first, or 400. */
export function listFiles(ports: Ports): Route {
  return async ({ query, betas, call }) => ({
    status: 200,
    body: asksOldShape(betas)
      ? await listOldFiles(ports, call, parseQuery(OldFileListQuery, query))
      : await list(ports, call, parseQuery(FileListQuery, query)),
  });
}
