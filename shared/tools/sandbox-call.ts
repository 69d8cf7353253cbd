import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../core/fault.ts';
import { backoffMs } from '../core/backoff.ts';
import { limits } from '../core/limits.ts';
import type { Key, Write } from '../core/table.ts';
import { filesKey } from '../files/entry.ts';
import type { Conflict } from '../files/commit.ts';
import type { Manifest } from '../files/manifest.ts';
import type { FilesOwner } from '../files/outputs.ts';
import { packKey } from '../files/pack.ts';
import { workdir } from '../files/path.ts';
import type { SessionFiles } from '../files/session-files.ts';
import { resolveChanges } from './changes.ts';
import { countObjects, repack } from './repack.ts';
import {
  ShellState,
  SandboxLost,
  type Sandbox,
  type SandboxReply,
  type SandboxRequest,
  type SandboxTool,
} from './sandbox.ts';
import { partOf, sendParts, UrlCache } from './send-entries.ts';
import { told, type ToolCall, type ToolOutcome } from './tools.ts';

/** One tool call in the sandbox: send the session's files, run, put what changed into the table. */
export class SandboxCalls {
  readonly #files: SessionFiles;
  readonly #sandbox: Sandbox;
  readonly #urls: UrlCache;

  constructor(files: SessionFiles, sandbox: Sandbox) {
    this.#files = files;
    this.#sandbox = sandbox;
    this.#urls = new UrlCache(files.ports.blobs, files.ports.clock);
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
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(tool, { ...call, input }, signal);
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
    const { session_id, thread_id, event_id } = call;
    const shell_key = { pk: filesKey(session_id), sk: `SHELL#${thread_id}` };
    const beside = tool === 'bash' ? [shell_key] : [];
    const { manifest, rows } = await this.#readPacked(call, beside, signal);
    const shell = rows[0] === undefined ? undefined : ShellState.parse(rows[0]['shell']);
    const upload_key = packKey(session_id, this.#files.ports.newName());
    const request: SandboxRequest = {
      session_id,
      event_id,
      call: { tool, input: call.input },
      parts: await sendParts(this.#files.ports.blobs, this.#urls, session_id, [
        await partOf(this.#urls, manifest),
      ]),
      upload_url: await this.#files.ports.blobs.presignPut(upload_key, limits.presign_s),
      mounts: [...(call.mounts ?? [])],
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
    return await this.#keep(tool, call, reply, { manifest, upload_key, also });
  }

  /** Read the manifest, its contents brought together first if they are in too many objects. */
  async #readPacked(owner: FilesOwner, beside: readonly Key[], signal: AbortSignal) {
    const { session_id } = owner;
    const read = await this.#files.manifests.read(session_id, beside);
    if (countObjects(read.manifest) <= limits.session_objects_max) return read;
    const ports = { files: this.#files, sandbox: this.#sandbox, urls: this.#urls };
    try {
      await repack(ports, owner, signal);
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
    seen: {
      readonly manifest: Manifest;
      readonly upload_key: string;
      readonly also: readonly Write[];
    },
  ): Promise<ToolOutcome | { readonly conflicts: readonly Conflict[] }> {
    const changes = await resolveChanges(this.#files, call.session_id, reply.changes, seen);
    const outcome: ToolOutcome = { content: reply.content, is_error: reply.is_error };
    if (changes.length === 0 && seen.also.length === 0) return outcome;
    try {
      const conflicts = await this.#files.commit({
        session_id: call.session_id,
        workspace_id: call.workspace_id,
        base: seen.manifest,
        changes,
        author: { thread_id: call.thread_id, event_id: call.event_id },
        on_conflict: tool === 'write' || tool === 'edit' ? 'refuse' : 'beside',
        also: seen.also,
      });
      if (conflicts.length === 0) return outcome;
      if (tool === 'write' || tool === 'edit') return { conflicts };
      return withText(outcome, conflictText(conflicts));
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== 'too_large') throw error;
      return {
        ...withText(outcome, `[The changed files were not kept, or not all. ${error.message}]`),
        is_error: true,
      };
    }
  }
}

const new_shell: ShellState = { cwd: workdir, previous_cwd: workdir, script: '' };

/** No row stands for a new shell, so that commands that change nothing in it write nothing. */
function isSameShell(a: ShellState, b: ShellState = new_shell): boolean {
  return a.cwd === b.cwd && a.previous_cwd === b.previous_cwd && a.script === b.script;
}

function withText(outcome: ToolOutcome, text: string): ToolOutcome {
  return { ...outcome, content: [...outcome.content, { type: 'text', text }] };
}

function conflictText(conflicts: readonly Conflict[]): string {
  const lines = conflicts.map(({ path, saved_as }) =>
    saved_as === undefined
      ? `${path}: this command removed it, the other thread changed it; it is kept.`
      : `${path}: the other thread's version is kept; this command's version is in ${saved_as}.`,
  );
  return `[Another thread changed the same files while this command ran:\n${lines.join('\n')}]`;
}
