import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { invariant } from '../core/invariant.ts';
import { limits } from '../core/limits.ts';
import type { StoredEntry } from '../files/entry.ts';
import type { Manifest } from '../files/manifest.ts';
import { sha256Of } from '../files/pack.ts';
import { partPrefix } from '../sessions/session.ts';
import { patchOf, type PartBase } from './part-patch.ts';
import type { PatchPart, SandboxRequest, SentEntry, SentPart } from './sandbox.ts';
import { UrlCache } from './url-cache.ts';

/** What becomes a part of a request. */
export interface PartSource {
  /** While it is the same object, the part is the same. */
  readonly of: object;
  /** Tells parts of one object in several sessions and at several paths apart. */
  readonly at: string;
  /** Its entries, and the keys of the objects that they point into. */
  readonly list: () => { readonly entries: readonly SentEntry[]; readonly keys: readonly string[] };
}

interface Ready {
  readonly part: SentPart;
  /** As JSON, about. */
  readonly bytes: number;
  /** When the URLs in it must be made anew. */
  readonly until_ms: number;
}

/** Larger patches are sent whole again, and the next ones start from there. */
const PATCH_BYTES_MAX = limits.manifest_inline_bytes_max / 10;

/** Well below the days that the bucket keeps them: infra/storage.ts. */
const BASE_MS_MAX = 12 * 3_600_000;

/** Parts in the bucket that later ones are patches of: sessions at once, and their stores. */
const BASES_MAX = 128;

/** Makes parts ready to be sent, each once: a warm call sends what the calls before it have made. */
export class PartSender {
  readonly #blobs: Blobs;
  readonly #clock: Clock;
  readonly #urls: UrlCache;
  readonly #ready = new WeakMap<object, Map<string, Ready>>();
  /** By {@link PartSource.at}, the least recently used first. */
  readonly #bases = new Map<string, PartBase>();

  constructor(blobs: Blobs, clock: Clock) {
    this.#blobs = blobs;
    this.#clock = clock;
    this.#urls = new UrlCache(blobs, clock);
  }

  /** In the form that the sandbox gets them: the small ones in the request, the others by URL. */
  async send(session_id: string, sources: readonly PartSource[]): Promise<SandboxRequest['parts']> {
    const all = await Promise.all(sources.map(async (source) => await this.#readied(source)));
    const inline = new Set<Ready>();
    let room: number = limits.manifest_inline_bytes_max;
    for (const ready of all.toSorted((a, b) => a.bytes - b.bytes)) {
      room -= ready.bytes;
      if (room < 0) break;
      inline.add(ready);
    }
    return await Promise.all(
      sources.map(async ({ at }, index) => {
        const ready = all[index];
        invariant(ready !== undefined, 'each source is made ready');
        return inline.has(ready) ? ready.part : await this.#byUrl(session_id, at, ready);
      }),
    );
  }

  async #readied(source: PartSource): Promise<Ready> {
    const places = this.#ready.get(source.of) ?? new Map<string, Ready>();
    this.#ready.set(source.of, places);
    const now_ms = this.#clock.now().getTime();
    const known = places.get(source.at);
    if (known !== undefined && known.until_ms > now_ms) return known;
    const { entries, keys } = source.list();
    const objects = await Promise.all(keys.map(async (key) => await this.#urls.urlOf(key)));
    const part = { entries, objects };
    // A URL is good for half its time when it is given out, and a call takes three minutes at most.
    const good_ms = keys.length === 0 ? BASE_MS_MAX : (limits.presign_s * 1_000) / 4;
    const until_ms = now_ms + good_ms;
    const ready: Ready = { part, bytes: bytesOf(part), until_ms };
    places.set(source.at, ready);
    return ready;
  }

  async #byUrl(
    session_id: string,
    at: string,
    ready: Ready,
  ): Promise<SandboxRequest['parts'][number]> {
    const known = this.#bases.get(at);
    if (known !== undefined && known.until_ms > this.#clock.now().getTime()) {
      this.#keep(at, known);
      const url = await this.#urls.urlOf(known.key);
      const patch = patchOf(known, ready.part);
      if (patch.entries.length + patch.gone.length === 0) return { url };
      if (guessOf(patch) <= PATCH_BYTES_MAX) return { base_url: url, ...patch };
    }
    const key = await this.#stored(session_id, ready.part);
    const entries = new Map(ready.part.entries.map((entry) => [entry.path, entry]));
    this.#keep(at, { key, entries, until_ms: ready.until_ms });
    return { url: await this.#urls.urlOf(key) };
  }

  /** Runs twice: the same bytes under the same key. */
  async #stored(session_id: string, part: SentPart): Promise<string> {
    const json = JSON.stringify(part);
    const key = `${partPrefix(session_id)}${sha256Of(Buffer.from(json))}.json`;
    await this.#blobs.put(key, json, 'application/json');
    return key;
  }

  #keep(at: string, base: PartBase): void {
    this.#bases.delete(at);
    this.#bases.set(at, base);
    const [oldest] = this.#bases.keys();
    if (this.#bases.size > BASES_MAX && oldest !== undefined) this.#bases.delete(oldest);
  }
}

/** Only what may be too much or not is written out to know it; few bytes never are, however escaped. */
function bytesOf(part: SentPart): number {
  const guess = guessOf(part);
  const { manifest_inline_bytes_max } = limits;
  const is_clear = guess < manifest_inline_bytes_max / 10 || guess > 2 * manifest_inline_bytes_max;
  return is_clear ? guess : Buffer.byteLength(JSON.stringify(part));
}

function guessOf({ entries, objects, gone = [] }: SentPart & Partial<PatchPart>): number {
  const texts = [...objects, ...gone, ...entries.map(({ path }) => path)];
  const names = texts.reduce((sum, text) => sum + text.length, 0);
  return entries.reduce((sum, entry) => sum + contentBytes(entry), names);
}

function contentBytes(entry: SentEntry): number {
  const is_inline = entry.kind === 'file' && !('object' in entry.content);
  return (is_inline ? 2 * entry.size_bytes : 0) + ENTRY_BYTES;
}

const ENTRY_BYTES = 250;

/** The session's own files. */
export function filesSource(session_id: string, manifest: Manifest): PartSource {
  return {
    of: manifest.entries,
    at: session_id,
    list: () => {
      const indexes = new Map<string, number>();
      const entries = [...manifest.entries.values()].map((entry) => sentOf(entry, indexes));
      return { entries, keys: [...indexes.keys()] };
    },
  };
}

function sentOf(entry: StoredEntry, indexes: Map<string, number>): SentEntry {
  const { version: _, written_by: __, ...sent } = entry;
  if (sent.kind !== 'file') return sent;
  if ('inline' in sent.content) {
    return { ...sent, content: { base64: Buffer.from(sent.content.inline).toString('base64') } };
  }
  const { key, offset } = sent.content;
  const object = indexes.get(key) ?? indexes.size;
  indexes.set(key, object);
  return { ...sent, content: { object, offset } };
}
