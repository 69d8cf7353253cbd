import { createTarDecoder, type TarHeader } from 'modern-tar';
import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Fault } from '#shared/core/fault.ts';
import { limits } from '#shared/core/limits.ts';
import { isInside, normalPath, parentOf, resolvePath } from '#shared/files/path.ts';
import type { SandboxChange, SandboxReply, SandboxRequest } from '#shared/tools/sandbox.ts';
import { sendContents, type NewBytes } from './changes.ts';
import { said } from './file-tools.ts';
import { askStore } from './store.ts';
import { upload } from './upload.ts';

type UnpackCall = Extract<SandboxRequest['call'], { tool: 'unpack' }>;
type LinkChange = Extract<SandboxChange, { kind: 'link' }>;

/** The archive is none that GitHub makes of a repository, or is larger than a session takes. */
class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused';
}

/**
 * Unpack a gzipped tar without its top folder below a path. It is a stranger's: a name that climbs,
 * a device or a hard link refuses the whole; a symbolic link that leads out is left out.
 */
export async function unpack(
  { upload_url }: SandboxRequest,
  { url, mount_path }: UnpackCall,
): Promise<SandboxReply> {
  const unpacked = new Unpacked(mount_path);
  const response = await askStore(url);
  // Not the archive's fault: the sandbox gives no answer, and another try may.
  if (!response.ok || response.body === null) {
    throw new Error(`the store answered ${response.status}`);
  }
  try {
    await readArchive(response.body, unpacked);
  } catch (error) {
    const why = error instanceof ArchiveRefused ? error.message : 'it is damaged.';
    return { content: said(why), is_error: true, changes: [] };
  }
  const contents = await sendContents(unpacked.files, async (bytes) => {
    await upload(upload_url, bytes);
  });
  return { content: [], is_error: false, changes: [...contents, ...unpacked.links] };
}

async function readArchive(
  archive: NonNullable<Response['body']>,
  unpacked: Unpacked,
): Promise<void> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // Without a callback a failure would be nobody's; with it the reader below meets it.
  pipeline(Readable.fromWeb(archive), gunzip, () => undefined);
  const entries = ReadableStream.from(bounded(gunzip)).pipeThrough(
    createTarDecoder({ strict: true }),
  );
  for await (const { header, body } of entries) await unpacked.take(header, body);
}

/** What is unpacked is held in memory: the bound is that of the archive with all its headers. */
async function* bounded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > limits.repository_bytes_max) {
      const message = `it has more than ${limits.repository_bytes_max} bytes when unpacked.`;
      throw new ArchiveRefused(message);
    }
    yield chunk;
  }
}

/** Each passes three streams: large ones take a third of the time. */
const CHUNK_BYTES = 262_144;

/** Folders come with what they hold; the others are about the archive itself. */
const silent = new Set<TarHeader['type']>(['directory', 'pax-header', 'pax-global-header']);

/** What an archive holds, by path: a later entry of one name replaces the one before. */
class Unpacked {
  readonly #mount_path: string;
  readonly #files = new Map<string, NewBytes>();
  readonly #links = new Map<string, LinkChange>();

  constructor(mount_path: string) {
    this.#mount_path = mount_path;
  }

  get files(): NewBytes[] {
    return [...this.#files.values()];
  }

  get links(): LinkChange[] {
    return [...this.#links.values()];
  }

  async take(header: TarHeader, body: ReadableStream<Uint8Array>): Promise<void> {
    const { name, type = 'file', mtime = new Date(0), mode = 0o644, linkname = '' } = header;
    const path = this.#pathOf(name);
    const bytes = await bytesOf(body);
    const modified_at = mtime.toISOString();
    // Git knows of a file's mode only whether it can be run; archives have it open to the group.
    const plain = (mode & 0o100) === 0 ? 0o644 : 0o755;
    if (type === 'file') this.#takeFile({ path, modified_at, mode: plain }, bytes);
    else if (type === 'symlink') this.#takeLink({ path, modified_at, mode: 0o777 }, linkname);
    else if (!silent.has(type)) {
      throw new ArchiveRefused(`'${name.slice(0, 200)}' in it is a ${type}.`);
    }
  }

  #takeFile(named: Named, bytes: Uint8Array): void {
    // The top folder itself, as a file: not what GitHub makes.
    if (named.path === this.#mount_path) throw new ArchiveRefused('it has no folder at its top.');
    if (bytes.length > limits.file_bytes_max) {
      throw new ArchiveRefused(`${named.path} has more than ${limits.file_bytes_max} bytes.`);
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const change = { kind: 'file' as const, ...named, size_bytes: bytes.length, sha256 };
    this.#links.delete(named.path);
    this.#files.set(named.path, { change, bytes });
    if (this.#files.size > limits.session_files_max) {
      throw new ArchiveRefused(`it has more than ${limits.session_files_max} files.`);
    }
  }

  #takeLink(named: Named, target: string): void {
    if (target === '' || target.startsWith('/')) return;
    if (!isInside(resolvePath(parentOf(named.path), target), [this.#mount_path])) return;
    this.#files.delete(named.path);
    this.#links.set(named.path, { kind: 'link', ...named, target });
    if (this.#links.size > limits.session_folders_max) {
      throw new ArchiveRefused(`it has more than ${limits.session_folders_max} links.`);
    }
  }

  /** @throws ArchiveRefused for a name that climbs, or that no file of a session can have */
  #pathOf(name: string): string {
    const parts = name.replace(/\/$/, '').split('/');
    const path = [this.#mount_path, ...parts.slice(1)].join('/');
    try {
      const is_plain = !name.startsWith('/') && normalPath(path) === path;
      if (is_plain && !parts.includes('..')) return path;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
    throw new ArchiveRefused(`it holds a path that cannot be used: '${name.slice(0, 200)}'.`);
  }
}

interface Named {
  readonly path: string;
  readonly mode: number;
  readonly modified_at: string;
}

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
