import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { getSchedule } from '#shared/dream-schedules/read-schedule.ts';

/** GET /v1/reverie/dream_schedules/{dream_schedule_id}: 200 or 404. */
export function readSchedule(ports: Ports): Route {
  return async ({ path, query, call }) => {
    parseQuery(NoQuery, query);
    const id = parseId('dream_schedule', path['dream_schedule_id']);
    return { status: 200, body: await getSchedule(ports, call, id) };
  };
}
