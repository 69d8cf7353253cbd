import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { redactVersion } from '#shared/memory/versions.ts';

/**
 * POST /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact: 200 with what
 * is left of it, 400 while its memory has it, or 404.
 */
export function redactMemoryVersion(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const version_id = parseId('memory_version', path['memory_version_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await redactVersion(ports, call, { store_id, version_id }) };
  };
}
