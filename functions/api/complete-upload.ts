import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { completeUpload as complete } from '#shared/api-files/direct-upload.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/reverie/files/{file_id}/complete: 200 with the file, 404, or 409 without its bytes. */
export function completeUpload(ports: Ports): Route {
  return async ({ path, body, call }) => {
    parseBody(NoBody, body);
    return { status: 200, body: await complete(ports, call, parseId('file', path['file_id'])) };
  };
}
