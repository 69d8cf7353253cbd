import { ConditionFailed } from '../core/table.ts';
import type { DreamHead } from '../dreams/dream.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { readReview } from '../reviews/read-review.ts';
import { showApply, type DreamApply } from '../reviews/show-review.ts';
import { federate } from './federate.ts';
import { findSchedule } from './read-schedule.ts';
import { runKey, type RunRow } from './run.ts';

/**
 * What follows when changes of a scheduled dream went into the schedule's store, or out of it: shared
 * playbooks go to other stores, or are withdrawn, and the history says so. Runs twice: says the same.
 */
export async function afterApply(
  ports: MemoryPorts,
  { dream_id, scheduled }: DreamHead,
  apply: DreamApply,
): Promise<void> {
  if (scheduled === undefined || apply.remaining_count > 0) return;
  const head = await findSchedule(ports.table, scheduled.dream_schedule_id);
  if (head === undefined || apply.memory_store_id !== head.memory_store_id) return;
  const federation = head.federation === null ? null : await federate(ports, head);
  const { is_held, ...counts } = await inStore(ports, dream_id, apply);
  const is_back = apply.state === 'rolled_back' && !is_held;
  const state = is_back ? 'rolled_back' : 'applied';
  const facts: Partial<RunRow> = { ...counts, ...(federation === null ? {} : { federation }) };
  const is_end = counts.applied_count > 0 || is_back;
  // A run that has not ended is ended by whoever delivers its dream.
  const is_written = await setRun(ports, scheduled, {
    fields: { ...facts, ...(is_end ? { state } : {}) },
    condition: 'ended_at <> :null',
  });
  if (is_written) return;
  await setRun(ports, scheduled, { fields: facts, condition: 'ended_at = :null' });
}

interface InStore extends Pick<RunRow, 'apply_id' | 'applied_count' | 'conflict_count'> {
  /** Whether another apply than this one has changes in the store. */
  readonly is_held: boolean;
}

/** What all applies to the store come to: who goes on after a conflict has more than one. */
async function inStore(
  { table }: MemoryPorts,
  dream_id: string,
  { id, memory_store_id }: DreamApply,
): Promise<InStore> {
  const review = await readReview(table, dream_id);
  const applies = review.applies
    .filter(({ row }) => row.memory_store_id === memory_store_id)
    .map(showApply);
  // The newest look at a change counts, as in the review.
  const newest = new Map(
    applies.flatMap(({ changes }) => changes.map((one) => [one.change_id, one.conflict] as const)),
  );
  const holding = applies.filter(({ applied_count }) => applied_count > 0);
  return {
    apply_id: holding.at(-1)?.id ?? id,
    applied_count: holding.reduce((sum, { applied_count }) => sum + applied_count, 0),
    conflict_count: [...newest.values()].filter((conflict) => conflict !== null).length,
    is_held: holding.some((one) => one.id !== id),
  };
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
