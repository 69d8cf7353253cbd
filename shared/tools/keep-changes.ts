import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Write } from '../core/table.ts';
import type { CommitRequest, Conflict } from '../files/commit.ts';
import { isInside, memory_root, mountAt } from '../files/path.ts';
import type { SessionFiles } from '../files/session-files.ts';
import type { Intent, MemoryConflict } from '../memory/merge.ts';
import { resolveChanges } from './changes.ts';
import {
  bytesOf,
  intentsOf,
  lost,
  memoryAt,
  UNREADABLE,
  type MountedStore,
  type NotKept,
  type Seen,
} from './memory-intents.ts';
import type { SandboxChange } from './sandbox.ts';
import type { ToolCall } from './tools.ts';
import { writeIntents, type StorePorts } from './write-memories.ts';

export interface KeepPorts extends StorePorts {
  readonly files: SessionFiles;
}

export interface KeepRequest {
  readonly call: ToolCall;
  readonly changes: readonly SandboxChange[];
  readonly seen: Seen;
  /** Rows that go with the session's own files. */
  readonly also: readonly Write[];
  readonly on_conflict: 'refuse' | 'beside';
  /** See CommitRequest; only where the call has changed nothing but files of the session. */
  readonly joining: CommitRequest['joining'];
}

export interface Kept {
  readonly conflicts: readonly Conflict[];
  readonly memory_conflicts: readonly MemoryConflict[];
  readonly not_kept: readonly NotKept[];
  /** Why the session's own files were not kept, or not all. */
  readonly failure?: string;
}

interface StoreWork {
  readonly store: MountedStore;
  readonly intents: readonly Intent[];
}

/**
 * Keep what a call did to the session's files and to its memory stores. What left a store and stands
 * elsewhere now is removed last: dying in between leaves it in both places, never in none.
 */
export async function keepChanges(ports: KeepPorts, request: KeepRequest): Promise<Kept> {
  const { seen } = request;
  const own = request.changes.filter(({ path }) => !isInside(path, [memory_root]));
  const { work, not_kept } = await readAll(ports, request);
  const staying = new Staying(seen, not_kept);
  const { first, last } = inOrder(work, own);
  const early = await writeAll(ports, request, staying.intents(first));
  staying.lose(early.not_kept);
  const is_refused = request.on_conflict === 'refuse' && early.memory_conflicts.length > 0;
  const files = is_refused
    ? { conflicts: [], not_kept: [] }
    : await keepFiles(ports, request, staying.changes(own));
  staying.lose(files.not_kept);
  const late =
    files.failure === undefined
      ? await writeAll(ports, request, staying.intents(last))
      : { memory_conflicts: [], not_kept: [] };
  return {
    ...files,
    memory_conflicts: [...early.memory_conflicts, ...late.memory_conflicts],
    not_kept: [not_kept, early.not_kept, files.not_kept, late.not_kept, staying.kept].flat(),
  };
}

/** What was moved to where it could not be kept is not removed from where it was. */
class Staying {
  readonly kept: NotKept[] = [];
  readonly #seen: Seen;
  readonly #lost = new Set<string>();

  constructor(seen: Seen, not_kept: readonly NotKept[]) {
    this.#seen = seen;
    this.lose(not_kept);
  }

  lose(not_kept: readonly NotKept[]): void {
    for (const { lost_sha256 } of not_kept) {
      if (lost_sha256 !== undefined) this.#lost.add(lost_sha256);
    }
  }

  intents(work: readonly StoreWork[]): StoreWork[] {
    return work.map(({ store, intents }) => ({
      store,
      intents: intents.filter(
        ({ path, next }) =>
          next !== undefined ||
          this.#mayGo(`${store.mount.path}${path}`, store.seen.memories.get(path)?.content_sha256),
      ),
    }));
  }

  changes(own: readonly SandboxChange[]): SandboxChange[] {
    return own.filter(({ kind, path }) => {
      const entry = this.#seen.manifest.entries.get(path);
      return kind !== 'gone' || entry?.kind !== 'file' || this.#mayGo(path, entry.sha256);
    });
  }

  #mayGo(path: string, sha256: string | undefined): boolean {
    if (sha256 === undefined || !this.#lost.has(sha256)) return true;
    const reason = 'it is still there, because it could not be kept elsewhere.';
    this.kept.push({ path, reason, lost_sha256: undefined });
    return false;
  }
}

async function readAll(ports: KeepPorts, request: KeepRequest) {
  const { blobs } = ports.files.ports;
  const read = await Promise.all(
    [...changesByStore(request)].map(async ([store, changes]) => ({
      store,
      ...(await intentsOf(blobs, store, changes, request.seen)),
    })),
  );
  const work: StoreWork[] = read.map(({ store, intents }) => ({ store, intents }));
  return { work, not_kept: read.flatMap(({ not_kept }) => not_kept) };
}

/** @throws Error for a change below no mount that can be written: no sandbox of ours gives it. */
function changesByStore({ changes, seen }: KeepRequest): Map<MountedStore, SandboxChange[]> {
  const mounts = seen.stores.map(({ mount }) => mount);
  const found = new Map<MountedStore, SandboxChange[]>();
  for (const change of changes) {
    if (!isInside(change.path, [memory_root])) continue;
    const mount = mountAt(change.path, mounts);
    const store = seen.stores.find((one) => one.mount === mount);
    if (store?.mount.access !== 'read_write' || change.path === store.mount.path) {
      throw new Error(`the sandbox changed ${change.path}, which cannot be written`);
    }
    found.set(store, [...(found.get(store) ?? []), change]);
  }
  return found;
}

/** Removals of what stands elsewhere now come last. */
function inOrder(
  work: readonly StoreWork[],
  own: readonly SandboxChange[],
): { readonly first: StoreWork[]; readonly last: StoreWork[] } {
  const landed = new Set(own.flatMap((change) => (change.kind === 'file' ? [change.sha256] : [])));
  const written = work.map(({ store, intents }) => ({
    store,
    hashes: new Set(intents.map(({ next }) => next?.sha256)),
  }));
  const isMoved = (store: MountedStore, { path, next }: Intent): boolean => {
    const sha256 = store.seen.memories.get(path)?.content_sha256;
    if (next !== undefined || sha256 === undefined) return false;
    const others = written.filter((one) => one.store !== store);
    return landed.has(sha256) || others.some(({ hashes }) => hashes.has(sha256));
  };
  return {
    first: work.map(({ store, intents }) => ({
      store,
      intents: intents.filter((intent) => !isMoved(store, intent)),
    })),
    last: work.map(({ store, intents }) => ({
      store,
      intents: intents.filter((intent) => isMoved(store, intent)),
    })),
  };
}

async function writeAll(
  ports: KeepPorts,
  { call, on_conflict }: KeepRequest,
  work: readonly StoreWork[],
): Promise<Pick<Kept, 'memory_conflicts' | 'not_kept'>> {
  const results = await Promise.all(
    work
      .filter(({ intents }) => intents.length > 0)
      .map(async (one) => await writeIntents(ports, { ...one, call, on_conflict })),
  );
  return {
    memory_conflicts: results.flatMap(({ conflicts }) => conflicts),
    not_kept: results.flatMap(({ not_kept }) => not_kept),
  };
}

async function keepFiles(
  ports: KeepPorts,
  { call, seen, also, on_conflict, joining }: KeepRequest,
  own: readonly SandboxChange[],
): Promise<Pick<Kept, 'conflicts' | 'not_kept' | 'failure'>> {
  const { session_id, workspace_id, thread_id, event_id } = call;
  const { sent, not_kept } = await withMemories(ports, own, seen);
  const changes = await resolveChanges(ports.files, session_id, sent, seen);
  if (changes.length === 0 && also.length === 0) return { conflicts: [], not_kept };
  try {
    const conflicts = await ports.files.commit({
      session_id,
      workspace_id,
      base: seen.manifest,
      changes,
      author: { thread_id, event_id },
      on_conflict,
      also,
      tells: call.in_team === true,
      ...(joining === undefined || not_kept.length > 0 ? {} : { joining }),
    });
    return { conflicts, not_kept };
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'too_large') throw error;
    return { conflicts: [], not_kept, failure: error.message };
  }
}

/** A file that was copied from a memory gets the bytes: a session's row points at no store's object. */
async function withMemories(ports: KeepPorts, own: readonly SandboxChange[], seen: Seen) {
  let room: number = limits.memory_copies_bytes_max;
  const read = await Promise.all(
    own.map(async (change): Promise<SandboxChange | NotKept> => {
      const is_copy =
        change.kind === 'file' &&
        'same_as' in change.content &&
        memoryAt(change.content.same_as, seen.stores) !== undefined;
      if (!is_copy) return change;
      room -= change.size_bytes;
      if (room < 0) return lost(change, 'one command copied too much out of memory stores.');
      const bytes = await bytesOf(ports.files.ports.blobs, change, seen);
      if (bytes === undefined) return lost(change, UNREADABLE);
      return { ...change, content: { base64: bytes.toString('base64') } };
    }),
  );
  return {
    sent: read.flatMap((one) => ('reason' in one ? [] : [one])),
    not_kept: read.flatMap((one) => ('reason' in one ? [one] : [])),
  };
}
