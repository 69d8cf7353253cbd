import { limits } from '../core/limits.ts';
import { sha256Of } from '../memory/content.ts';
import { faultOfPath } from '../memory/path.ts';
import { IndexLine, names, StoreFile } from './archive.ts';
import { HistoryCheck, parsedAs } from './check-history.ts';
import { Places } from './past.ts';
import { bytesOf, entriesOf, refusal, textIn, textLinesOf, type TarEntry } from './read-tar.ts';

/** A memory that an archive holds. */
export interface ArchivedMemory {
  readonly path: string;
  readonly memory_version_id: string;
  readonly created_at: string;
}

/** An archive in which everything agrees. */
export interface Checked {
  readonly store: StoreFile;
  /** By id. */
  readonly memories: ReadonlyMap<string, ArchivedMemory>;
  readonly versions_count: number;
}

/**
 * Read an archive from beginning to end, and refuse by name whatever an export does not make: other
 * files, links, paths and texts that no memory has, a history that does not lead to the files.
 *
 * @throws Fault `invalid`
 */
export async function checkArchive(
  chunks: AsyncIterable<Uint8Array>,
  memories_max: number,
): Promise<Checked> {
  const check = new ArchiveCheck(memories_max);
  for await (const entry of entriesOf(chunks)) await check.add(entry);
  return check.end();
}

class ArchiveCheck {
  readonly #memories_max: number;
  readonly #history = new HistoryCheck();
  /** Hashes by path. */
  readonly #files = new Map<string, string>();
  readonly #places = new Places();
  readonly #memories = new Map<string, ArchivedMemory>();
  #store: StoreFile | undefined;
  #part: 'none' | 'store' | 'history' | 'index' = 'none';

  constructor(memories_max: number) {
    this.#memories_max = memories_max;
  }

  async add(entry: TarEntry): Promise<void> {
    const { name, type } = entry;
    // Whoever packs an archive anew leaves the folders in it.
    if (type === 'directory') return;
    if (type !== 'file') throw refusal(`'${name}'`, `is a ${type}. An archive holds files only.`);
    if (name === names.store) await this.#addStore(entry);
    else if (name.startsWith(`${names.memories}/`)) await this.#addMemory(entry);
    else if (name === names.history) await this.#addHistory(entry);
    else if (name === names.index) await this.#addIndex(entry);
    else throw refusal(`'${name}'`, 'is no file of an export.');
  }

  #enter(part: 'store' | 'history' | 'index', after: 'none' | 'store' | 'history'): void {
    if (this.#part !== after) throw refusal(`'${names[part]}'`, 'stands at a wrong place.');
    this.#part = part;
  }

  async #addStore(entry: TarEntry): Promise<void> {
    this.#enter('store', 'none');
    const text = textIn(await bytesOf(entry, limits.import_line_bytes_max), `'${entry.name}'`);
    this.#store = parsedAs(StoreFile, text, `'${entry.name}'`);
  }

  async #addMemory(entry: TarEntry): Promise<void> {
    const where = `'${entry.name}'`;
    if (this.#part !== 'store') throw refusal(where, 'stands at a wrong place.');
    const path = entry.name.slice(names.memories.length);
    const fault = faultOfPath(path);
    if (fault !== undefined) throw refusal(where, `has a wrong path: it ${fault}`);
    if (this.#files.size >= this.#memories_max) {
      throw refusal('it', `has more than ${this.#memories_max} memories.`);
    }
    if (!this.#places.take(path, path) || this.#files.has(path)) {
      throw refusal(where, 'is at, above or below the path of another one.');
    }
    const text = textIn(await bytesOf(entry, limits.memory_bytes_max), where);
    this.#files.set(path, sha256Of(text));
  }

  async #addHistory(entry: TarEntry): Promise<void> {
    this.#enter('history', 'store');
    for await (const line of textLinesOf(entry)) this.#history.add(line);
  }

  async #addIndex(entry: TarEntry): Promise<void> {
    this.#enter('index', 'history');
    for await (const text of textLinesOf(entry)) {
      const where = `line ${this.#memories.size + 1} of '${entry.name}'`;
      const line = parsedAs(IndexLine, text, where);
      const fault = this.#faultOfIndex(line);
      if (fault !== undefined) throw refusal(where, fault);
      const { path, memory_id, memory_version_id, created_at } = line;
      this.#memories.set(memory_id, { path, memory_version_id, created_at });
    }
  }

  #faultOfIndex(line: IndexLine): string | undefined {
    const { path, memory_id, memory_version_id, content_sha256, created_at } = line;
    const head = this.#history.heads.get(memory_id);
    if (this.#memories.has(memory_id)) return 'names a memory twice.';
    const is_head =
      head !== undefined &&
      head.version_id === memory_version_id &&
      head.path === path &&
      head.content_sha256 === content_sha256;
    if (!is_head) return `says of '${path}' something else than the history.`;
    if (this.#files.get(path) !== content_sha256)
      return `has another hash than the file '${path}'.`;
    const is_in_time = head.is_whole ? created_at === head.first_at : created_at <= head.first_at;
    return is_in_time ? undefined : `has another created_at than the history of '${path}'.`;
  }

  end(): Checked {
    if (this.#store === undefined) throw refusal(`'${names.store}'`, 'is missing.');
    if (this.#part !== 'index') throw refusal(`'${names.index}'`, 'is missing.');
    for (const [memory_id, { operation, path }] of this.#history.heads) {
      if (operation !== 'deleted' && !this.#memories.has(memory_id)) {
        throw refusal('the history', `has a memory at '${path}' that is not in the index.`);
      }
    }
    // Each line of the index has a file of its own, since paths and memories are so in the history.
    if (this.#files.size !== this.#memories.size) {
      throw refusal('it', 'has files that are not in the index.');
    }
    const { lines_count: versions_count } = this.#history;
    return { store: this.#store, memories: this.#memories, versions_count };
  }
}
