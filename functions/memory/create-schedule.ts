import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { createSchedule as create } from '#shared/dream-schedules/create-schedule.ts';
import type { SchedulePorts } from '#shared/dream-schedules/schedule-ports.ts';
import { ScheduleCreate } from '#shared/dream-schedules/schedule-wire.ts';

/** POST /v1/reverie/dream_schedules: 200 with the schedule, 400 or 404. */
export function createSchedule(ports: SchedulePorts): Route {
  return async ({ body, call }) => {
    return { status: 200, body: await create(ports, call, parseBody(ScheduleCreate, body)) };
  };
}
