import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { isInside, roots, tool_outputs } from '../files/path.ts';
import type { Manifest } from '../files/manifest.ts';
import { filesSource, PartSender } from '../tools/send-entries.ts';
import {
  SandboxLost,
  type Sandbox,
  type SandboxReply,
  type SandboxRequest,
} from '../tools/sandbox.ts';

/** Where an agent puts what it hands over. */
export const outputs = '/mnt/session/outputs';

/** A file that the grader may read. */
export interface GradedFile {
  readonly path: string;
  readonly size_bytes: number;
  readonly sha256: string;
}

/** A call that only reads. */
export type ReadCall =
  | Extract<SandboxRequest['call'], { tool: 'convert' } | { tool: 'markdown' }>
  | { readonly tool: 'glob' | 'grep'; readonly input: Record<string, unknown> };

export type Answer = Pick<SandboxReply, 'content' | 'is_error'>;

/** A session's files as they were when they were opened, as far as the grader may see them. */
export interface GradedFiles {
  /** By path. */
  readonly files: readonly GradedFile[];
  /**
   * Run a call that reads. Whatever it tries, no file of the session changes.
   * @throws Error for a fault of our own infrastructure.
   */
  run(call: ReadCall, signal: AbortSignal): Promise<Answer>;
}

export interface OpenGradedFiles {
  /** @param folders What is seen: these paths and all below them. */
  (
    grading: { readonly session_id: string; readonly event_id: string },
    folders: readonly string[],
  ): Promise<GradedFiles>;
}

export interface GradedFilesPorts {
  readonly manifests: {
    read(session_id: string): Promise<{ readonly manifest: Manifest }>;
  };
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly sandbox: Sandbox;
}

/**
 * Opens sessions' files for grading. The sandbox is sent nothing but the files that may be seen, so
 * no link, pattern or path leads to another one: above all not to outputs of the agent's own tools.
 */
export function gradedFilesWith(ports: GradedFilesPorts): OpenGradedFiles {
  const sender = new PartSender(ports.blobs, ports.clock);
  return async ({ session_id, event_id }, folders) => {
    const { manifest: all } = await ports.manifests.read(session_id);
    const entries = [...all.entries].filter(
      ([path]) => isInside(path, folders) && !isInside(path, [tool_outputs]),
    );
    const manifest = { ...all, entries: new Map(entries) };
    const files = entries.flatMap(([, entry]) => (entry.kind === 'file' ? [entry] : []));
    return {
      files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      run: async (call, signal) => {
        const request: SandboxRequest = {
          session_id,
          event_id,
          call,
          parts: await sender.send(session_id, [filesSource(session_id, manifest)]),
          // Nothing is ever put there: every place is read-only.
          upload_url: '',
          mounts: roots.map((path) => ({ path, access: 'read_only' as const })),
          networking: { type: 'limited', allowed_hosts: [] },
        };
        // Its changes, if a broken sandbox names any, go nowhere.
        const { content, is_error } = await invoke(ports.sandbox, request, signal);
        return { content, is_error };
      },
    };
  };
}

/** Reading twice is reading once: a lost sandbox is asked again, and then it is the file's fault. */
async function invoke(
  sandbox: Sandbox,
  request: SandboxRequest,
  signal: AbortSignal,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sandbox.invoke(request, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof SandboxLost)) throw error;
      if (attempt === 2) {
        const text = `The file could not be read (${error.message}).`;
        return { content: [{ type: 'text', text }], is_error: true };
      }
    }
  }
}

/**
 * The folders and files that a text names by their whole path, in backticks or bare. They are what
 * the author of a rubric or description wants looked at beside {@link outputs}.
 */
export function namedPaths(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\n]{1,1024})`/g)].map(([, inside = '']) => inside.trim());
  const bare =
    text.replaceAll(/`[^`\n]{1,1024}`/g, ' ').match(/\/[^\s`"'<>|()[\],;:*?]{1,1024}/g) ?? [];
  const found = [...quoted, ...bare]
    .map((path) => path.replace(/[./]+$/, ''))
    .filter((path) => isInside(path, roots) && !/\/\.{0,2}(\/|$)/.test(path));
  return [...new Set(found)];
}
