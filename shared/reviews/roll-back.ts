import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import type { Ports } from '../core/ports.ts';
import { afterApply } from '../dream-schedules/after-apply.ts';
import { readDream } from '../dreams/dreams.ts';
import { storeArchived } from '../memory/explain.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { findMemory, findVersion, readStore, textOf } from '../memory/read-store.ts';
import { lifeOf } from '../memory-history/restore-memory.ts';
import { goThrough, type Way } from './apply-parts.ts';
import { roundWrite } from './apply.ts';
import { heldAt } from './held-at.ts';
import { planRollback, type Undo } from './plan-changes.ts';
import { heldBy, isApplied, readApply, readReview, type Apply } from './read-review.ts';
import { refreshIndex } from './refresh-index.ts';
import { refusedBy, type ApplyRow, type Written } from './review-rows.ts';
import { showApply, type DreamApply } from './show-review.ts';

/**
 * Take back what one apply has written, the last change first, wherever nobody has touched it since.
 * A repeat goes on with it, and tries again what was a conflict.
 *
 * @throws Fault `missing`; `invalid` for an archived store
 */
export async function rollBack(
  ports: MemoryPorts,
  call: Call,
  { dream_id, apply_id }: { readonly dream_id: string; readonly apply_id: string },
): Promise<DreamApply> {
  const dream = await readDream(ports.table, call, dream_id);
  const { row, apply } = await again(`apply '${apply_id}'`, async () => {
    const seen = await readApply(ports.table, dream_id, apply_id);
    const store_id = seen.row.memory_store_id;
    const store = await readStore(ports.table, call.workspace_id, store_id);
    if (store.archived_at !== null) throw storeArchived(store_id);
    return { row: await beginRound(ports, call, seen), apply: seen };
  });
  if (row.state === 'rolling_back') await goThrough(ports, call, row, wayOut(ports, row, apply));
  const { applies } = await readReview(ports.table, dream_id);
  const after = applies.find((each) => each.row.apply_id === apply_id) ?? apply;
  if (after.row.state === 'rolled_back') await indexAfter(ports, call, after, applies);
  const answer = showApply(after);
  await afterApply(ports, dream, answer);
  return await commit(ports, call, [], { answer });
}

/** An index that came with this apply goes with it, unless there is still something of the dream. */
async function indexAfter(
  ports: MemoryPorts,
  call: Call,
  { row }: Apply,
  applies: readonly Apply[],
): Promise<void> {
  const { memory_store_id, makes_index } = row;
  const others = applies.filter((each) => each.row.memory_store_id === memory_store_id);
  const is_unwanted = makes_index && others.every((each) => heldBy(each).size === 0);
  await refreshIndex(ports, call, memory_store_id, is_unwanted);
}

/** @throws ConditionFailed when the apply went on, or another rollback of it has begun */
async function beginRound(ports: Ports, call: Call, { row, outcomes }: Apply): Promise<ApplyRow> {
  if (row.state === 'rolling_back') return row;
  const change_ids = [...outcomes.keys()].filter((id) => isApplied(outcomes.get(id))).toReversed();
  if (row.state === 'rolled_back' && change_ids.length === 0) return row;
  const next: ApplyRow = {
    ...row,
    state: change_ids.length === 0 ? 'rolled_back' : 'rolling_back',
    round: row.round + 1,
    change_ids,
    reached: 0,
    rolled_back_at: row.rolled_back_at ?? timestamp(ports.clock),
    rolled_back_by: row.rolled_back_by ?? call.api_key_id,
  };
  await ports.table.transact([roundWrite(next, row)]);
  return next;
}

function wayOut(ports: MemoryPorts, { memory_store_id }: ApplyRow, { outcomes }: Apply): Way {
  const writtenOf = (id: string): readonly Written[] => {
    const outcome = outcomes.get(id);
    return outcome !== undefined && 'written' in outcome ? outcome.written : [];
  };
  return {
    plan: async (change_ids) => {
      const undos = await Promise.all(
        change_ids.map(
          async (id) =>
            await Promise.all(
              writtenOf(id).map(async (written) => await undoOf(ports, memory_store_id, written)),
            ),
        ),
      );
      const held = await heldAt(
        ports,
        memory_store_id,
        undos.flat().map(({ path }) => path),
      );
      return undos.map((each) => planRollback(each, held));
    },
    done: (change_id) => ({ change_id, outcome: 'rolled_back' }),
    conflict: (change_id, conflicts) => ({
      change_id,
      outcome: 'rollback_conflict',
      ...refusedBy(conflicts),
      written: writtenOf(change_id),
    }),
    ends: 'rolled_back',
  };
}

async function undoOf(ports: MemoryPorts, store_id: string, written: Written): Promise<Undo> {
  const { memory_id, before_version_id } = written;
  const [now, past] = await Promise.all([
    findMemory(ports.table, store_id, memory_id),
    before_version_id === null ? undefined : pastOf(ports, store_id, before_version_id),
  ]);
  const is_gone = now === undefined && past !== undefined && 'text' in past;
  const returns = is_gone ? await lifeOf(ports, { store_id, memory_id }) : undefined;
  return { ...written, now, past, returns };
}

async function pastOf(
  { table, blobs, clock }: Ports,
  store_id: string,
  version_id: string,
): Promise<NonNullable<Undo['past']>> {
  const version = await findVersion(table, { store_id, version_id }, timestamp(clock));
  if (version === undefined) return { gone: 'expired' };
  if (version.content === null) return { gone: 'redacted' };
  return { text: await textOf(blobs, version.content) };
}
