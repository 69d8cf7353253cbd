import type { Blobs } from '../core/blobs.ts';
import { limits } from '../core/limits.ts';
import type { Mount } from '../files/path.ts';
import type { Manifest } from '../files/manifest.ts';
import { sha256Of } from '../files/pack.ts';
import type { Intent } from '../memory/merge.ts';
import { faultOfPath } from '../memory/path.ts';
import { textOf } from '../memory/read-store.ts';
import type { StoreSnapshot } from '../memory/snapshots.ts';
import type { StoreMount } from '../resources/resource.ts';
import type { SandboxChange } from './sandbox.ts';

/** Memories have no mode of their own. */
export const memory_mode = 0o644;

type FileChange = Extract<SandboxChange, { kind: 'file' }>;

/** A mounted store as a call saw it. */
export interface MountedStore {
  readonly mount: StoreMount & Mount;
  readonly seen: StoreSnapshot;
}

/** Everything that a call's changes can point at. */
export interface Seen {
  readonly manifest: Manifest;
  /** Where the sandbox put what did not fit into its reply. */
  readonly upload_key: string;
  readonly stores: readonly MountedStore[];
}

/** Something that a memory cannot keep. */
export interface NotKept {
  readonly path: string;
  readonly reason: string;
  /** The content that is lost by it; undefined where nothing is. */
  readonly lost_sha256: string | undefined;
}

/** What the changes below one mount mean for its store. */
export async function intentsOf(
  blobs: Blobs,
  store: MountedStore,
  changes: readonly SandboxChange[],
  seen: Seen,
): Promise<{ readonly intents: readonly Intent[]; readonly not_kept: readonly NotKept[] }> {
  const read = await Promise.all(
    changes.map(async (change) => await readChange(blobs, store, change, seen)),
  );
  return {
    intents: read.flatMap((one) => (one !== undefined && 'next' in one ? [one] : [])),
    not_kept: read.flatMap((one) => (one !== undefined && 'reason' in one ? [one] : [])),
  };
}

async function readChange(
  blobs: Blobs,
  { mount, seen: { memories } }: MountedStore,
  change: SandboxChange,
  seen: Seen,
): Promise<Intent | NotKept | undefined> {
  const path = change.path.slice(mount.path.length);
  if (change.kind === 'gone') return { path, next: undefined };
  if (change.kind === 'link') return lost(change, 'a memory cannot be a link.');
  if (change.kind === 'folder') return folderNote(change.path, path, memories);
  if (memories.get(path)?.content_sha256 === change.sha256) return modeNote(change);
  const fault = faultOfPath(path);
  if (fault !== undefined) return lost(change, `the path in the store ${fault}`);
  if (change.size_bytes > limits.memory_bytes_max) {
    return lost(
      change,
      `it has ${change.size_bytes} bytes, a memory at most ${limits.memory_bytes_max}.`,
    );
  }
  const bytes = await bytesOf(blobs, change, seen);
  if (bytes === undefined) return lost(change, UNREADABLE);
  const text = bytes.toString('utf8');
  // What is no UTF-8 comes back as other bytes.
  if (!Buffer.from(text).equals(bytes)) return lost(change, 'a memory must be UTF-8 text.');
  return { path, next: { text, sha256: change.sha256 } };
}

/** @returns what to say of a change that is not kept */
export function lost(change: SandboxChange, reason: string): NotKept {
  // What a link leads to is where it was; it stands for some content that is lost all the same.
  const lost_sha256 = change.kind === 'file' ? change.sha256 : '';
  return { path: change.path, reason, lost_sha256 };
}

/** A folder takes a memory's place; one that its last memory has just left needs no words. */
function folderNote(
  shown: string,
  path: string,
  memories: StoreSnapshot['memories'],
): Intent | NotKept | undefined {
  if (memories.has(path)) return { path, next: undefined };
  if ([...memories.keys()].some((known) => known.startsWith(`${path}/`))) return undefined;
  return { path: shown, reason: 'a store keeps no empty folders.', lost_sha256: undefined };
}

function modeNote({ path, mode }: FileChange): NotKept | undefined {
  if (mode === memory_mode) return undefined;
  return { path, reason: 'memories have no modes.', lost_sha256: undefined };
}

/** Its memory was changed and the old version redacted between the call's beginning and its end. */
export const UNREADABLE = 'the content that it was copied from cannot be read any more.';

/**
 * The bytes of a changed file that is small enough to be read, checked against what it says of them.
 *
 * @returns undefined when they were a memory's and its object is gone.
 * @throws Error for a reply that no sandbox of ours gives.
 */
export async function bytesOf(
  blobs: Blobs,
  change: FileChange,
  seen: Seen,
): Promise<Buffer | undefined> {
  const content = await contentOf(blobs, change, seen);
  if (content === undefined) return undefined;
  const bytes = Buffer.from(content);
  if (bytes.length !== change.size_bytes || sha256Of(bytes) !== change.sha256) {
    throw new Error(`the sandbox sent other bytes than it names for ${change.path}`);
  }
  return bytes;
}

async function contentOf(
  blobs: Blobs,
  change: FileChange,
  seen: Seen,
): Promise<Uint8Array | undefined> {
  const { content, size_bytes } = change;
  if ('base64' in content) return Buffer.from(content.base64, 'base64');
  const range = async (key: string, offset: number) =>
    size_bytes === 0 ? new Uint8Array() : await blobs.getRange(key, offset, size_bytes);
  if ('upload_offset' in content) return await range(seen.upload_key, content.upload_offset);
  const memory = memoryAt(content.same_as, seen.stores);
  if (memory !== undefined) {
    const text = await textOf(blobs, memory.content).catch(() => undefined);
    return text === undefined ? undefined : Buffer.from(text);
  }
  const file = seen.manifest.entries.get(content.same_as);
  if (file?.kind !== 'file' || file.size_bytes !== size_bytes) {
    throw new Error(`the sandbox names ${content.same_as}, a content that it does not have`);
  }
  if ('inline' in file.content) return file.content.inline;
  return await range(file.content.key, file.content.offset);
}

/** The memory that a path of the session shows. */
export function memoryAt(path: string, stores: readonly MountedStore[]) {
  const store = stores.find(({ mount }) => path.startsWith(`${mount.path}/`));
  return store?.seen.memories.get(path.slice(store.mount.path.length));
}
