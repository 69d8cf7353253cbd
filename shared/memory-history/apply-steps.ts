import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed } from '../core/table.ts';
import type { MemoryOperation } from '../memory/changes.ts';
import { actorOf } from '../memory/memories.ts';
import type { MemoryRow } from '../memory/memory.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { findMemory, findVersion, textOf } from '../memory/read-store.ts';
import { writeMemories } from '../memory/write-memories.ts';
import type { Step } from './restore-plan.ts';

/** A memory that was not restored, because the store is not as it was when the restore began. */
export interface Conflict {
  /** Where the memory is or was to be. */
  readonly path: string | null;
  readonly memory_id: string;
  readonly reason: 'changed' | 'path_taken' | 'store_full' | 'redacted' | 'expired';
}

export interface Applied {
  readonly done: readonly Step[];
  readonly conflicts: readonly Conflict[];
}

/** What a step comes to, with the store as it is. */
type Decision =
  | { readonly step: Step; readonly is: 'done' }
  | { readonly step: Step; readonly is: 'conflict'; readonly conflict: Conflict }
  | { readonly step: Step; readonly is: 'due'; readonly operation: MemoryOperation };

/**
 * Apply steps in one transaction, and one by one where that is refused: so one memory that has been
 * changed keeps no other from being restored.
 */
export async function applySteps(
  ports: MemoryPorts,
  call: Call,
  store_id: string,
  steps: readonly Step[],
): Promise<Applied> {
  const actor = actorOf(call);
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const decisions = await Promise.all(
      steps.map(async (step) => await decide(ports, store_id, step)),
    );
    const operations = decisions.flatMap((each) => (each.is === 'due' ? [each.operation] : []));
    try {
      const batch = { store_id, workspace_id: call.workspace_id, operations, actor };
      const { outcome } = await writeMemories(ports, batch);
      // Somebody wrote meanwhile: decided anew it is a conflict.
      if (outcome === 'stale') continue;
    } catch (error) {
      // Likewise: somebody else has brought the same memory back.
      if (error instanceof ConditionFailed) continue;
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      return await oneByOne(ports, call, store_id, { decisions, reason });
    }
    return {
      done: decisions.flatMap((each) => (each.is === 'conflict' ? [] : [each.step])),
      conflicts: decisions.flatMap((each) => (each.is === 'conflict' ? [each.conflict] : [])),
    };
  }
  throw new Fault('busy', `memory store '${store_id}' is being changed by others. Try again.`);
}

async function oneByOne(
  ports: MemoryPorts,
  call: Call,
  store_id: string,
  refused: { readonly decisions: readonly Decision[]; readonly reason: Conflict['reason'] },
): Promise<Applied> {
  const { decisions, reason } = refused;
  const [only] = decisions;
  if (decisions.length === 1 && only?.is === 'due') {
    const { step, operation } = only;
    const path = operation.kind === 'create' ? operation.path : operation.before.sk;
    return { done: [], conflicts: [{ path, memory_id: step.memory_id, reason }] };
  }
  const done: Step[] = [];
  const conflicts: Conflict[] = [];
  for (const { step } of decisions) {
    const applied = await applySteps(ports, call, store_id, [step]);
    done.push(...applied.done);
    conflicts.push(...applied.conflicts);
  }
  return { done, conflicts };
}

function reasonOf(error: unknown): Conflict['reason'] | undefined {
  if (!(error instanceof Fault)) return undefined;
  if (error.kind === 'memory_path_conflict') return 'path_taken';
  return error.details?.error_code === 'memory_store_full' ? 'store_full' : undefined;
}

async function decide(ports: MemoryPorts, store_id: string, step: Step): Promise<Decision> {
  const { memory_id, source } = step;
  const row = await findMemory(ports.table, store_id, memory_id);
  if (source === undefined) return decideDeletion(step, row);
  const now = ports.clock.now().toISOString();
  const version = await findVersion(ports.table, { store_id, version_id: source }, now);
  const conflict = (reason: Conflict['reason']): Decision => {
    const path = version?.path ?? row?.sk ?? null;
    return { step, is: 'conflict', conflict: { path, memory_id, reason } };
  };
  if (version === undefined) return conflict('expired');
  const { path, content, content_sha256 } = version;
  if (path === null || content === null) return conflict('redacted');
  const is_same_text = row?.content_sha256 === content_sha256;
  if (is_same_text && row?.sk === path) return { step, is: 'done' };
  if (!isAsSeen(step, row)) return conflict('changed');
  const text = is_same_text ? undefined : await textOf(ports.blobs, content);
  return { step, is: 'due', operation: operationOf(step, row, { path, text }) };
}

function isAsSeen(step: Step, row: MemoryRow | undefined): boolean {
  return row === undefined ? step.kind === 'create' : row.memory_version_id === step.seen;
}

function decideDeletion(step: Step, row: MemoryRow | undefined): Decision {
  if (row === undefined) return { step, is: 'done' };
  if (row.memory_version_id === step.seen) {
    return { step, is: 'due', operation: { kind: 'delete', before: row } };
  }
  const conflict = { path: row.sk, memory_id: row.memory_id, reason: 'changed' } as const;
  return { step, is: 'conflict', conflict };
}

function operationOf(
  { returns }: Step,
  before: MemoryRow | undefined,
  { path, text }: { readonly path: string; readonly text: string | undefined },
): MemoryOperation {
  if (before === undefined) {
    return { kind: 'create', path, content: text ?? '', ...(returns && { returns }) };
  }
  return { kind: 'write', before, path, ...(text === undefined ? {} : { content: text }) };
}
