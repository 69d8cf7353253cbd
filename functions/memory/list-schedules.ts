import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listSchedules as list } from '#shared/dream-schedules/read-schedule.ts';
import { ScheduleListQuery } from '#shared/dream-schedules/schedule-wire.ts';

/** GET /v1/reverie/dream_schedules: 200 with a page, newest first, or 400. */
export function listSchedules(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(ScheduleListQuery, query)),
  });
}
