import type { Blobs } from '../core/blobs.ts';
import { timestamp, type Clock } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import { commit, type CommitRequest, type Conflict } from './commit.ts';
import { filesKey, type Author, type Content, type File, type StoredEntry } from './entry.ts';
import { Manifests } from './manifest.ts';
import { packKey, sha256Of, storeContents } from './pack.ts';
import { isInside, normalPath } from './path.ts';

export interface FilesPorts {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
  /** A new name, never given before and sortable by time: a ULID. */
  readonly newName: () => string;
}

/** For whom a file is written. */
export interface WriteOptions {
  readonly workspace_id: string;
  readonly written_by: Author;
}

export type StoredFile = StoredEntry & { readonly kind: 'file' };

/** A write meets other writers of the same path so often only when something is wrong. */
const WRITE_ATTEMPTS_MAX = 10;

/** The files of sessions: what every thread of a session sees, whichever function looks. */
export class SessionFiles {
  readonly manifests: Manifests;
  readonly ports: FilesPorts;

  constructor(ports: FilesPorts) {
    this.ports = ports;
    this.manifests = new Manifests(ports.table, ports.clock);
  }

  /** Files at or below `prefix`, by path. */
  async list(session_id: string, prefix: string): Promise<StoredFile[]> {
    const root = normalPath(prefix);
    const { manifest } = await this.manifests.read(session_id);
    return [...manifest.entries.values()]
      .filter((entry) => entry.kind === 'file')
      .filter((entry) => isInside(entry.path, [root]))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** @throws Fault `missing` */
  async read(session_id: string, path: string): Promise<{ file: StoredFile; bytes: Uint8Array }> {
    const { manifest } = await this.manifests.read(session_id);
    const file = manifest.entries.get(normalPath(path));
    if (file?.kind !== 'file') throw new Fault('missing', `There is no file '${path}'.`);
    return { file, bytes: await this.#bytesOf(file.content, file.size_bytes) };
  }

  /**
   * Write a whole file, whatever it held before. Runs twice: the same bytes again.
   * @throws Fault `too_large` over a file's or the session's bound.
   */
  async write(
    session_id: string,
    path: string,
    bytes: Uint8Array,
    options: WriteOptions,
  ): Promise<void> {
    if (bytes.length > limits.file_bytes_max) {
      throw new Fault('too_large', `A file must have at most ${limits.file_bytes_max} bytes.`);
    }
    const normal = normalPath(path);
    const { manifest } = await this.manifests.read(session_id);
    const content = await this.#storeOne(session_id, bytes, manifest.inline_bytes);
    const file: File = {
      kind: 'file',
      path: normal,
      mode: 0o644,
      modified_at: timestamp(this.ports.clock),
      size_bytes: bytes.length,
      sha256: sha256Of(bytes),
      content,
    };
    await this.#replace(session_id, normal, file, options);
  }

  /** Remove a file; one that is not there is fine. */
  async delete(session_id: string, path: string, options: WriteOptions): Promise<void> {
    await this.#replace(session_id, normalPath(path), undefined, options);
  }

  /** Remove every row of a session's files; their contents go with the prefix `sessions/<id>/`. */
  async drop(session_id: string): Promise<void> {
    const pk = filesKey(session_id);
    for (;;) {
      const { rows, more } = await this.ports.table.query({ pk, from: 'A', to: 'Z' });
      await this.ports.table.deleteMany(rows.map(({ sk }) => ({ pk, sk })));
      if (!more) return;
    }
  }

  /** See {@link commit}. */
  async commit(request: CommitRequest): Promise<readonly Conflict[]> {
    return await commit(
      {
        table: this.ports.table,
        clock: this.ports.clock,
        manifests: this.manifests,
        newVersion: this.ports.newName,
        bytesOf: async (content, size_bytes) => await this.#bytesOf(content, size_bytes),
        store: async (bytes, inline_bytes) =>
          await this.#storeOne(request.session_id, bytes, inline_bytes),
      },
      request,
    );
  }

  /** See {@link storeContents}. */
  async store(
    session_id: string,
    contents: readonly Uint8Array[],
    inline_bytes: number,
  ): Promise<Content[]> {
    const key = packKey(session_id, this.ports.newName());
    return await storeContents(this.ports.blobs, key, contents, inline_bytes);
  }

  async #storeOne(session_id: string, bytes: Uint8Array, inline_bytes: number): Promise<Content> {
    const [content] = await this.store(session_id, [bytes], inline_bytes);
    if (content === undefined) throw new Error('one content is stored as one');
    return content;
  }

  async #replace(
    session_id: string,
    path: string,
    next: File | undefined,
    { written_by: author, workspace_id }: WriteOptions,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { manifest } = await this.manifests.read(session_id);
      const base = manifest.entries.get(path);
      if (base === undefined && next === undefined) return;
      const conflicts = await this.commit({
        session_id,
        workspace_id,
        base: manifest,
        changes: [{ path, base, next }],
        author,
        on_conflict: 'refuse',
      });
      if (conflicts.length === 0) return;
      if (attempt === WRITE_ATTEMPTS_MAX) {
        throw new Fault('busy', `'${path}' is being changed by others. Try again.`);
      }
    }
  }

  async #bytesOf(content: Content, size_bytes: number): Promise<Uint8Array> {
    if ('inline' in content) return content.inline;
    // The object holds all that one call has changed: it may be hundreds of times the file.
    return await this.ports.blobs.getRange(content.key, content.offset, size_bytes);
  }
}
