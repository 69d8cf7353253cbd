import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { FileHistoryQuery, readFileHistory as read } from '#shared/traces/file-history.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/reverie/sessions/{session_id}/files/history: 200 with a page, 400 or 404. */
export function readFileHistory(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    const page = await read(ports, call, id, parseQuery(FileHistoryQuery, query));
    return { headers: { 'content-type': 'application/json' }, chunks: once(JSON.stringify(page)) };
  };
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
