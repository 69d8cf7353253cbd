import type { ApiFile } from '../api-files/api-file.ts';
import { fileExpired, isExpired, noFile, readFiles } from '../api-files/read-file.ts';
import { sourceKind, type SourceKind } from '../api-files/source-kind.ts';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { isId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';

/** A block whose content is a file of the Files API. */
interface FileBlock {
  readonly type: 'image' | 'document';
  readonly file_id: string;
}

/** Of an event only the content is of interest, and of its blocks only their sources. */
interface Sent {
  readonly content?: readonly { readonly type: string; readonly source?: unknown }[];
}

export function fileBlocks(events: readonly object[]): FileBlock[] {
  return events.flatMap((event) => ((event as Sent).content ?? []).flatMap(fileBlock));
}

function fileBlock({ type, source }: NonNullable<Sent['content']>[number]): FileBlock[] {
  if (type !== 'image' && type !== 'document') return [];
  const { type: from, file_id } = source as { readonly type: string; readonly file_id?: string };
  return from === 'file' && file_id !== undefined ? [{ type, file_id }] : [];
}

/** What one request may name: as many documents as the API takes, and as many images. */
export function tooManyFiles(events: readonly object[]): string | undefined {
  const blocks = fileBlocks(events);
  for (const type of ['document', 'image'] as const) {
    if (blocks.filter((block) => block.type === type).length > limits.file_blocks_max) {
      return `has more than ${limits.file_blocks_max} ${type} blocks with a file. Send fewer.`;
    }
  }
  return undefined;
}

/**
 * Whether every file that events name is there and is what its block says, before anything is
 * written: a model would refuse the conversation for good.
 *
 * @param field Of the request, for messages.
 * @throws Fault `missing`, with `file_expired` where that is why; `invalid`
 */
export async function checkFileSources(
  ports: Pick<Ports, 'table' | 'clock'>,
  call: Pick<Call, 'workspace_id'>,
  events: readonly object[],
  field: string,
): Promise<void> {
  const blocks = fileBlocks(events);
  if (blocks.length === 0) return;
  const file_ids = [...new Set(blocks.map(({ file_id }) => file_id))];
  const found = await readFiles(
    ports,
    call,
    file_ids.filter((file_id) => isId('file', file_id)),
  );
  const files = new Map(found.map((file) => [file.file_id, file]));
  for (const { type, file_id } of blocks) {
    const file = files.get(file_id);
    if (file === undefined) throw noFile(file_id.slice(0, 80));
    if (isExpired(file, ports.clock.now())) throw fileExpired(file);
    checkKind(file, type, field);
  }
  const sum = found.reduce((bytes, { size_bytes }) => bytes + size_bytes, 0);
  if (sum > limits.source_files_bytes_max) {
    throw new Fault(
      'invalid',
      `${field}: the files have ${sum} bytes together, and a model takes at most ${limits.source_files_bytes_max}. Send fewer, or mount them in the session.`,
    );
  }
}

const bytes_max: Readonly<Record<SourceKind, number>> = {
  image: limits.source_image_bytes_max,
  pdf: limits.source_files_bytes_max,
  text: limits.source_chars_max,
};

function checkKind(file: ApiFile, type: FileBlock['type'], field: string): void {
  const { file_id, mime_type, size_bytes } = file;
  const kind = sourceKind(mime_type);
  if (kind === undefined || (kind === 'image') !== (type === 'image')) {
    const wanted = type === 'image' ? 'a PNG, JPEG, GIF or WebP image' : 'a PDF or text';
    throw new Fault(
      'invalid',
      `${field}: file ${file_id} is ${mime_type}, but the source of a block of type ${type} must be ${wanted}.`,
    );
  }
  if (size_bytes === 0 || size_bytes > bytes_max[kind]) {
    throw new Fault(
      'invalid',
      `${field}: file ${file_id} has ${size_bytes} bytes; here it must have 1 to ${bytes_max[kind]}.`,
    );
  }
}
