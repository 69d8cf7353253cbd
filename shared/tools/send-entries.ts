import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { StoredEntry } from '../files/entry.ts';
import type { Manifest } from '../files/manifest.ts';
import { sha256Of } from '../files/pack.ts';
import type { SandboxRequest, SentEntry, SentPart } from './sandbox.ts';

/** Presigned URLs that are still good for a while: signing takes longer than looking up. */
export class UrlCache {
  readonly #blobs: Blobs;
  readonly #clock: Clock;
  readonly #urls = new Map<string, { readonly url: string; readonly until_ms: number }>();

  constructor(blobs: Blobs, clock: Clock) {
    this.#blobs = blobs;
    this.#clock = clock;
  }

  async urlOf(key: string): Promise<string> {
    const now_ms = this.#clock.now().getTime();
    const known = this.#urls.get(key);
    if (known !== undefined && known.until_ms > now_ms) return known.url;
    const url = await this.#blobs.presignGet(key, limits.presign_s);
    // A call takes three minutes at most: a URL that is given out now must outlive it.
    const until_ms = now_ms + (limits.presign_s * 1000) / 2;
    this.#urls.delete(key);
    this.#urls.set(key, { url, until_ms });
    const [oldest] = this.#urls.keys();
    if (this.#urls.size > CACHED_MAX && oldest !== undefined) this.#urls.delete(oldest);
    return url;
  }
}

const CACHED_MAX = 10_000;

/** The last manifest that was made ready to be sent, by itself: warm calls make it once. */
const ready = new WeakMap<Manifest, { readonly entries: SentEntry[]; readonly keys: string[] }>();

/** The session's own files as a part of a request. */
export async function partOf(urls: UrlCache, manifest: Manifest): Promise<SentPart> {
  const { entries, keys } = ready.get(manifest) ?? readied(manifest);
  ready.set(manifest, { entries, keys });
  const objects = await Promise.all(keys.map(async (key) => await urls.urlOf(key)));
  return { entries, objects };
}

/** Parts in the form that the sandbox gets them: in the request, or through the bucket. */
export async function sendParts(
  blobs: Blobs,
  urls: UrlCache,
  session_id: string,
  parts: readonly SentPart[],
): Promise<SandboxRequest['parts']> {
  return await Promise.all(
    parts.map(async (part) => {
      // Few entries are never too large: no need to write them out to know it.
      if (part.entries.length < 100) return part;
      const json = JSON.stringify(part);
      if (json.length <= limits.manifest_inline_bytes_max) return part;
      const key = `sessions/${session_id}/manifests/${sha256Of(Buffer.from(json))}.json`;
      await blobs.put(key, json, 'application/json');
      return { url: await urls.urlOf(key) };
    }),
  );
}

function readied(manifest: Manifest) {
  const indexes = new Map<string, number>();
  const entries = [...manifest.entries.values()].map((entry) => sentOf(entry, indexes));
  return { entries, keys: [...indexes.keys()] };
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
