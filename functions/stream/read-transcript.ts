import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { readTranscript as read, TranscriptQuery } from '#shared/transcripts/read-transcript.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/reverie/sessions/{session_id}/transcript: 200 with all of the log so far, or 404. */
export function readTranscript(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    return await read(ports, call, id, parseQuery(TranscriptQuery, query));
  };
}
