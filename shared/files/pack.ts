import { createHash } from 'node:crypto';
import type { Blobs } from '../core/blobs.ts';
import { limits } from '../core/limits.ts';
import type { Content } from './entry.ts';

/**
 * Contents that one call stores go into one object, so that a session with 10,000 files has
 * hundreds of objects at most: each needs a presigned URL in each call of the sandbox.
 */
export function packKey(session_id: string, id: string): string {
  return `sessions/${session_id}/packs/${id}`;
}

/**
 * Store contents: small ones as a part of their row, the others in one new object.
 *
 * @param inline_bytes What the session's rows hold already.
 * @returns for each of `contents` where it is. Dies after the put: an orphan under the session's
 *   prefix, which goes with the session.
 */
export async function storeContents(
  blobs: Blobs,
  key: string,
  contents: readonly Uint8Array[],
  inline_bytes: number,
): Promise<Content[]> {
  let inline_left = limits.inline_files_bytes_max - inline_bytes;
  let offset = 0;
  const packed: Uint8Array[] = [];
  const stored = contents.map((bytes): Content => {
    if (bytes.length <= limits.inline_file_bytes_max && bytes.length <= inline_left) {
      inline_left -= bytes.length;
      return { inline: bytes };
    }
    const at = offset;
    packed.push(bytes);
    offset += bytes.length;
    return { key, offset: at };
  });
  if (packed.length > 0) await blobs.put(key, Buffer.concat(packed), 'application/octet-stream');
  return stored;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
