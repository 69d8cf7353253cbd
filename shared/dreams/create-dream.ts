import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { listKeys } from '../core/listing.ts';
import { ConditionFailed, type Table, type Write } from '../core/table.ts';
import { storeArchived } from '../memory/explain.ts';
import { storeKey } from '../memory/memory.ts';
import { readStore } from '../memory/read-store.ts';
import { unknownSession } from '../sessions/read-session.ts';
import { sessionKey, type SessionHead } from '../sessions/session.ts';
import {
  dreamExecution,
  dreamKey,
  holdKey,
  no_dream_usage,
  type DreamHead,
  type HoldRow,
  type Processing,
} from './dream.ts';
import type { DreamInput, DreamPorts } from './dream-ports.ts';
import type { DreamCreate } from './dream-wire.ts';
import { showDream, type Dream } from './show-dream.ts';

/** 60 random bits, made after the sessions: nobody in a transcript knows them. It is sent with every event. */
const BOUNDARY_CHARS = 12;

/** Places of the writes of a creation. */
export const LIVE_STORE = 1;
const HOLD = 2;

/**
 * `POST /v1/dreams`: the dream, and for `update_existing` its hold of the store, in one transaction;
 * then its first run. A start that is lost is made good by reconcile.
 *
 * @throws Fault `missing` for an unknown store or session; `invalid` for an archived store; `held`
 *   while another dream writes into the store
 */
export async function createDream(
  ports: DreamPorts,
  call: Call,
  body: DreamCreate,
): Promise<Dream> {
  const { memory_store_id, session_ids } = body.inputs;
  await checkStore(ports.table, call, parseId('memory_store', memory_store_id));
  await checkSessions(ports.table, call, session_ids);
  const { workspace_id } = call;
  const head = newDream(ports, { ...body, workspace_id, dream_id: ports.newId('dream') });
  const answer = await commitNew(ports, call, head);
  // Another request with the same Idempotency-Key may have come first: its dream is started.
  if (answer.id === head.dream_id) await startDream(ports, head);
  return answer;
}

/** Start the first run of a dream that has been written; lost, reconcile makes it good. */
export async function startDream(
  { dreams, startLost }: Pick<DreamPorts, 'dreams' | 'startLost'>,
  { dream_id, run }: DreamHead,
): Promise<void> {
  const input: DreamInput = { dream_id, run };
  await dreams.start(dreamExecution(dream_id, run), input).catch(startLost);
}

async function checkStore(table: Table, call: Call, store_id: string): Promise<void> {
  const store = await readStore(table, call.workspace_id, store_id);
  if (store.archived_at !== null) throw storeArchived(store_id);
}

async function checkSessions(
  table: Table,
  { workspace_id }: Call,
  session_ids: readonly string[],
): Promise<void> {
  const keys = session_ids.map((id) => sessionKey(parseId('session', id)));
  const found = new Set(
    ((await table.getMany(keys)) as SessionHead[])
      .filter((head) => head.workspace_id === workspace_id && head.deleted_at === null)
      .map(({ session_id }) => session_id),
  );
  const missing = session_ids.find((id) => !found.has(id));
  if (missing !== undefined) throw unknownSession(missing);
}

/** What a dream is made of: a client's wish, or what a schedule has chosen. */
export interface NewDream extends DreamCreate {
  readonly workspace_id: string;
  readonly dream_id: string;
  readonly scheduled?: DreamHead['scheduled'];
  /** @default standard */
  readonly processing?: Processing;
}

/** The head of a dream that is about to begin. */
export function newDream(
  ports: Pick<DreamPorts, 'clock' | 'newId' | 'newName'>,
  { workspace_id, dream_id: id, scheduled, processing = 'standard', ...body }: NewDream,
): DreamHead {
  const { memory_store_id, session_ids } = body.inputs;
  const created_at = timestamp(ports.clock);
  return {
    ...dreamKey(id),
    schema: 1,
    version: 1,
    dream_id: id,
    workspace_id,
    status: 'pending',
    stage: 'gather',
    memory_store_id,
    session_ids,
    model: body.model,
    ...(processing === 'standard' ? {} : { processing }),
    instructions: body.instructions ?? null,
    output_behavior: body.output_behavior,
    copy_store_id: ports.newId('memory_store'),
    output_store_id: null,
    pipeline_session_id: ports.newId('session'),
    session_id: null,
    boundary: ports.newName().slice(-BOUNDARY_CHARS),
    error: null,
    usage: no_dream_usage,
    cost_microcents: 0,
    recommended: null,
    created_at,
    ended_at: null,
    archived_at: null,
    ...(scheduled === undefined ? {} : { scheduled }),
    run: 1,
    ...listKeys(workspace_id, 'dream', { id, created_at }),
    gsi2pk: 'DREAMING',
    gsi2sk: `${created_at}#${id}`,
  };
}

/** The rows of a dream that begins, in this order: its head, its live store, its hold of that. */
export function dreamWrites(head: DreamHead): Write[] {
  const { memory_store_id: store_id, dream_id } = head;
  const hold: HoldRow = { ...holdKey(store_id), dream_id };
  return [
    { put: head, condition: 'attribute_not_exists(pk)' },
    {
      check: storeKey(store_id),
      condition: 'deleted_at = :null AND archived_at = :null',
      values: { ':null': null },
    },
    ...(head.output_behavior.type === 'update_existing'
      ? [{ put: hold, condition: 'attribute_not_exists(pk)' }]
      : []),
  ];
}

async function commitNew(ports: DreamPorts, call: Call, head: DreamHead): Promise<Dream> {
  const { memory_store_id: store_id } = head;
  try {
    return await commit(ports, call, dreamWrites(head), { answer: showDream(head) });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    if (error.failed.includes(HOLD)) throw held(store_id, error.rows[HOLD] as HoldRow | undefined);
    // Archived or deleted since it was read.
    if (error.failed.includes(LIVE_STORE)) await checkStore(ports.table, call, store_id);
    throw error;
  }
}

function held(store_id: string, hold: HoldRow | undefined): Fault {
  const who = hold === undefined ? 'Another dream' : `Dream ${hold.dream_id}`;
  return new Fault(
    'held',
    `${who} writes into memory store '${store_id}' and has not fully stopped. Wait until it has, or cancel it, and try again.`,
  );
}
