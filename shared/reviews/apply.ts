import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import type { Write } from '../core/table.ts';
import type { DreamHead } from '../dreams/dream.ts';
import { readDream } from '../dreams/dreams.ts';
import { afterApply } from '../dream-schedules/after-apply.ts';
import { storeArchived } from '../memory/explain.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { readStore } from '../memory/read-store.ts';
import { INDEX_PATH } from '../playbooks/index-page.ts';
import { goThrough, type Way } from './apply-parts.ts';
import { openReview } from './adopt.ts';
import { isRedacted, type Change } from './change.ts';
import { heldAt } from './held-at.ts';
import { planApply, type Plan } from './plan-changes.ts';
import { heldBy, readApply, readChanges, type Apply, type Review } from './read-review.ts';
import { refreshIndex } from './refresh-index.ts';
import { applyKey, refusedBy, reviewKey, type ApplyRow, type DecisionRow } from './review-rows.ts';
import type { ApplyCreate } from './review-wire.ts';
import { decidedChange, showApply, type DreamApply } from './show-review.ts';

/**
 * Write the accepted changes into a store, each under the condition that what it was made from still
 * stands there, or what whoever accepted it has named. A repeat goes on with an apply that is under way, tries again what was a conflict,
 * and otherwise shows what the last one has done: no change is written twice.
 *
 * @throws Fault `missing`; `invalid` for an archived store and when nothing is accepted
 */
export async function applyChanges(
  ports: MemoryPorts,
  call: Call,
  dream_id: string,
  { memory_store_id: store_id }: ApplyCreate,
): Promise<DreamApply> {
  const dream = await readDream(ports.table, call, dream_id);
  const store = await readStore(ports.table, call.workspace_id, parseId('memory_store', store_id));
  if (store.archived_at !== null) throw storeArchived(store_id);
  const changes = await readChanges(ports, dream);
  const { row, decisions } = await again(`the review of dream '${dream_id}'`, async () => {
    const review = await openReview(ports, dream, changes);
    const begun = await beginRound(ports, call, { dream, store_id, changes, review });
    return { row: begun, decisions: review.decisions };
  });
  if (row.state === 'applying') {
    await goThrough(ports, call, row, wayIn(ports, row, { changes, decisions }));
  }
  const apply = await readApply(ports.table, dream_id, row.apply_id);
  if (apply.row.state === 'applied' && heldBy(apply).size > 0) {
    await refreshIndex(ports, call, store_id);
  }
  const answer = showApply(apply);
  await afterApply(ports, dream, answer);
  return await commit(ports, call, [], { answer });
}

interface Beginning {
  readonly dream: DreamHead;
  readonly store_id: string;
  readonly changes: ReadonlyMap<string, Change>;
  readonly review: Review;
}

/** @throws ConditionFailed when somebody has decided or applied meanwhile */
async function beginRound(
  ports: Ports,
  call: Call,
  { dream, store_id, changes, review }: Beginning,
): Promise<ApplyRow> {
  const here = review.applies.filter(({ row }) => row.memory_store_id === store_id);
  const open = here.find(({ row }) => row.state === 'applying');
  if (open !== undefined) return open.row;
  const held = new Set(here.flatMap((apply) => [...heldBy(apply)]));
  const change_ids = [...changes.keys()].filter(
    (id) => review.decisions.get(id)?.state === 'accepted' && !held.has(id),
  );
  const last = here.at(-1);
  if (last !== undefined && change_ids.length === 0) return last.row;
  if (change_ids.length === 0) throw nothingAccepted();
  const is_repeat =
    last?.row.state === 'applied' &&
    last.row.decisions_count === review.decisions_count &&
    change_ids.every((id) => last.outcomes.get(id)?.outcome === 'conflict');
  const row: ApplyRow = is_repeat
    ? { ...last.row, state: 'applying', round: last.row.round + 1, change_ids, reached: 0 }
    : await firstRound(ports, call, { dream_id: dream.dream_id, store_id, change_ids, review });
  await ports.table.transact([beginning(row, last), counting(dream.dream_id, review)]);
  return row;
}

async function firstRound(
  ports: Ports,
  call: Call,
  begun: Pick<ApplyRow, 'dream_id' | 'change_ids'> & Pick<Beginning, 'store_id' | 'review'>,
): Promise<ApplyRow> {
  const { dream_id, store_id, change_ids, review } = begun;
  const apply_id = ports.newId('apply');
  return {
    ...applyKey(dream_id, apply_id),
    schema: 1,
    apply_id,
    dream_id,
    memory_store_id: store_id,
    state: 'applying',
    round: 1,
    change_ids,
    reached: 0,
    makes_index: !(await heldAt(ports, store_id, [INDEX_PATH])).has(INDEX_PATH),
    decisions_count: review.decisions_count,
    created_at: timestamp(ports.clock),
    created_by: call.api_key_id,
    rolled_back_at: null,
    rolled_back_by: null,
  };
}

function beginning(row: ApplyRow, last: Apply | undefined): Write {
  if (row.apply_id !== last?.row.apply_id) {
    return { put: row, condition: 'attribute_not_exists(pk)' };
  }
  return roundWrite(row, last.row);
}

/** A further round of an apply, when nobody else has begun one. */
export function roundWrite(next: ApplyRow, seen: ApplyRow): Write {
  return {
    put: next,
    condition: 'round = :round AND reached = :reached AND #state = :state',
    names: { '#state': 'state' },
    values: { ':round': seen.round, ':reached': seen.reached, ':state': seen.state },
  };
}

/** An apply demands that nobody has decided or applied since it looked. */
function counting(dream_id: string, { decisions_count, applies_count }: Review): Write {
  return {
    update: reviewKey(dream_id),
    expression: 'ADD applies_count :one',
    condition: 'decisions_count = :decisions AND applies_count = :applies',
    values: { ':one': 1, ':decisions': decisions_count, ':applies': applies_count },
  };
}

function nothingAccepted(): Fault {
  return new Fault('invalid', 'No change of this dream is accepted. Accept some first.', {
    details: { error_code: 'dream_nothing_accepted' },
  });
}

/** A text of the operator's own is written by hand; what is taken as it is stays the dream's. */
async function toApply(ports: MemoryPorts, change: Change, decision: DecisionRow | undefined) {
  const { edits } = await decidedChange(ports, change, decision);
  return {
    edits,
    is_edited: decision?.text !== undefined,
    is_redacted: isRedacted(change),
    replaces: decision?.replaces,
  };
}

interface Decided {
  readonly changes: ReadonlyMap<string, Change>;
  readonly decisions: ReadonlyMap<string, DecisionRow>;
}

function wayIn(ports: MemoryPorts, { memory_store_id, dream_id }: ApplyRow, decided: Decided): Way {
  return {
    plan: async (change_ids) => {
      const changes = await Promise.all(
        change_ids.flatMap((id) => {
          const change = decided.changes.get(id);
          return change === undefined ? [] : [toApply(ports, change, decided.decisions.get(id))];
        }),
      );
      const paths = changes.flatMap(({ edits }) => edits.map(({ path }) => path));
      const held = await heldAt(ports, memory_store_id, paths);
      return changes.map(({ edits, is_edited, is_redacted, replaces }): Plan =>
        is_redacted
          ? { is: 'conflict', conflicts: [{ reason: 'redacted', path: null }] }
          : planApply({ edits, dreamt_by: is_edited ? undefined : dream_id, replaces }, held),
      );
    },
    done: (change_id, written) => ({ change_id, outcome: 'applied', written }),
    conflict: (change_id, conflicts) => ({
      change_id,
      outcome: 'conflict',
      ...refusedBy(conflicts),
    }),
    ends: 'applied',
  };
}
