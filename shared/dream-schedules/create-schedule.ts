import { agentKey } from '../agents/agent.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { listKeys } from '../core/listing.ts';
import type { Table } from '../core/table.ts';
import { providerBatches } from '../models/batches.ts';
import { storeArchived } from '../memory/explain.ts';
import { readStore } from '../memory/read-store.ts';
import { dueAfter } from '../schedules/cron.ts';
import { placeOf, scheduleKey, type ScheduleHead } from './schedule.ts';
import type { SchedulePorts } from './schedule-ports.ts';
import type { ScheduleCreate } from './schedule-wire.ts';
import { findSchedule } from './read-schedule.ts';
import { showSchedule, type DreamSchedule } from './show-schedule.ts';

/**
 * `POST /v1/reverie/dream_schedules`: the row first, its timer second. A timer that is not made is made
 * by reconcile.
 *
 * @throws Fault `missing` for an unknown store or agent; `invalid` for an archived store, and for batches
 *   that the provider has none of
 */
export async function createSchedule(
  ports: SchedulePorts,
  call: Call,
  body: ScheduleCreate,
): Promise<DreamSchedule> {
  checkProcessing(ports, body);
  await checkNamed(ports.table, call, body);
  const head = newSchedule(ports, call, body);
  const write = { put: head, condition: 'attribute_not_exists(pk)' };
  const answer = showSchedule(head, ports.clock.now());
  const given = await commit(ports, call, [write], { answer });
  return await synced(ports, given);
}

/** Tell the timers, and show the schedule as it then is. */
export async function synced(ports: SchedulePorts, shown: DreamSchedule): Promise<DreamSchedule> {
  try {
    await ports.firing.sync(shown.id);
    const head = await findSchedule(ports.table, shown.id);
    return head === undefined ? shown : showSchedule(head, ports.clock.now());
  } catch (error) {
    ports.firingLost(error);
    return shown;
  }
}

/** What would only fail at night is refused by day. @throws Fault `invalid` */
export function checkProcessing(
  { model_provider }: Pick<SchedulePorts, 'model_provider'>,
  { processing }: Partial<Pick<ScheduleCreate, 'processing'>>,
): void {
  if (processing !== 'batch' || providerBatches(model_provider)) return;
  throw new Fault(
    'invalid',
    `processing: the models of this deployment are reached through '${model_provider}', which has no Message Batches. Use 'standard', or deploy with another reverie:model_provider.`,
  );
}

/** Everything that a schedule names must be there. */
export async function checkNamed(
  table: Table,
  call: Call,
  named: Partial<Pick<ScheduleCreate, 'memory_store_id' | 'sessions' | 'federation'>>,
): Promise<void> {
  const { memory_store_id, sessions, federation } = named;
  const stores = [
    ...(memory_store_id === undefined ? [] : [memory_store_id]),
    ...(federation?.memory_store_ids ?? []),
  ];
  for (const store_id of stores) {
    const store = await readStore(table, call.workspace_id, store_id);
    if (store.archived_at !== null) throw storeArchived(store_id);
  }
  const agent_id = sessions?.agent_id ?? null;
  if (agent_id === null) return;
  const agent = await table.get(agentKey(agent_id));
  if (agent?.['workspace_id'] === call.workspace_id) return;
  throw new Fault('missing', `sessions.agent_id: agent '${agent_id}' was not found.`);
}

function newSchedule(
  { clock, newId }: SchedulePorts,
  { workspace_id, api_key_id }: Call,
  { schedule: cron, ...wanted }: ScheduleCreate,
): ScheduleHead {
  const id = newId('dream_schedule');
  const created_at = timestamp(clock);
  const head = {
    ...scheduleKey(id),
    schema: 1,
    version: 1,
    dream_schedule_id: id,
    workspace_id,
    ...wanted,
    cron,
    paused_reason: null,
    config_version: 1,
    synced_version: 0,
    timer_error: null,
    due_at: dueAfter(cron, clock.now().getTime()),
    last_run_at: null,
    active: null,
    failures_count: 0,
    created_at,
    created_by: api_key_id,
    updated_at: created_at,
    archived_at: null,
    ...listKeys(workspace_id, 'dream_schedule', { id, created_at }),
  } as const;
  return { ...head, ...placeOf(head) };
}
