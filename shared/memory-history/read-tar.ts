import { createTarDecoder } from 'modern-tar';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';

/** A file of an archive that is being read; whoever does not read its body goes past it. */
export interface TarEntry {
  readonly name: string;
  readonly type: string;
  readonly size_bytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** @param where The file in the archive, or what is wrong of it as a whole. */
export function refusal(where: string, what: string): Fault {
  return new Fault(
    'invalid',
    `file_id: the archive cannot be imported: ${where.slice(0, 200)} ${what}`,
    {
      details: { error_code: 'memory_archive_invalid' },
    },
  );
}

/**
 * The files of a tar, one after the other.
 *
 * @throws Fault `invalid` for what is no tar or ends too early; what `chunks` throws
 */
export async function* entriesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  let failure: unknown;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const told = (error: unknown): unknown => {
    if (error instanceof Fault || failure !== undefined) return failure ?? error;
    const what = error instanceof Error ? error.message : 'it cannot be read.';
    return refusal('it is no whole tar:', what);
  };
  const decoded = ReadableStream.from(source()).pipeThrough(createTarDecoder({ strict: true }));
  try {
    for await (const { header, body } of decoded) {
      const { name, size: size_bytes, type = 'file' } = header;
      yield { name, type, size_bytes, body: readable(body, told) };
      // Not cancelled: the decoder is ahead by then, and would cancel the body after this one.
      await body.pipeTo(new WritableStream());
    }
  } catch (error) {
    throw told(error);
  }
}

/** A body that ends too early fails its reader, not the loop over the files. */
async function* readable(
  body: ReadableStream<Uint8Array>,
  told: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw told(error);
  }
}

/** @throws Fault `invalid` for a file that is larger than `bytes_max` */
export async function bytesOf(entry: TarEntry, bytes_max: number): Promise<Buffer> {
  if (!(entry.size_bytes <= bytes_max)) {
    throw refusal(`'${entry.name}'`, `has more than ${bytes_max} bytes.`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** @throws Fault `invalid` for what is not UTF-8 */
export function textIn(bytes: Uint8Array, where: string): string {
  try {
    // A byte order mark is a part of the text.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal(where, 'is not valid UTF-8.');
  }
}

/**
 * The lines of a file without their ends, each of which must have one.
 *
 * @throws Fault `invalid` for a line that is too long, not UTF-8 or not ended
 */
export async function* textLinesOf({ name, body }: TarEntry): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let begun_bytes = 0;
  let number = 1;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...begun, chunk.subarray(start, end)]);
      yield textIn(line, `line ${number} of '${name}'`);
      number += 1;
      begun = [];
      begun_bytes = 0;
      start = end + 1;
    }
    begun.push(chunk.subarray(start));
    begun_bytes += chunk.byteLength - start;
    if (begun_bytes > limits.import_line_bytes_max) {
      throw refusal(
        `line ${number} of '${name}'`,
        `has more than ${limits.import_line_bytes_max} bytes.`,
      );
    }
  }
  if (begun_bytes > 0) throw refusal(`line ${number} of '${name}'`, 'has no end.');
}
