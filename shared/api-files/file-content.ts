import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { entryOf, filesKey } from '../files/entry.ts';
import type { ApiFile } from './api-file.ts';
import { fileExpired, isExpired } from './read-file.ts';

type ContentPorts = Pick<Ports, 'table' | 'blobs' | 'clock'>;

/**
 * The bytes of a file, in order. A session's file is read from its session's file system, as long as
 * what stands there is the version that was listed.
 *
 * @throws Fault `missing`: with `file_expired` when its time is over; when the session has another
 *   version there by now
 */
export async function fileContent(
  ports: ContentPorts,
  file: ApiFile,
): Promise<AsyncIterable<Uint8Array>> {
  if (isExpired(file, ports.clock.now())) throw fileExpired(file);
  const { source, scope } = file;
  if ('object' in source) return ports.blobs.read(source.object);
  const pk = filesKey(scope?.id ?? '');
  const row = await ports.table.get({ pk, sk: `F#${source.path}` });
  const entry = row && entryOf(row);
  if (entry?.kind !== 'file' || entry.version !== source.version) throw changed(file);
  const { content, size_bytes } = entry;
  if ('inline' in content) return once(content.inline);
  // No range of an object is empty.
  if (size_bytes === 0) return once(new Uint8Array());
  return ports.blobs.read(content.key, { offset: content.offset, length: size_bytes });
}

/** The same in one piece, for files that are known to be small enough. */
export async function fileBytes(ports: ContentPorts, file: ApiFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await fileContent(ports, file)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function changed({ file_id, filename }: ApiFile): Fault {
  return new Fault(
    'missing',
    `File ${file_id} was not found: its session has changed '${filename}' since. List the session's files again.`,
  );
}
