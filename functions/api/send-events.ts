import { parseId } from '#shared/core/id.ts';
import { parseSend } from '#shared/events/params.ts';
import { sendEvents as send, type SendPorts } from '#shared/events/send.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/sessions/{session_id}/events: 200 with the events as stored, 400 or 404. */
export function sendEvents(ports: SendPorts): Route {
  return async ({ path, body, call }) => {
    const id = parseId('session', path['session_id']);
    return { status: 200, body: await send(ports, call, id, parseSend(body)) };
  };
}
