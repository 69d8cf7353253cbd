import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { listByTime } from '../core/listing.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { runKey, type RunRow } from './run.ts';
import { scheduleKey, type ScheduleHead } from './schedule.ts';
import type { RunListQuery, ScheduleListQuery } from './schedule-wire.ts';
import { showRun, type DreamScheduleRun } from './show-run.ts';
import { showSchedule, type DreamSchedule } from './show-schedule.ts';

/** @throws Fault `missing`, also for another workspace's schedule */
export async function readSchedule(table: Table, call: Call, id: string): Promise<ScheduleHead> {
  const head = await findSchedule(table, id);
  if (head?.workspace_id === call.workspace_id) return head;
  throw new Fault('missing', `dream schedule '${id}' was not found.`);
}

export async function findSchedule(table: Table, id: string): Promise<ScheduleHead | undefined> {
  return (await table.get(scheduleKey(id))) as ScheduleHead | undefined;
}

export async function findRun(
  table: Table,
  schedule_id: string,
  run_id: string,
): Promise<RunRow | undefined> {
  return (await table.get(runKey(schedule_id, run_id))) as RunRow | undefined;
}

/** `GET /v1/reverie/dream_schedules/{dream_schedule_id}`. @throws Fault `missing` */
export async function getSchedule(ports: Ports, call: Call, id: string): Promise<DreamSchedule> {
  return showSchedule(await readSchedule(ports.table, call, id), ports.clock.now());
}

/** `GET /v1/reverie/dream_schedules`, newest first. @throws Fault `invalid` for a cursor */
export async function listSchedules(
  ports: Ports,
  call: Call,
  { limit, page, memory_store_id, include_archived }: ScheduleListQuery,
): Promise<Page<DreamSchedule>> {
  const now = ports.clock.now();
  const list = {
    limit,
    page,
    workspace_id: call.workspace_id,
    key: scheduleKey,
    noun: 'dream_schedule',
  } as const;
  return forwardOnly(
    await listByTime(ports.table, list, async (row) => {
      const head = row as ScheduleHead;
      if (head.archived_at !== null && !include_archived) return undefined;
      const is_wanted = memory_store_id === undefined || head.memory_store_id === memory_store_id;
      return is_wanted ? showSchedule(head, now) : undefined;
    }),
  );
}

/** What has happened, and why: the newest run first. @throws Fault `missing` */
export async function listRuns(
  ports: Ports,
  call: Call,
  id: string,
  { limit, page }: RunListQuery,
): Promise<Page<DreamScheduleRun>> {
  await readSchedule(ports.table, call, id);
  const { pk } = scheduleKey(id);
  const list = { kind: `runs ${id}`, order: 'desc', limit, page, from: 'R#', to: 'R#~' } as const;
  return forwardOnly(
    await readPage(list, async (stretch) => {
      const { rows, more } = await ports.table.query({ ...stretch, pk });
      return {
        entries: (rows as RunRow[]).map((row) => ({ position: row.sk, item: showRun(row) })),
        more,
      };
    }),
  );
}

/** @throws Fault `missing` */
export async function getRun(
  ports: Ports,
  call: Call,
  { schedule_id, run_id }: { readonly schedule_id: string; readonly run_id: string },
): Promise<DreamScheduleRun> {
  await readSchedule(ports.table, call, schedule_id);
  const row = await findRun(ports.table, schedule_id, run_id);
  if (row !== undefined) return showRun(row);
  throw new Fault('missing', `run '${run_id}' of dream schedule '${schedule_id}' was not found.`);
}
