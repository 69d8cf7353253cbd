import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { newName } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { store } from '../core/stored.ts';
import { ROW_SCHEMA, type Write } from '../core/table.ts';
import { dreamObject } from '../dreams/dream.ts';
import { readDream } from '../dreams/dreams.ts';
import { outputPath } from '../dreams/operation.ts';
import { isPlaybookPath, parsePlaybook } from '../playbooks/playbook.ts';
import { openReview } from './adopt.ts';
import { isRedacted, type Change } from './change.ts';
import { heldBy, readChanges, type Review } from './read-review.ts';
import { decisionKey, reviewKey, type DecisionRow } from './review-rows.ts';
import type { Decision } from './review-wire.ts';
import { showChange, stateOf, type DreamChange } from './show-review.ts';

export interface DecisionRequest {
  readonly dream_id: string;
  readonly change_id: string;
  readonly body: Decision;
}

/**
 * Accept, reject or edit one change; the last decision counts. Runs twice: decides the same again.
 *
 * @throws Fault `missing`; `invalid` for a text that its memory cannot hold and for a redacted change;
 *   `conflict` while the change is in a store
 */
export async function decideChange(
  ports: Ports,
  call: Call,
  { dream_id, change_id, body }: DecisionRequest,
): Promise<DreamChange> {
  const dream = await readDream(ports.table, call, dream_id);
  const changes = await readChanges(ports, dream);
  const change = changes.get(change_id);
  if (change === undefined) throw new Fault('missing', `change '${change_id}' was not found.`);
  if (body.decision !== 'reject') checkNotRedacted(change);
  if (body.decision === 'edit') checkText(change, body.text);
  const row: DecisionRow = {
    ...decisionKey(dream_id, change_id),
    schema: 1,
    change_id,
    state: body.decision === 'reject' ? 'rejected' : 'accepted',
    ...(body.decision === 'edit'
      ? {
          text: await store(
            ports.blobs,
            dreamObject(dream_id, `edits/${newName()}.json`),
            body.text,
          ),
        }
      : {}),
    ...replacing(body),
    decided_at: timestamp(ports.clock),
    decided_by: call.api_key_id,
  };
  return await again(`the review of dream '${dream_id}'`, async () => {
    const review = await openReview(ports, dream, changes);
    checkNotHeld(review, change_id);
    const decisions = new Map(review.decisions).set(change_id, row);
    const answer = await showChange(ports, dream, change, { ...review, decisions });
    // Overwrites: of two that decide at once the last one counts.
    return await commit(ports, call, [{ put: row }, counting(dream_id, review)], { answer });
  });
}

function replacing(body: Decision): Pick<DecisionRow, 'replaces'> {
  if (body.decision === 'reject' || body.replaces_memory_version_ids === undefined) return {};
  return { replaces: body.replaces_memory_version_ids };
}

/** What a decision demands of the review, and adds to it. */
function counting(dream_id: string, { applies_count }: Review): Write {
  return {
    update: reviewKey(dream_id),
    expression: 'SET #schema = :schema ADD decisions_count :one, applies_count :none',
    condition:
      applies_count === 0
        ? 'attribute_not_exists(pk) OR applies_count = :seen'
        : 'applies_count = :seen',
    names: { '#schema': 'schema' },
    values: { ':schema': ROW_SCHEMA, ':one': 1, ':none': 0, ':seen': applies_count },
  };
}

function checkNotHeld({ applies }: Review, change_id: string): void {
  const holder = applies.find((apply) => heldBy(apply).has(change_id));
  if (holder === undefined) return;
  const { apply_id, memory_store_id } = holder.row;
  throw new Fault(
    'conflict',
    `change '${change_id}' is in memory store '${memory_store_id}' by apply '${apply_id}'. Roll that back before you decide otherwise.`,
    { details: { error_code: 'dream_change_applied' } },
  );
}

function checkNotRedacted(change: Change): void {
  if (!isRedacted(change)) return;
  throw new Fault(
    'invalid',
    `decision: what change '${change.operation.change_id}' says, or was made from, was redacted since. Reject it, and write what you want into the memory itself.`,
    { details: { error_code: 'dream_change_redacted' } },
  );
}

function checkText({ operation }: Change, text: string): void {
  const path = outputPath(operation);
  if (path === undefined) {
    throw new Fault('invalid', 'decision: this change only ends memories. Accept or reject it.');
  }
  if (!isPlaybookPath(path)) return;
  const playbook = parsePlaybook(text);
  if (!('fault' in playbook)) return;
  throw new Fault(
    'invalid',
    `text: '${path}' is a playbook, and its front matter is wrong: ${playbook.fault}`,
  );
}

export interface AllAccepted {
  readonly type: 'dream_changes_accepted';
  readonly dream_id: string;
  /** Changes that this request has accepted. */
  readonly accepted_count: number;
}

/**
 * Accept every change on which nobody has decided, but for redacted ones. Runs twice or dies in between: what is accepted
 * is so, the rest is left for the repeat.
 *
 * @throws Fault `missing`
 */
export async function acceptAll(ports: Ports, call: Call, dream_id: string): Promise<AllAccepted> {
  const accepted_count = await decideRest(ports, call, dream_id, 'accepted');
  const answer = { type: 'dream_changes_accepted', dream_id, accepted_count } as const;
  return await commit(ports, call, [], { answer });
}

/**
 * Decide every change on which nobody has decided; whoever does may still be overruled.
 *
 * @returns how many these were
 * @throws Fault `missing`
 */
export async function decideRest(
  ports: Ports,
  call: Call,
  dream_id: string,
  state: DecisionRow['state'],
): Promise<number> {
  const dream = await readDream(ports.table, call, dream_id);
  const changes = await readChanges(ports, dream);
  const ids = [...changes].flatMap(([id, change]) =>
    state === 'accepted' && isRedacted(change) ? [] : [id],
  );
  let count = 0;
  await again(`the review of dream '${dream_id}'`, async () => {
    for (let from = 0; from < ids.length; from += BATCH) {
      const review = await openReview(ports, dream, changes);
      const open = ids.slice(from, from + BATCH).filter((id) => stateOf(review, id) === 'proposed');
      if (open.length === 0) continue;
      const writes = open.map((change_id) => decision(ports, call, { dream_id, change_id, state }));
      await ports.table.transact([...writes, counting(dream_id, review)]);
      count += open.length;
    }
  });
  return count;
}

/** One row is left for the review's own. */
const BATCH = limits.transaction_writes_max - 1;

interface Decided {
  readonly dream_id: string;
  readonly change_id: string;
  readonly state: DecisionRow['state'];
}

function decision(ports: Ports, call: Call, { dream_id, change_id, state }: Decided): Write {
  const put: DecisionRow = {
    ...decisionKey(dream_id, change_id),
    schema: 1,
    change_id,
    state,
    decided_at: timestamp(ports.clock),
    decided_by: call.api_key_id,
  };
  return { put, condition: 'attribute_not_exists(pk)' };
}
