import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { limits } from '../core/limits.ts';
import type { Key, Row, Write } from '../core/table.ts';
import { filesKey } from '../files/entry.ts';
import type { Conflict } from '../files/commit.ts';
import { packKey } from '../files/pack.ts';
import { isInside, memory_root, workdir } from '../files/path.ts';
import type { SessionFiles } from '../files/session-files.ts';
import { storeKey } from '../memory/memory.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { StoreSnapshots } from '../memory/snapshots.ts';
import type { ShownPlaybook } from '../playbooks/playbook-reads.ts';
import { isPlaybookPath } from '../playbooks/playbook.ts';
import type { StoreMount } from '../resources/resource.ts';
import { keepChanges, type KeepPorts } from './keep-changes.ts';
import { commandOutcome, singleOutcome } from './kept-text.ts';
import { memoryAt, type MountedStore, type Seen } from './memory-intents.ts';
import { countObjects, repack } from './repack.ts';
import {
  ShellState,
  SandboxLost,
  type Sandbox,
  type SandboxReply,
  type SandboxRequest,
  type SandboxTool,
} from './sandbox.ts';
import { filesSource, PartSender } from './send-entries.ts';
import { memoriesSource } from './send-memories.ts';
import { told, type ForeseenCall, type ToolCall, type ToolOutcome } from './tools.ts';

/** One tool call in the sandbox: send the session's files, run, put what changed into the table. */
export class SandboxCalls {
  readonly #files: SessionFiles;
  readonly #sandbox: Sandbox;
  readonly #parts: PartSender;
  readonly #keeping: KeepPorts;
  /** Reads that were begun before their call, by its event. */
  readonly #foreseen = new Map<string, Foreseen>();

  constructor(files: SessionFiles, sandbox: Sandbox, memory: MemoryPorts) {
    this.#files = files;
    this.#sandbox = sandbox;
    this.#parts = new PartSender(files.ports.blobs, files.ports.clock);
    this.#keeping = { files, memory, snapshots: new StoreSnapshots(memory.table, memory.clock) };
  }

  /** See {@link ToolRunner.foresee}. What is not asked for soon is forgotten. */
  foresee(tool: SandboxTool, call: ForeseenCall): void {
    const read = this.#files.manifests.read(call.session_id, besideOf(tool, call));
    // Whoever runs the call is told.
    read.catch(() => undefined);
    this.#forget();
    this.#foreseen.set(call.event_id, { read, at_ms: this.#files.ports.clock.now().getTime() });
  }

  #forget(): void {
    const now_ms = this.#files.ports.clock.now().getTime();
    for (const [event_id, { at_ms }] of this.#foreseen) {
      if (now_ms - at_ms > limits.foreseen_ms) this.#foreseen.delete(event_id);
    }
  }

  /**
   * A conflict with another thread's write of the same file: an edit is done again on the fresh
   * file, for only its effect on the file counts; a write is refused; of a command, the files that
   * lost are kept beside the others'.
   */
  async run(
    tool: SandboxTool,
    call: ToolCall,
    input: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<ToolOutcome> {
    const { recordWith: _, ...alone } = call;
    for (let attempt = 1; ; attempt++) {
      // Behind a conflict the next is likely: two refusals of each attempt would be one too many.
      const made = attempt === 1 ? call : alone;
      const result = await this.#attempt(tool, { ...made, input }, signal);
      if (!('conflicts' in result)) return result;
      const [conflict] = result.conflicts;
      if (tool === 'write' || attempt === limits.file_attempts_max) {
        return told(
          `${conflict?.path ?? 'The file'} was changed by another thread at the same time. Nothing was written. Read it and decide again.`,
          true,
        );
      }
      await sleep(backoffMs(Math.min(attempt, 4)));
    }
  }

  async #attempt(
    tool: SandboxTool,
    call: ToolCall & { readonly input: Record<string, unknown> },
    signal: AbortSignal,
  ): Promise<ToolOutcome | { readonly conflicts: readonly Conflict[] }> {
    const { session_id, event_id } = call;
    const mounts = call.mounts ?? [];
    const shell_key = shellKey(call);
    const { manifest, rows } = await this.#readPacked(tool, call, signal);
    const shell_row = rows.find(({ sk }) => sk === shell_key.sk);
    const shell = shell_row === undefined ? undefined : ShellState.parse(shell_row['shell']);
    const stores = await this.#mounted(mounts, rows);
    const upload_key = packKey(session_id, this.#files.ports.newName());
    const request: SandboxRequest = {
      session_id,
      event_id,
      call: { tool, input: call.input },
      parts: await this.#parts.send(session_id, [
        filesSource(session_id, manifest),
        ...stores.map((store) => memoriesSource(session_id, store)),
      ]),
      upload_url: await this.#files.ports.blobs.presignPut(upload_key, limits.presign_s),
      mounts: stores.map(({ mount: { path, access, reason } }) => ({ path, access, reason })),
      networking: call.environment.networking,
      ...(shell === undefined ? {} : { shell }),
    };
    const reply = await this.#invoke(tool, request, signal);
    if (!('changes' in reply)) return reply;
    const also: Write[] =
      reply.shell === undefined || isSameShell(reply.shell, shell)
        ? []
        : // One call of a thread at a time, under the thread's lease: nobody else writes this row.
          [{ put: { ...shell_key, shell: reply.shell } }];
    return await this.#keep(tool, call, reply, { manifest, upload_key, stores, also });
  }

  /** The stores as they are now; one that takes no writes any more is read-only, whatever was agreed. */
  async #mounted(mounts: readonly StoreMount[], heads: readonly Row[]): Promise<MountedStore[]> {
    const ids = mounts.map(({ memory_store_id }) => memory_store_id);
    const snapshots = await this.#keeping.snapshots.of(ids, heads);
    return mounts.flatMap((mount, index) => {
      const seen = snapshots[index];
      if (seen === undefined) return [];
      if (seen.state === 'live') return [{ mount, seen }];
      const reason = `the memory store was ${seen.state}`;
      return [{ mount: { ...mount, access: 'read_only' as const, reason }, seen }];
    });
  }

  /** Read the manifest, its contents brought together first if they are in too many objects. */
  async #readPacked(tool: SandboxTool, call: ToolCall, signal: AbortSignal) {
    const { session_id, event_id } = call;
    const beside = besideOf(tool, call);
    this.#forget();
    const foreseen = this.#foreseen.get(event_id);
    // A further attempt looks anew.
    this.#foreseen.delete(event_id);
    const read = await (foreseen?.read ?? this.#files.manifests.read(session_id, beside));
    if (countObjects(read.manifest) <= limits.session_objects_max) return read;
    const ports = { files: this.#files, sandbox: this.#sandbox, parts: this.#parts };
    try {
      await repack(ports, call, signal);
    } catch (error) {
      // The call can do without it, only slower; the next one tries again.
      if (!(error instanceof SandboxLost)) throw error;
    }
    return await this.#files.manifests.read(session_id, beside);
  }

  /** Only a reply changes files, so a lost call may be made again, unless it reached the network. */
  async #invoke(
    tool: SandboxTool,
    request: SandboxRequest,
    signal: AbortSignal,
  ): Promise<SandboxReply | ToolOutcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sandbox.invoke(request, signal);
      } catch (error) {
        if (signal.aborted) return told('The call was interrupted. It may have run.', true);
        if (!(error instanceof SandboxLost)) throw error;
        if (tool === 'bash' || attempt === 2) {
          return told(
            `The sandbox gave no answer (${error.message}). The call may have run, but no file was changed by it.`,
            true,
          );
        }
      }
    }
  }

  async #keep(
    tool: SandboxTool,
    call: ToolCall,
    reply: SandboxReply,
    seen: Seen & { readonly also: readonly Write[] },
  ): Promise<ToolOutcome | { readonly conflicts: readonly Conflict[] }> {
    const playbooks = playbooksOf(reply.shown ?? [], seen.stores);
    const outcome: ToolOutcome = {
      content: reply.content,
      is_error: reply.is_error,
      ...(playbooks.length === 0 ? {} : { playbooks }),
    };
    const is_single = tool === 'write' || tool === 'edit';
    const { recordWith } = call;
    // Who changes memories learns only behind the files what became of all.
    const is_plain = reply.changes.every(({ path }) => !isInside(path, [memory_root]));
    const kept = await keepChanges(this.#keeping, {
      call,
      changes: reply.changes,
      seen,
      also: seen.also,
      on_conflict: is_single ? 'refuse' : 'beside',
      joining: is_plain ? recordWith && ((writesAt) => recordWith(outcome, writesAt)) : undefined,
    });
    const conflicts = [...kept.conflicts, ...kept.memory_conflicts];
    if (is_single && conflicts.length > 0) return { conflicts };
    return is_single ? singleOutcome(outcome, kept) : commandOutcome(outcome, kept);
  }
}

interface Foreseen {
  readonly read: ReturnType<SessionFiles['manifests']['read']>;
  readonly at_ms: number;
}

type Caller = Pick<ToolCall, 'session_id' | 'thread_id' | 'mounts'>;

function shellKey({ session_id, thread_id }: Caller): Key {
  return { pk: filesKey(session_id), sk: `SHELL#${thread_id}` };
}

/** What is read along with the session's files. */
function besideOf(tool: SandboxTool, call: Caller): Key[] {
  const heads = (call.mounts ?? []).map(({ memory_store_id }) => storeKey(memory_store_id));
  return tool === 'bash' ? [shellKey(call), ...heads] : heads;
}

/** What is no playbook of a store that the call saw was never shown, whatever the sandbox says. */
function playbooksOf(paths: readonly string[], stores: readonly MountedStore[]): ShownPlaybook[] {
  if (paths.length > limits.playbook_reads_max) return [];
  return paths.flatMap((path): ShownPlaybook[] => {
    const memory = memoryAt(path, stores);
    if (memory === undefined || !isPlaybookPath(memory.sk)) return [];
    const { memory_store_id, memory_id, memory_version_id, sk } = memory;
    return [{ memory_store_id, memory_id, memory_version_id, path: sk }];
  });
}

const new_shell: ShellState = { cwd: workdir, previous_cwd: workdir, script: '' };

/** No row stands for a new shell, so that commands that change nothing in it write nothing. */
function isSameShell(a: ShellState, b: ShellState = new_shell): boolean {
  return a.cwd === b.cwd && a.previous_cwd === b.previous_cwd && a.script === b.script;
}
