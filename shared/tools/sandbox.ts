import * as z from 'zod';
import { ConvertCall } from './convert.ts';

/**
 * What the step function and the sandbox function say to each other. The sandbox has no permission
 * of its own: it gets presigned URLs and gives back what changed. It runs what a model wrote, so
 * its reply is parsed as strictly as a stranger's request.
 */

/** The tools that run in the sandbox; `repack`, `unpack`, `markdown` and `convert` are ours. */
export const sandboxTools = ['bash', 'read', 'write', 'edit', 'glob', 'grep'] as const;
export type SandboxTool = (typeof sandboxTools)[number];

const named = { path: z.string(), mode: z.int(), modified_at: z.string() };

interface Named {
  readonly path: string;
  readonly mode: number;
  readonly modified_at: string;
}

/**
 * An entry as the sandbox gets it. The sandbox believes it unseen, for it comes from the step
 * function, and checking 10,000 of them would take longer than most calls.
 */
export type SentEntry = Named &
  (
    | {
        readonly kind: 'file';
        readonly size_bytes: number;
        readonly sha256: string;
        /** The bytes, or an index into the part's `objects` and where they begin in that object. */
        readonly content:
          | { readonly base64: string }
          | { readonly text: string }
          | { readonly object: number; readonly offset: number };
      }
    | { readonly kind: 'folder' }
    | { readonly kind: 'link'; readonly target: string }
  );

/**
 * Entries that change together: the session's own files, or a mounted memory store. A change of one
 * part leaves the others as they were sent before.
 */
export interface SentPart {
  readonly entries: readonly SentEntry[];
  /** Presigned URLs of the objects that hold contents. */
  readonly objects: readonly string[];
}

/** A part as what has changed of one that was sent through the bucket before. */
export interface PatchPart extends SentPart {
  readonly base_url: string;
  /** Paths of the base that are not there any more. */
  readonly gone: readonly string[];
}

export const Networking = z.discriminatedUnion('type', [
  z.object({ type: z.literal('unrestricted') }),
  /** A bare host, or `*.` and a domain for each host below it. */
  z.object({ type: z.literal('limited'), allowed_hosts: z.array(z.string()) }),
]);
export type Networking = z.infer<typeof Networking>;

const Mount = z.strictObject({
  path: z.string(),
  access: z.enum(['read_only', 'read_write']),
  reason: z.string().optional(),
});

function isPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'entries' in value && 'objects' in value;
}

/** What a shell keeps from one command to the next. */
export const ShellState = z.strictObject({
  cwd: z.string(),
  previous_cwd: z.string(),
  /** A script that makes variables, options, aliases and functions again. */
  script: z.string(),
});
export type ShellState = z.infer<typeof ShellState>;

export const SandboxRequest = z.strictObject({
  session_id: z.string(),
  event_id: z.string(),
  call: z.discriminatedUnion('tool', [
    z.strictObject({ tool: z.enum(sandboxTools), input: z.record(z.string(), z.unknown()) }),
    z.strictObject({ tool: z.literal('repack'), paths: z.array(z.string()) }),
    /** A repository's archive: its files come as changes below `mount_path`. */
    z.strictObject({ tool: z.literal('unpack'), url: z.string(), mount_path: z.string() }),
    /** A stranger's HTML is parsed here and not where other sessions' steps run. */
    z.strictObject({ tool: z.literal('markdown'), html: z.string() }),
    ConvertCall,
  ]),
  /** Each as it is, or a URL of its JSON where it is too large for a request. */
  parts: z.array(
    z.union([z.strictObject({ url: z.string() }), z.custom<SentPart | PatchPart>(isPart)]),
  ),
  /** A presigned URL that takes new contents when they do not fit into the reply. */
  upload_url: z.string(),
  mounts: z.array(Mount),
  networking: Networking,
  /** @default - a new shell */
  shell: ShellState.optional(),
});
export type SandboxRequest = z.infer<typeof SandboxRequest>;

/** Where the step function finds the bytes of a changed file. */
const NewContent = z.union([
  z.strictObject({ base64: z.string() }),
  /** In the object that was put to `upload_url`. */
  z.strictObject({ upload_offset: z.int().nonnegative() }),
  /** The content of this path of the request, unchanged: a file that was copied, moved or touched. */
  z.strictObject({ same_as: z.string() }),
]);

export const SandboxChange = z.discriminatedUnion('kind', [
  z.strictObject({
    ...named,
    kind: z.literal('file'),
    size_bytes: z.int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    content: NewContent,
  }),
  z.strictObject({ ...named, kind: z.literal('folder') }),
  z.strictObject({ ...named, kind: z.literal('link'), target: z.string() }),
  z.strictObject({ path: z.string(), kind: z.literal('gone') }),
]);
export type SandboxChange = z.infer<typeof SandboxChange>;

const base64Source = z.strictObject({
  type: z.literal('base64'),
  media_type: z.string(),
  data: z.string(),
});

export const SandboxReply = z.strictObject({
  content: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text'), text: z.string() }),
      z.strictObject({ type: z.literal('image'), source: base64Source }),
      z.strictObject({ type: z.literal('document'), source: base64Source, title: z.string() }),
    ]),
  ),
  is_error: z.boolean(),
  changes: z.array(SandboxChange),
  /** The shell's state after the command; absent when it is as it was. */
  shell: ShellState.optional(),
  /** Playbooks below mounts whose steps stand in `content`; absent when there is none. */
  shown: z.array(z.string()).optional(),
});
export type SandboxReply = z.infer<typeof SandboxReply>;

/**
 * The sandbox gave no answer: it ran out of time or memory, or was lost. What it did to files is
 * gone with it, for only a reply changes files; what it did on the network is done.
 */
export class SandboxLost extends Error {
  override readonly name = 'SandboxLost';
}

/**
 * There was no room to run the call in, for as long as one asks within a step, which holds an execution
 * itself: it has run nothing, and waits best where nothing waits along.
 */
export class SandboxBusy extends Error {
  /** Step Functions matches `ErrorEquals` on this name (see infra/machine.ts). */
  override readonly name = 'SandboxBusy';
}

export interface Sandbox {
  /**
   * Run one call in the session's own execution environment.
   * @throws SandboxLost; SandboxBusy; Error for a fault of our own infrastructure (nothing ran).
   */
  invoke(request: SandboxRequest, signal: AbortSignal): Promise<SandboxReply>;
}
