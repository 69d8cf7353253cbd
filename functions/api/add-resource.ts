import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { addFile } from '#shared/resources/add-file.ts';
import { FileParams } from '#shared/resources/resource-wire.ts';

/** POST /v1/sessions/{session_id}/resources: 200 with the file's resource, 400, 404 or 413. */
export function addResource(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('session', path['session_id']);
    return { status: 200, body: await addFile(ports, call, id, parseBody(FileParams, body)) };
  };
}
