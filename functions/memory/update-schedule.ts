import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { updateSchedule as update } from '#shared/dream-schedules/change-schedule.ts';
import type { SchedulePorts } from '#shared/dream-schedules/schedule-ports.ts';
import { ScheduleUpdate } from '#shared/dream-schedules/schedule-wire.ts';

/** POST /v1/reverie/dream_schedules/{dream_schedule_id}: 200 with the schedule, 400 or 404. */
export function updateSchedule(ports: SchedulePorts): Route {
  return async ({ path, body, call }) => {
    const id = parseId('dream_schedule', path['dream_schedule_id']);
    return { status: 200, body: await update(ports, call, id, parseBody(ScheduleUpdate, body)) };
  };
}
