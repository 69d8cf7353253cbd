import { exactHeaders } from '../core/blobs.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed } from '../core/table.ts';
import { fileKey, fileObject, type ApiFile } from './api-file.ts';
import type { UploadCreate } from './file-wire.ts';
import { filenameOf } from './filename.ts';
import { mediaTypeOf } from './media-type.ts';
import { makeReady, pendingFile, putPending } from './pending.ts';
import { noFile } from './read-file.ts';
import { showUpload, type UploadedFile } from './show-file.ts';

/** Where and how a client sends the bytes; S3 refuses any other bytes than the announced ones. */
export interface StartedUpload {
  readonly file: UploadedFile;
  readonly upload: {
    readonly url: string;
    readonly method: 'PUT';
    /** All of them, exactly as they are: they are part of what was signed. */
    readonly headers: Readonly<Record<string, string>>;
    /** At the latest: S3 refuses it (`ExpiredToken`) once the credentials of the function that signed it have ended. */
    readonly expires_at: string;
  };
}

/**
 * `POST /v1/reverie/files`: announce a file that goes to the bucket directly.
 * @throws Fault `invalid` for a name that is not allowed
 */
export async function startUpload(
  ports: Ports,
  call: Call,
  { filename: said, mime_type: said_type, ...announced }: UploadCreate,
): Promise<StartedUpload> {
  const mime_type = mediaTypeOf(said, said_type);
  const filename = filenameOf(said, mime_type);
  const file = pendingFile(ports, call, { ...announced, filename, mime_type });
  const { size_bytes, sha256 } = file;
  const exact = { sha256, size_bytes, content_type: mime_type };
  const object = fileObject(file.file_id);
  const until_ms = ports.clock.now().getTime() + limits.upload_url_s * 1_000;
  const url = await ports.blobs.presignPut(object, limits.upload_url_s, exact);
  const headers = exactHeaders(exact);
  const answer: StartedUpload = {
    file: showUpload(file, 'pending'),
    upload: { url, method: 'PUT', headers, expires_at: new Date(until_ms).toISOString() },
  };
  return await commit(ports, call, [putPending(file)], { answer });
}

/**
 * `POST /v1/reverie/files/{file_id}/complete`: the bytes are there, the file is one from now on. A
 * repeat, and the loser of two at once, get the same answer.
 *
 * @throws Fault `missing`; `conflict` while the bytes are not there
 */
export async function completeUpload(
  ports: Ports,
  call: Call,
  file_id: string,
): Promise<UploadedFile> {
  const file = await uploadOf(ports, call, file_id);
  const answer = showUpload(file, 'ready');
  if (file.state !== 'pending') return await commit(ports, call, [], { answer });
  const head = await ports.blobs.head(fileObject(file_id));
  if (head?.size_bytes !== file.size_bytes) {
    throw new Fault(
      'conflict',
      `File ${file_id} has no content yet. PUT its ${file.size_bytes} bytes to the upload's url first, or start again when that has expired.`,
      { details: { error_code: 'upload_incomplete' } },
    );
  }
  try {
    return await commit(ports, call, [makeReady(file)], { answer });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    // Another request has completed it, or its day is over.
    await uploadOf(ports, call, file_id);
    return answer;
  }
}

/** An upload that waits for its bytes, or what has become of it. */
async function uploadOf({ table }: Ports, call: Call, file_id: string): Promise<ApiFile> {
  const file = (await table.get(fileKey(file_id))) as ApiFile | undefined;
  const is_gone = file?.workspace_id !== call.workspace_id || file.state === 'deleted';
  if (is_gone || file.scope !== null) throw noFile(file_id);
  return file;
}
