import type { Call } from '#shared/core/call.ts';
import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import type { SchedulePorts } from '#shared/dream-schedules/schedule-ports.ts';

/** What is done to a schedule and has no parameters. */
type Action = (ports: SchedulePorts, call: Call, id: string) => Promise<object>;

/** POST /v1/reverie/dream_schedules/{dream_schedule_id}/{pause,unpause,run,archive}: 200, 400 or 404. */
export function actOnSchedule(ports: SchedulePorts, act: Action): Route {
  return async ({ path, body, call }) => {
    const id = parseId('dream_schedule', path['dream_schedule_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await act(ports, call, id) };
  };
}
