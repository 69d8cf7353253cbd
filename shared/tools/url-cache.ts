import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';

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
