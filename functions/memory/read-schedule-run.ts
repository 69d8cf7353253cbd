import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { getRun } from '#shared/dream-schedules/read-schedule.ts';

/** GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs/{run_id}: 200 or 404. */
export function readScheduleRun(ports: Ports): Route {
  return async ({ path, query, call }) => {
    parseQuery(NoQuery, query);
    const schedule_id = parseId('dream_schedule', path['dream_schedule_id']);
    const run_id = parseId('dream_schedule_run', path['run_id']);
    return { status: 200, body: await getRun(ports, call, { schedule_id, run_id }) };
  };
}
