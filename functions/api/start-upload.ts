import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { startUpload as start } from '#shared/api-files/direct-upload.ts';
import { UploadCreate } from '#shared/api-files/file-wire.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/reverie/files: 200 with the pending file and where its bytes go, or 400. */
export function startUpload(ports: Ports): Route {
  return async ({ body, call }) => ({
    status: 200,
    body: await start(ports, call, parseBody(UploadCreate, body)),
  });
}
