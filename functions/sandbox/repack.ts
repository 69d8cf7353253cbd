import type { SandboxReply, SandboxRequest, SentEntry } from '#shared/tools/sandbox.ts';
import type { Contents } from './contents.ts';
import { upload } from './upload.ts';

/** Bring the live contents of several objects together in one; no file changes by it. */
export async function repack(
  request: SandboxRequest,
  paths: readonly string[],
  entries: readonly SentEntry[],
  contents: Contents,
): Promise<SandboxReply> {
  const wanted = new Set(paths);
  const parts: Uint8Array[] = [];
  const changes: SandboxReply['changes'] = [];
  let offset = 0;
  for (const entry of entries) {
    if (entry.kind !== 'file' || !wanted.has(entry.path)) continue;
    const bytes = await contents.load(entry);
    parts.push(bytes);
    changes.push({ ...entry, content: { upload_offset: offset } });
    offset += bytes.length;
  }
  await upload(request.upload_url, Buffer.concat(parts));
  return { content: [], is_error: false, changes };
}
