import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { fileContent } from './file-content.ts';
import { fileExpired, isExpired, readFile } from './read-file.ts';

/** A streamed answer: everything that can be refused has been. */
export interface Download {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * `GET /v1/files/{file_id}/content`.
 *
 * @throws Fault `missing`, with `file_expired` when its time is over; `invalid` for what people have
 *   uploaded
 */
export async function downloadFile(ports: Ports, call: Call, file_id: string): Promise<Download> {
  const file = await readFile(ports, call, file_id);
  if (isExpired(file, ports.clock.now())) throw fileExpired(file);
  if (!file.downloadable) {
    throw new Fault(
      'invalid',
      `File ${file_id} was uploaded and cannot be downloaded; only files that agents make can.`,
      { details: { error_code: 'file_not_downloadable' } },
    );
  }
  const headers = {
    'content-type': file.mime_type,
    'content-length': String(file.size_bytes),
    'content-disposition': disposition(file.filename),
    // What an agent has written must not run in a browser as a page of this origin.
    'x-content-type-options': 'nosniff',
  };
  return { headers, chunks: await fileContent(ports, file) };
}

/** Source: RFC 6266: the plain name for old readers, the encoded one for the others. */
function disposition(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
