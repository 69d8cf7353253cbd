import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { newName } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { storePrefix, type StoreHead } from '../memory/memory.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { storeArchived } from '../memory/explain.ts';
import { readMemories, readStore } from '../memory/read-store.ts';
import { applySteps, type Conflict } from './apply-steps.ts';
import type { StoreRestoreBody } from './history-wire.ts';
import { NOW } from './past.ts';
import { readPast } from './read-history.ts';
import { readWorkCursor, unknownCursor, workCursor } from './work-cursor.ts';
import { planRestore, type Plan, type Step, type Unavailable } from './restore-plan.ts';

/** What one request of a restore has done; the counts and lists of all its requests add up. */
export interface StoreRestore {
  readonly type: 'memory_store_restore';
  readonly memory_store_id: string;
  readonly at: string;
  readonly created_count: number;
  readonly modified_count: number;
  readonly deleted_count: number;
  readonly unchanged_count: number;
  /** Memories that a later request will change. */
  readonly remaining_count: number;
  /** What the store held and cannot hold again. */
  readonly unavailable: readonly Unavailable[];
  /** What others have changed since the restore began, or keep from being restored. */
  readonly conflicts: readonly Conflict[];
  readonly next_cursor: string | null;
}

export interface RestoreRequest {
  readonly store_id: string;
  readonly body: StoreRestoreBody;
  /** After this no further transaction is begun. @default - `memory_work_ms` */
  readonly work_ms?: number;
}

/** What a restore that takes several requests keeps between them. */
interface Agenda {
  readonly at: string;
  readonly batches: readonly (readonly Step[])[];
}

/**
 * Bring a store to what it held at a time. Everything is decided in the first request and every
 * write demands what that has seen, so a write of others in between is told and not undone. Runs
 * twice, dies here, or reply lost: what is already as it was to be is counted and not written again.
 *
 * @throws Fault `missing`; `invalid` for an archived store, for a time when it was not there yet or that
 *   is to come, and for a cursor of another restore;
 *   `too_large` as {@link readPast}
 */
export async function restoreStore(
  ports: MemoryPorts,
  call: Call,
  { store_id, body, work_ms = limits.memory_work_ms }: RestoreRequest,
): Promise<StoreRestore> {
  const until_ms = performance.now() + work_ms;
  const head = await readStore(ports.table, call.workspace_id, store_id);
  if (head.archived_at !== null) throw storeArchived(store_id);
  const answer =
    typeof body.cursor === 'string'
      ? await goOn(ports, call, store_id, { cursor: body.cursor, until_ms })
      : await begin(ports, call, head, { ...body, until_ms });
  return await commit(ports, call, [], { answer });
}

async function begin(
  ports: MemoryPorts,
  call: Call,
  { memory_store_id: store_id, created_at }: StoreHead,
  { at = '', dry_run = false, until_ms }: StoreRestoreBody & { readonly until_ms: number },
): Promise<StoreRestore> {
  // Nothing of that time is known: to take it for an empty store would delete everything.
  if (Date.parse(at) < Date.parse(created_at)) {
    throw new Fault(
      'invalid',
      `at: lies before the memory store was created. The earliest time is ${created_at}.`,
    );
  }
  if (Date.parse(at) > ports.clock.now().getTime()) {
    throw new Fault('invalid', 'at: lies in the future. Use a time that has been.');
  }
  const plan = await planOf(ports, store_id, at);
  const first = { ...plan, at, from: 0 };
  if (dry_run) return answerOf(store_id, first, { steps: plan.batches.flat(), conflicts: [] });
  const done = await run(ports, call, store_id, { ...first, until_ms });
  if (done.next === undefined) return answerOf(store_id, first, done);
  const restore_id = newName();
  const agenda: Agenda = { at, batches: plan.batches };
  await ports.blobs.put(
    agendaKey(store_id, restore_id),
    JSON.stringify(agenda),
    'application/json',
  );
  return answerOf(store_id, first, done, cursorOf(restore_id, done.next));
}

async function planOf(ports: MemoryPorts, store_id: string, at: string): Promise<Plan> {
  // Memories first: whatever is written after this has a version that nothing here has seen.
  const rows = await readMemories(ports.table, store_id);
  const past = await readPast(ports, store_id, [at, NOW]);
  const memories = new Map(rows.map((row) => [row.memory_id, row]));
  return planRestore({ memories, spans: past.spans }, past.at(0));
}

async function goOn(
  ports: MemoryPorts,
  call: Call,
  store_id: string,
  { cursor, until_ms }: { readonly cursor: string; readonly until_ms: number },
): Promise<StoreRestore> {
  const [restore_id, from] = readCursor(cursor);
  const key = agendaKey(store_id, restore_id);
  if ((await ports.blobs.head(key)) === undefined) throw unknownCursor();
  const { at, batches } = JSON.parse(
    Buffer.from(await ports.blobs.get(key)).toString('utf8'),
  ) as Agenda;
  const rest = { at, batches, from, unchanged_count: 0, unavailable: [] };
  const done = await run(ports, call, store_id, { ...rest, until_ms });
  const next = done.next === undefined ? undefined : cursorOf(restore_id, done.next);
  return answerOf(store_id, rest, done, next);
}

/** A part of a restore: its batches from `from` on. */
interface Part extends Plan {
  readonly at: string;
  readonly from: number;
}

interface Done {
  readonly steps: readonly Step[];
  readonly conflicts: readonly Conflict[];
  /** The batch that is next; undefined at the end. */
  readonly next?: number | undefined;
}

/** At least one batch, so that every request gets on. */
async function run(
  ports: MemoryPorts,
  call: Call,
  store_id: string,
  { batches, from, until_ms }: Part & { readonly until_ms: number },
): Promise<Done> {
  const steps: Step[] = [];
  const conflicts: Conflict[] = [];
  for (const [index, batch] of batches.entries()) {
    if (index < from) continue;
    if (index > from && performance.now() > until_ms) return { steps, conflicts, next: index };
    const applied = await applySteps(ports, call, store_id, batch);
    steps.push(...applied.done);
    conflicts.push(...applied.conflicts);
  }
  return { steps, conflicts };
}

function answerOf(
  store_id: string,
  { at, batches, unchanged_count, unavailable }: Part,
  { steps, conflicts, next }: Done,
  next_cursor: string | null = null,
): StoreRestore {
  const count = (kind: Step['kind']): number => steps.filter((step) => step.kind === kind).length;
  return {
    type: 'memory_store_restore',
    memory_store_id: store_id,
    at,
    created_count: count('create'),
    modified_count: count('write'),
    deleted_count: count('delete'),
    unchanged_count,
    remaining_count: next === undefined ? 0 : batches.slice(next).flat().length,
    unavailable,
    conflicts,
    next_cursor,
  };
}

function agendaKey(store_id: string, restore_id: string): string {
  return `${storePrefix(store_id)}restores/${restore_id}.json`;
}

function cursorOf(restore_id: string, next: number): string {
  return workCursor('memory_restore', `${restore_id}#${next}`);
}

function readCursor(text: string): [restore_id: string, from: number] {
  const form = /^([0-9A-Z]{26})#(\d{1,6})$/;
  const [restore_id = '', from] = readWorkCursor('memory_restore', text, form);
  return [restore_id, Number(from)];
}
