import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listRuns } from '#shared/dream-schedules/read-schedule.ts';
import { RunListQuery } from '#shared/dream-schedules/schedule-wire.ts';

/** GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs: 200 with a page, newest first, 400 or 404. */
export function listScheduleRuns(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('dream_schedule', path['dream_schedule_id']);
    return { status: 200, body: await listRuns(ports, call, id, parseQuery(RunListQuery, query)) };
  };
}
