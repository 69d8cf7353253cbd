import type { BetaManagedAgentsDeletedMemory } from '@anthropic-ai/sdk/resources/beta/memory-stores/memories';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { sha256Of } from './content.ts';
import type { Change } from './changes.ts';
import { storeArchived } from './explain.ts';
import type { Actor, MemoryRow } from './memory.ts';
import type { MemoryPorts } from './memory-ports.ts';
import type { MemoryCreate, MemoryUpdate } from './memory-wire.ts';
import { readPlaced, textOf } from './read-store.ts';
import { showMemory, viewMemory, withoutText, type Memory, type View } from './show-memory.ts';
import { writeMemories } from './write-memories.ts';

/** A memory by its place in the path of a request. */
export interface MemoryPlace {
  readonly store_id: string;
  readonly memory_id: string;
}

export function actorOf({ api_key_id }: Call): Actor {
  return { type: 'api_actor', api_key_id };
}

/**
 * @throws Fault `missing`; `invalid` for an archived or a full store; `memory_path_conflict` with
 *   the memory that is in the way
 */
export async function createMemory(
  ports: MemoryPorts,
  call: Call,
  request: { readonly store_id: string; readonly body: MemoryCreate; readonly view: View },
): Promise<Memory> {
  const { store_id, body, view } = request;
  const batch = {
    store_id,
    workspace_id: call.workspace_id,
    operations: [{ kind: 'create', ...body } as const],
    actor: actorOf(call),
  };
  const answerOf = (changes: readonly Change[]) =>
    showMemory(afterOf(changes), view === 'full' ? body.content : null);
  const result = await writeMemories(ports, batch, { call, answerOf, keptOf: withoutText });
  invariant(result.outcome === 'written', 'a creation has seen nothing that could be gone');
  return result.answer;
}

function afterOf([change]: readonly Change[]): MemoryRow {
  invariant(change?.after !== undefined, 'a written memory is there');
  return change.after;
}

/** @throws Fault `missing` */
export async function getMemory(
  ports: Ports,
  call: Call,
  { store_id, memory_id, view }: MemoryPlace & { readonly view: View },
): Promise<Memory> {
  const place = { store_id, memory_id };
  const found = await readPlaced(ports.table, call.workspace_id, place);
  const memory = await viewMemory(ports, found.memory, view);
  if (memory === undefined) throw new Fault('missing', `memory '${memory_id}' was not found.`);
  return memory;
}

export interface UpdateRequest extends MemoryPlace {
  readonly body: MemoryUpdate;
  readonly view: View;
}

/**
 * Change content, path or both. The last write wins unless there is a precondition; what changes
 * nothing is not written, and holds whatever the precondition says: who repeats a request that has
 * worked already is told that it has.
 *
 * @throws Fault `missing`, `memory_precondition`, `memory_path_conflict`; `invalid` for an archived
 *   store
 */
export async function updateMemory(
  ports: MemoryPorts,
  call: Call,
  request: UpdateRequest,
): Promise<Memory> {
  return await untilSeen(request.memory_id, async () => {
    const { head, memory } = await readPlaced(ports.table, call.workspace_id, request);
    if (head.archived_at !== null) throw storeArchived(request.store_id);
    return await updateSeen(ports, call, request, memory);
  });
}

/** @returns undefined when the memory is not any more as it was seen */
async function updateSeen(
  ports: MemoryPorts,
  call: Call,
  { store_id, body, view }: UpdateRequest,
  before: MemoryRow,
): Promise<Memory | undefined> {
  const path = body.path ?? before.sk;
  const content = body.content ?? undefined;
  if (isAsAsked(before, body)) {
    const answer = await viewMemory(ports, before, view);
    return answer === undefined
      ? undefined
      : await commit(ports, call, [], { answer, kept: withoutText(answer) });
  }
  checkHash(before, body.precondition?.content_sha256);
  const text = view === 'full' ? (content ?? (await textSeen(ports, before))) : null;
  if (text === undefined) return undefined;
  const batch = {
    store_id,
    workspace_id: call.workspace_id,
    operations: [
      { kind: 'write', before, path, ...(content === undefined ? {} : { content }) } as const,
    ],
    actor: actorOf(call),
  };
  const answerOf = (changes: readonly Change[]) => showMemory(afterOf(changes), text);
  const result = await writeMemories(ports, batch, { call, answerOf, keptOf: withoutText });
  return result.outcome === 'written' ? result.answer : undefined;
}

/** Whether a request asks for something, and the memory already is all that it asks for. */
function isAsAsked(memory: MemoryRow, { path, content }: MemoryUpdate): boolean {
  const wanted = [
    ...(typeof path === 'string' ? [path === memory.sk] : []),
    ...(typeof content === 'string' ? [sha256Of(content) === memory.content_sha256] : []),
  ];
  return wanted.length > 0 && wanted.every(Boolean);
}

async function textSeen({ blobs }: Ports, { content }: MemoryRow): Promise<string | undefined> {
  // Without its object it is not the head any more: the next round sees what is.
  return await textOf(blobs, content).catch(() => undefined);
}

function checkHash({ memory_id, content_sha256 }: MemoryRow, expected: string | undefined): void {
  if (expected === undefined || expected === content_sha256) return;
  throw new Fault(
    'memory_precondition',
    `memory '${memory_id}' has another content_sha256 than expected. Retrieve it, and decide again.`,
  );
}

/** @throws Fault `missing`, also for a repeat; `memory_precondition` */
export async function deleteMemory(
  ports: MemoryPorts,
  call: Call,
  request: MemoryPlace & { readonly expected_content_sha256: string | undefined },
): Promise<BetaManagedAgentsDeletedMemory> {
  const { store_id, memory_id, expected_content_sha256 } = request;
  return await untilSeen(memory_id, async () => {
    const { memory: before } = await readPlaced(ports.table, call.workspace_id, request);
    checkHash(before, expected_content_sha256);
    const { outcome } = await writeMemories(ports, {
      store_id,
      workspace_id: call.workspace_id,
      operations: [{ kind: 'delete', before }],
      actor: actorOf(call),
    });
    return outcome === 'written' ? { id: memory_id, type: 'memory_deleted' } : undefined;
  });
}

/** Read, decide, write; and again when what was read is gone. Each round has a winner. */
async function untilSeen<Result>(
  memory_id: string,
  round: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const result = await round();
    if (result !== undefined) return result;
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `memory '${memory_id}' is being changed by others. Try again.`);
}
