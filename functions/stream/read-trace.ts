import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { readTrace as read } from '#shared/traces/read-trace.ts';
import { TraceQuery } from '#shared/traces/trace-wire.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/reverie/sessions/{session_id}/trace: 200 with JSON, or 404. */
export function readTrace(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    return await read(ports, call, id, parseQuery(TraceQuery, query));
  };
}
