import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { readGradeTranscript as read } from '#shared/outcomes/list-verdicts.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/reverie/sessions/{session_id}/outcome_evaluations/{evaluation_id}/transcript: 200 with JSON lines, or 404. */
export function readGradeTranscript(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    parseQuery(NoQuery, query);
    const id = parseId('session', path['session_id']);
    return await read(ports, call, id, parseId('event', path['evaluation_id']));
  };
}
