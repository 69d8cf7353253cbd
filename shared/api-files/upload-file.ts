import { createHash } from 'node:crypto';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { fileObject, type FileMetadata } from './api-file.ts';
import type { Upload } from './file-wire.ts';
import { filenameOf } from './filename.ts';
import { mediaTypeOf } from './media-type.ts';
import { makeReady, pendingFile, putPending } from './pending.ts';
import { showFile } from './show-file.ts';

/**
 * `POST /v1/files`. The row announces the object, the object is stored, then the row becomes a file
 * in one transaction with the remembered answer. Died between: nobody sees it, and reconcile removes
 * row and object. Runs twice: with an `Idempotency-Key` one file, without one two files.
 *
 * @throws Fault `invalid` for a name or a time that is not allowed; `too_large` beyond what a form
 *   may bring
 */
export async function uploadFile(ports: Ports, call: Call, upload: Upload): Promise<FileMetadata> {
  const { bytes, media_type, expires_in_seconds } = upload;
  if (bytes.length > limits.form_file_bytes_max) throw tooLarge();
  const mime_type = mediaTypeOf(upload.filename, media_type);
  const file = pendingFile(ports, call, {
    filename: filenameOf(upload.filename, mime_type),
    mime_type,
    size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    expires_in_seconds,
  });
  await ports.table.transact([putPending(file)]);
  await ports.blobs.put(fileObject(file.file_id), bytes, mime_type);
  return await commit(ports, call, [makeReady(file)], { answer: showFile(file) });
}

/** What is larger than the gateway takes never comes here: its own answer says the same. */
function tooLarge(): Fault {
  return new Fault(
    'too_large',
    `file: a form may bring at most ${limits.form_file_bytes_max} bytes. Use POST /v1/reverie/files for files up to ${limits.upload_bytes_max} bytes.`,
  );
}
