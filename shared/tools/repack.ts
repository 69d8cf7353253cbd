import { limits } from '../core/limits.ts';
import type { StoredEntry } from '../files/entry.ts';
import type { Manifest } from '../files/manifest.ts';
import type { FilesOwner } from '../files/outputs.ts';
import { packKey } from '../files/pack.ts';
import type { SessionFiles } from '../files/session-files.ts';
import { resolveChanges } from './changes.ts';
import type { Sandbox } from './sandbox.ts';
import { filesSource, type PartSender } from './send-entries.ts';

interface RepackPorts {
  readonly files: SessionFiles;
  readonly sandbox: Sandbox;
  readonly parts: PartSender;
}

const author = { thread_id: 'repack', event_id: 'repack' };

/**
 * Bring the contents of the session's smallest objects together in a new one, when there are more
 * objects than a call should carry URLs for. Files keep their versions, so a call that is under way
 * does not notice; the old objects stay for it, and go with the session. Runs twice, or dies
 * anywhere: each file points at one of two equal copies.
 */
export async function repack(
  ports: RepackPorts,
  { session_id, workspace_id }: FilesOwner,
  signal: AbortSignal,
): Promise<void> {
  const { files, sandbox, parts } = ports;
  const { manifest } = await files.manifests.read(session_id);
  const entries = entriesToMove(manifest);
  if (entries.length === 0) return;
  const upload_key = packKey(session_id, files.ports.newName());
  const part = { ...manifest, entries: new Map(entries.map((entry) => [entry.path, entry])) };
  const reply = await sandbox.invoke(
    {
      session_id,
      event_id: author.event_id,
      call: { tool: 'repack', paths: entries.map(({ path }) => path) },
      parts: await parts.send(session_id, [filesSource(session_id, part)]),
      upload_url: await files.ports.blobs.presignPut(upload_key, limits.presign_s),
      mounts: [],
      networking: { type: 'limited', allowed_hosts: [] },
    },
    signal,
  );
  const changes = await resolveChanges(files, session_id, reply.changes, { manifest, upload_key });
  // A file that was changed meanwhile refuses its batch: the next repack finds what is left.
  await files.commit({
    session_id,
    workspace_id,
    base: manifest,
    changes,
    author,
    on_conflict: 'refuse',
  });
}

/** In how many objects a session's live contents are. */
export function countObjects(manifest: Manifest): number {
  return objectsOf(manifest).size;
}

/** Files of the objects with the least live bytes, until half of the allowed objects are left. */
function entriesToMove(manifest: Manifest): StoredEntry[] {
  const objects = objectsOf(manifest);
  if (objects.size <= limits.session_objects_max) return [];
  const smallest = [...objects.values()].toSorted((a, b) => a.bytes - b.bytes);
  const chosen: StoredEntry[] = [];
  let bytes = 0;
  for (const object of smallest.slice(0, objects.size - limits.session_objects_max / 2)) {
    bytes += object.bytes;
    if (bytes > limits.repack_bytes_max) break;
    chosen.push(...object.entries);
  }
  return chosen;
}

function objectsOf(manifest: Manifest) {
  const objects = new Map<string, { bytes: number; entries: StoredEntry[] }>();
  for (const entry of manifest.entries.values()) {
    if (entry.kind !== 'file' || 'inline' in entry.content) continue;
    const object = objects.get(entry.content.key) ?? { bytes: 0, entries: [] };
    object.bytes += entry.size_bytes;
    object.entries.push(entry);
    objects.set(entry.content.key, object);
  }
  return objects;
}
