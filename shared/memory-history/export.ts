import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { versionKey, type VersionRow } from '../memory/memory.ts';
import { indexText, names, storeText } from './archive.ts';
import { readHistory } from './read-history.ts';
import { linesOf, surveyStore, textsOf, type Survey, type Surveyed } from './survey.ts';
import { tarOf, type TarFile } from './tar.ts';

/** A streamed answer: everything that can be refused has been. */
export interface StoreExport {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Versions that are read in one request; the larger texts of them come 16 at a time. */
const MEMORIES_AT_ONCE = 100;

/**
 * A store as a tar: its memories as files, byte for byte, and its history. It is of one moment, and
 * the same store gives the same bytes. What is redacted or expires while it is sent breaks it off.
 *
 * @throws Fault as {@link surveyStore}; `too_large` for what no stream could bring to its end
 */
export async function exportStore(
  ports: Ports,
  call: Call,
  store_id: string,
): Promise<StoreExport> {
  const survey = await surveyStore(ports, call, store_id);
  refuseTooLarge(survey);
  return {
    headers: {
      'content-type': 'application/x-tar',
      'content-disposition': `attachment; filename="${store_id}.tar"`,
    },
    chunks: tarOf(filesOf(ports, survey)),
  };
}

/** A tar gives each file a header, a long path another, and fills its last block. */
const FILE_OVERHEAD_BYTES = 4_096;

function refuseTooLarge({ head, memories, history_bytes }: Survey): void {
  const texts_bytes = memories.reduce(
    (sum, memory) => sum + memory.content_size_bytes + FILE_OVERHEAD_BYTES,
    0,
  );
  const bytes = texts_bytes + history_bytes;
  if (bytes <= limits.stream_bytes_max) return;
  throw new Fault(
    'too_large',
    `memory store '${head.memory_store_id}' and its history are about ${Math.ceil(bytes / 1e6)} MB; an export ends at ${limits.stream_bytes_max / 1e6} MB, which is what Lambda streams. Redact versions that you need no more, or let them expire (reverie:memory_version_days).`,
  );
}

async function* filesOf(ports: Ports, survey: Survey): AsyncGenerator<TarFile> {
  const { head, memories, history_bytes } = survey;
  const { created_at } = head;
  yield fileOf(names.store, created_at, [Buffer.from(storeText(head))]);
  yield* memoryFiles(ports, survey);
  yield {
    name: names.history,
    size_bytes: history_bytes,
    modified_at: created_at,
    chunks: historyOf(ports, survey),
  };
  const index = memories.map((memory) => Buffer.from(indexText(memory)));
  yield fileOf(names.index, created_at, index);
}

function fileOf(name: string, modified_at: string, chunks: readonly Uint8Array[]): TarFile {
  const size_bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { name, size_bytes, modified_at, chunks };
}

/** By their versions, which stay as they are when a memory is changed meanwhile. */
async function* memoryFiles(ports: Ports, { head, memories }: Survey): AsyncGenerator<TarFile> {
  const { memory_store_id } = head;
  for (let start = 0; start < memories.length; start += MEMORIES_AT_ONCE) {
    const part = memories.slice(start, start + MEMORIES_AT_ONCE);
    const keys = part.map(({ memory_version_id }) =>
      versionKey(memory_store_id, memory_version_id),
    );
    const rows = (await ports.table.getMany(keys)) as VersionRow[];
    invariant(rows.length === part.length, 'a version that is exported is there');
    const texts = textsOf(ports, rows);
    for (const memory of part) yield memoryFile(memory, (await texts.next()).value ?? '');
  }
}

/** Its size is that of the survey: a text that has been redacted since does not fit. */
function memoryFile({ sk, updated_at, content_size_bytes }: Surveyed, text: string): TarFile {
  return {
    name: `${names.memories}${sk}`,
    size_bytes: content_size_bytes,
    modified_at: updated_at,
    chunks: [Buffer.from(text)],
  };
}

async function* historyOf(ports: Ports, { head, newest }: Survey): AsyncGenerator<Uint8Array> {
  for await (const rows of readHistory(ports, head.memory_store_id)) {
    // Of one memory, ids are in the order of its changes.
    const known = rows.filter(
      ({ memory_id, memory_version_id }) => memory_version_id <= (newest.get(memory_id) ?? ''),
    );
    yield* linesOf(ports, known);
  }
}
