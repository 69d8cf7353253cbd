import { crc32, inflateRawSync } from 'node:zlib';
import { limits } from '#shared/core/limits.ts';
import { ToolFailure } from './file-tools.ts';

/** Files of an archive by name, unpacked. */
export type Parts = ReadonlyMap<string, Uint8Array>;

/** Nobody's document has more; a directory of millions would be walked for nothing. */
const ENTRIES_MAX = 10_000;

/**
 * What `wanted` chooses of a ZIP archive. Sizes are those that come out, not those that the archive
 * claims, so that an archive that grows a thousandfold ends here and not in a parser.
 *
 * @throws ToolFailure for what is no whole archive, is encrypted, or unpacks to too much.
 */
export function unpacked(archive: Uint8Array, wanted: (name: string) => boolean): Parts {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const parts = new Map<string, Uint8Array>();
  let left = limits.document_unpacked_bytes_max;
  try {
    for (const entry of directoryOf(bytes)) {
      if (!wanted(entry.name)) continue;
      const content = contentOf(bytes, entry, left);
      left -= content.length;
      parts.set(entry.name, content);
    }
  } catch (error) {
    if (error instanceof ToolFailure) throw error;
    const { code } = error as { code?: string };
    throw new ToolFailure(
      code === 'ERR_BUFFER_TOO_LARGE'
        ? `its parts unpack to more than ${limits.document_unpacked_bytes_max} bytes`
        : 'its archive is damaged',
    );
  }
  return parts;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed_bytes: number;
  readonly header_at: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;

function* directoryOf(bytes: Buffer): Generator<Entry> {
  const end_at = endOf(bytes);
  const count = bytes.readUInt16LE(end_at + 10);
  if (count > ENTRIES_MAX) throw new ToolFailure(`it has more than ${ENTRIES_MAX} parts`);
  let at = bytes.readUInt32LE(end_at + 16);
  for (let n = 0; n < count; n++) {
    if (bytes.readUInt32LE(at) !== CENTRAL) throw new Error('no entry');
    if ((bytes.readUInt16LE(at + 8) & 1) === 1) throw new ToolFailure('it is encrypted');
    const name_bytes = bytes.readUInt16LE(at + 28);
    yield {
      name: bytes.toString('utf8', at + 46, at + 46 + name_bytes),
      method: bytes.readUInt16LE(at + 10),
      packed_bytes: bytes.readUInt32LE(at + 20),
      header_at: bytes.readUInt32LE(at + 42),
    };
    at += 46 + name_bytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
}

function endOf(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - END_BYTES - COMMENT_BYTES_MAX);
  for (let at = bytes.length - END_BYTES; at >= first; at--) {
    if (bytes.readUInt32LE(at) === END) return at;
  }
  throw new Error('no directory');
}

function contentOf(bytes: Buffer, entry: Entry, left: number): Uint8Array {
  const { header_at, packed_bytes, method } = entry;
  // The local header's own lengths: they may differ from the directory's.
  const at =
    header_at + 30 + bytes.readUInt16LE(header_at + 26) + bytes.readUInt16LE(header_at + 28);
  const packed = bytes.subarray(at, at + packed_bytes);
  if (packed.length !== packed_bytes) throw new Error('cut off');
  if (method === 8) return inflateRawSync(packed, { maxOutputLength: Math.max(1, left) });
  if (method !== 0) throw new ToolFailure('it is packed in a way that cannot be read');
  if (packed.length > left) throw Object.assign(new Error(), { code: 'ERR_BUFFER_TOO_LARGE' });
  return packed;
}

/** An archive of `parts` without compression: a library that reads it meets no more than them. */
export function stored(parts: Parts): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, content] of parts) {
    const path = Buffer.from(name, 'utf8');
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    // Names are UTF-8.
    facts.writeUInt16LE(0x0800, 2);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(path.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    central.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), facts, rest, path);
    const local = [Buffer.from('PK\x03\x04', 'latin1'), facts, path, Buffer.from(content)];
    locals.push(...local);
    at += 30 + path.length + content.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(parts.size, 8);
  end.writeUInt16LE(parts.size, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}
