import type { Change } from '../files/commit.ts';
import type { Content, Entry } from '../files/entry.ts';
import type { Manifest } from '../files/manifest.ts';
import { sha256Of } from '../files/pack.ts';
import { isInside, memory_root, normalPath, roots } from '../files/path.ts';
import type { SessionFiles } from '../files/session-files.ts';
import type { SandboxChange } from './sandbox.ts';

type FileChange = Extract<SandboxChange, { kind: 'file' }>;

/**
 * Turn what the sandbox says into changes of the table. The sandbox runs what a model wrote: every
 * path, hash and pointer is checked against what this side knows.
 *
 * @throws Error for a reply that no sandbox of ours gives.
 */
export async function resolveChanges(
  files: SessionFiles,
  session_id: string,
  changes: readonly SandboxChange[],
  seen: { readonly manifest: Manifest; readonly upload_key: string },
): Promise<Change[]> {
  const sent = changes.map((change) => sentBytes(change));
  const stored = await files.store(
    session_id,
    sent.filter((bytes) => bytes !== undefined),
    seen.manifest.inline_bytes,
  );
  return changes.map((change, index): Change => {
    checkPath(change.path);
    const base = seen.manifest.entries.get(change.path);
    const content = sent[index] === undefined ? pointerOf(change, seen) : stored.shift();
    return { path: change.path, base, next: entryFrom(change, content) };
  });
}

function sentBytes(change: SandboxChange): Uint8Array | undefined {
  if (change.kind !== 'file' || !('base64' in change.content)) return undefined;
  const bytes = Buffer.from(change.content.base64, 'base64');
  if (bytes.length !== change.size_bytes || sha256Of(bytes) !== change.sha256) {
    throw new Error(`the sandbox sent other bytes than it names for ${change.path}`);
  }
  return bytes;
}

function checkPath(path: string): void {
  if (normalPath(path) !== path || !isInside(path, roots) || isInside(path, [memory_root])) {
    throw new Error(`the sandbox changed ${path}, which is no path of a session`);
  }
}

function pointerOf(
  change: SandboxChange,
  { manifest, upload_key }: { readonly manifest: Manifest; readonly upload_key: string },
): Content | undefined {
  if (change.kind !== 'file' || 'base64' in change.content) return undefined;
  if ('upload_offset' in change.content) {
    return { key: upload_key, offset: change.content.upload_offset };
  }
  const same = manifest.entries.get(change.content.same_as);
  if (
    same?.kind !== 'file' ||
    same.sha256 !== change.sha256 ||
    same.size_bytes !== change.size_bytes
  ) {
    throw new Error(
      `the sandbox names ${change.content.same_as} for a content that it does not have`,
    );
  }
  return same.content;
}

function entryFrom(change: SandboxChange, content: Content | undefined): Entry | undefined {
  if (change.kind === 'gone') return undefined;
  if (change.kind !== 'file') return change;
  return fileFrom(change, content);
}

function fileFrom(change: FileChange, content: Content | undefined): Entry {
  if (content === undefined) throw new Error(`${change.path} has no content`);
  return { ...change, content };
}
