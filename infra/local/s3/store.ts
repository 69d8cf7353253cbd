import { createHash, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ObjectMeta {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly modified: string;
  /** Headers to send back: content type, user metadata, checksums. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface StoredObject {
  readonly meta: ObjectMeta;
  read(start: number, end: number): Promise<Buffer>;
  close(): Promise<void>;
}

const length_bytes = 4;
/** To hand a smaller write to another thread takes longer than to do it. */
const small_bytes_max = 65_536;
/** A file name has at most 255 bytes: so many characters, each three when it is escaped. */
const piece_chars_max = 66;

/**
 * Objects as files under one folder. A file is a length, the meta as JSON, and the body, so that one
 * rename puts both or neither: a `kill -9` leaves the old object or the new one. Paths follow the keys
 * (files end in `~`, which no encoded segment does), so that a listing needs no index that could lie.
 */
export class ObjectStore {
  readonly #root: string;
  readonly #temporary: string;
  readonly #turns = new Map<string, Promise<void>>();

  constructor(folder: string) {
    this.#root = join(folder, 'objects');
    this.#temporary = join(folder, 'incoming');
  }

  /** Make the folders, and clear what a killed host was about to write. */
  async open(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    await mkdir(this.#temporary, { recursive: true });
    await mkdir(this.#root, { recursive: true });
  }

  /** Do this when nothing else is done in turn for the key: what it checks still holds when it writes. */
  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const mine = before.then(work);
    const ended = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(key, ended);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(key) === ended) this.#turns.delete(key);
    }
  }

  async put(
    key: string,
    body: Buffer,
    about: Pick<ObjectMeta, 'modified' | 'headers'>,
  ): Promise<ObjectMeta> {
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    const meta: ObjectMeta = { key, size: body.length, etag, ...about };
    const json = Buffer.from(JSON.stringify(meta));
    const length = Buffer.alloc(length_bytes);
    length.writeUInt32BE(json.length);
    const incoming = join(this.#temporary, randomUUID());
    const path = this.#path(key);
    const whole = [length, json, body];
    if (body.length <= small_bytes_max) {
      writeFileSync(incoming, Buffer.concat(whole));
    } else {
      const file = await open(incoming, 'w');
      await file.writev(whole).finally(() => file.close());
    }
    try {
      renameSync(incoming, path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      mkdirSync(dirname(path), { recursive: true });
      renameSync(incoming, path);
    }
    return meta;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const file = await open(this.#path(key), 'r').catch(missing);
    if (file === undefined) return undefined;
    const length = Buffer.alloc(length_bytes);
    await file.read(length, 0, length_bytes, 0);
    const json = Buffer.alloc(length.readUInt32BE());
    await file.read(json, 0, json.length, length_bytes);
    const meta = JSON.parse(json.toString()) as ObjectMeta;
    const offset = length_bytes + json.length;
    return {
      meta,
      read: async (start, end) => {
        const body = Buffer.alloc(Math.max(0, end - start));
        await file.read(body, 0, body.length, offset + start);
        return body;
      },
      close: () => file.close(),
    };
  }

  /** Read at once: four hand-overs to another thread take longer than two small reads. */
  async meta(key: string): Promise<ObjectMeta | undefined> {
    try {
      const file = openSync(this.#path(key), 'r');
      try {
        const length = Buffer.alloc(length_bytes);
        readSync(file, length, 0, length_bytes, 0);
        const json = Buffer.alloc(length.readUInt32BE());
        readSync(file, json, 0, json.length, length_bytes);
        return JSON.parse(json.toString()) as ObjectMeta;
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      return missing(cause);
    }
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  /** Every key under a prefix, in the order of their UTF-8 bytes, as S3 lists them. */
  async keys(prefix: string): Promise<string[]> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const parts = folder === '' ? [] : folder.slice(0, -1).split('/');
    const keys: Buffer[] = [];
    const start = join(this.#root, ...parts.map(encodeSegment));
    await this.#walk(start, folder, (key) => {
      if (key.startsWith(prefix)) keys.push(Buffer.from(key));
    });
    return keys.toSorted((a, b) => Buffer.compare(a, b)).map(String);
  }

  /** `prefix` is the key so far; `pending` the escaped pieces so far of the segment at hand. */
  async #walk(
    folder: string,
    prefix: string,
    found: (key: string) => void,
    pending = '',
  ): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(missing);
    for (const entry of entries ?? []) {
      const path = join(folder, entry.name);
      const name = pending + entry.name.replace(/[~+]$/, '');
      if (!entry.isDirectory()) found(prefix + decodeSegment(name));
      // oxlint-disable-next-line no-await-in-loop -- one folder at a time keeps few files open
      else if (entry.name.endsWith('+')) await this.#walk(path, prefix, found, name);
      // oxlint-disable-next-line no-await-in-loop -- as above
      else await this.#walk(path, `${prefix}${decodeSegment(name)}/`, found);
    }
  }

  #path(key: string): string {
    const parts = key.split('/').map(encodeSegment);
    return `${join(this.#root, ...parts)}~`;
  }
}

/** A part of a key as a file name: escaped, never `.` or empty, and in pieces (`…+/…`) when long. */
function encodeSegment(segment: string): string {
  if (segment === '') return '%-';
  const escaped = encodeURIComponent(segment)
    .replaceAll('.', '%2E')
    .replaceAll('~', '%7E')
    .replaceAll('*', '%2A');
  const pieces = escaped.match(new RegExp(`(?:%..|[^%]){1,${piece_chars_max}}`, 'g')) ?? [];
  return pieces.join('+/');
}

function decodeSegment(name: string): string {
  return name === '%-' ? '' : decodeURIComponent(name);
}

function missing(cause: unknown): undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
  throw cause;
}
