import { ConditionFailed } from '../core/table.ts';
import type { DreamHead } from '../dreams/dream.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import type { DreamApply } from '../reviews/show-review.ts';
import { federate } from './federate.ts';
import { findSchedule } from './read-schedule.ts';
import { runKey, type RunRow } from './run.ts';

/**
 * What follows when changes of a scheduled dream went into the schedule's store, or out of it: shared
 * playbooks go to other stores, or are withdrawn, and the history says so. Runs twice: says the same.
 */
export async function afterApply(
  ports: MemoryPorts,
  { scheduled }: DreamHead,
  apply: DreamApply,
): Promise<void> {
  if (scheduled === undefined || apply.remaining_count > 0) return;
  const head = await findSchedule(ports.table, scheduled.dream_schedule_id);
  if (head === undefined || apply.memory_store_id !== head.memory_store_id) return;
  const federation = head.federation === null ? null : await federate(ports, head);
  const state = apply.state === 'rolled_back' ? 'rolled_back' : 'applied';
  const facts: Partial<RunRow> = {
    apply_id: apply.id,
    applied_count: apply.applied_count,
    conflict_count: apply.conflict_count,
    ...(federation === null ? {} : { federation }),
  };
  const is_end = apply.applied_count > 0 || apply.state === 'rolled_back';
  // A run that has not ended is ended by whoever delivers its dream.
  const is_written = await setRun(ports, scheduled, {
    fields: { ...facts, ...(is_end ? { state } : {}) },
    condition: 'ended_at <> :null',
  });
  if (is_written) return;
  await setRun(ports, scheduled, { fields: facts, condition: 'ended_at = :null' });
}

interface RunChange {
  readonly fields: Partial<RunRow>;
  readonly condition: string;
}

/** @returns false when the condition did not hold */
async function setRun(
  { table }: MemoryPorts,
  { dream_schedule_id, run_id }: NonNullable<DreamHead['scheduled']>,
  { fields, condition }: RunChange,
): Promise<boolean> {
  const entries = Object.entries(fields);
  try {
    await table.update({
      update: runKey(dream_schedule_id, run_id),
      expression: `SET ${entries.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      condition: `attribute_exists(pk) AND ${condition}`,
      names: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
      values: {
        ...Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
        ':null': null,
      },
    });
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
