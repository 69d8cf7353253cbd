import type { Call } from '../core/call.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Update, Write } from '../core/table.ts';
import { fileDueKeys, fileKey, fileListKeys, fileObject, type ApiFile } from './api-file.ts';

/** What is known of an upload before its bytes are there. */
export interface Announced {
  readonly filename: string;
  readonly mime_type: string;
  readonly size_bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly expires_in_seconds?: number | undefined;
}

/**
 * The row of an upload: no file yet, and removed with its object in a day unless it becomes one. It
 * is written before the object, so that an upload which dies half-way leaves nothing for good.
 */
export function pendingFile(ports: Ports, call: Call, announced: Announced): ApiFile {
  const file_id = ports.newId('file');
  const { expires_in_seconds, ...known } = announced;
  const now_ms = ports.clock.now().getTime();
  return {
    ...fileKey(file_id),
    ...fileDueKeys(file_id, isoAt(now_ms + limits.pending_upload_ms)),
    ...known,
    schema: 1,
    file_id,
    workspace_id: call.workspace_id,
    created_at: isoAt(now_ms),
    expires_on:
      expires_in_seconds === undefined ? null : isoAt(now_ms + expires_in_seconds * 1_000),
    state: 'pending',
    downloadable: false,
    scope: null,
    source: { object: fileObject(file_id) },
  };
}

/** The file's own place; a repeat of it meets its own row. */
export function putPending(file: ApiFile): Write {
  return { put: file, condition: 'attribute_not_exists(pk)' };
}

/** Make it a file: it is listed, and due when it expires. Refused when it is pending no more. */
export function makeReady(file: ApiFile): Update {
  const { gsi1pk, gsi1sk } = fileListKeys(file);
  const listed = 'SET #state = :ready, gsi1pk = :list, gsi1sk = :place';
  const common = {
    update: fileKey(file.file_id),
    condition: '#state = :pending',
    names: { '#state': 'state' },
  };
  const values = { ':ready': 'ready', ':pending': 'pending', ':list': gsi1pk, ':place': gsi1sk };
  if (file.expires_on === null) {
    return { ...common, values, expression: `${listed} REMOVE gsi2pk, gsi2sk` };
  }
  const { gsi2sk } = fileDueKeys(file.file_id, file.expires_on);
  return {
    ...common,
    values: { ...values, ':due': gsi2sk },
    expression: `${listed}, gsi2sk = :due`,
  };
}

function isoAt(ms: number): string {
  return new Date(ms).toISOString();
}
