import { createTarPacker } from 'modern-tar';

/** A file of an archive that is being made. */
export interface TarFile {
  readonly name: string;
  /** Exact: it stands before the content. */
  readonly size_bytes: number;
  readonly modified_at: string;
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Small files go out together: each piece costs as much as a large one. */
const CHUNK_BYTES = 65_536;

/**
 * An archive as it is made, at the pace of its reader.
 *
 * @throws Error in the middle when a file has another size than it said
 */
export async function* tarOf(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array> {
  const { readable, controller } = createTarPacker();
  let made: Uint8Array[] = [];
  let made_bytes = 0;
  const collected = readable.pipeTo(
    new WritableStream<Uint8Array>({
      write: (chunk) => {
        made.push(chunk);
        made_bytes += chunk.byteLength;
      },
    }),
  );
  const take = (): Uint8Array => {
    const taken = Buffer.concat(made);
    made = [];
    made_bytes = 0;
    return taken;
  };
  // Whoever waits below sees its failure; who has stopped reading must not crash by it.
  collected.catch(() => undefined);
  for await (const { name, size_bytes, modified_at, chunks } of files) {
    const header = { name, size: size_bytes, mtime: new Date(modified_at), mode: 0o644 };
    const body = controller.add(header).getWriter();
    for await (const chunk of chunks) {
      await body.write(chunk);
      if (made_bytes >= CHUNK_BYTES) yield take();
    }
    await body.close();
  }
  controller.finalize();
  await collected;
  yield take();
}
