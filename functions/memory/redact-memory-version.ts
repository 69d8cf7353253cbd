import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import type { DeleteStorePorts } from '#shared/memory/delete-store.ts';
import { redactVersion } from '#shared/memory/versions.ts';
import { redactDreamsNow } from '#shared/redactions/redact-dreams.ts';

/**
 * POST /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact: 200 with what
 * is left of it, 400 while its memory has it, or 404.
 */
export function redactMemoryVersion(ports: DeleteStorePorts): Route {
  return async ({ path, body, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const version_id = parseId('memory_version', path['memory_version_id']);
    parseBody(NoBody, body);
    const redacted = await redactVersion(ports, call, { store_id, version_id });
    await redactDreamsNow(ports, version_id);
    return { status: 200, body: redacted };
  };
}
