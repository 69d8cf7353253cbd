/** Byte strings by key, the least recently used given up first. */
export class LRUCache {
  readonly #bytes_max: number;
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(bytes_max: number) {
    this.#bytes_max = bytes_max;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    // A Map keeps the order of insertion: this makes it the newest.
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    return bytes;
  }

  set(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.#bytes_max || this.#entries.has(key)) return;
    this.#entries.set(key, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#entries) {
      if (this.#bytes <= this.#bytes_max) return;
      this.#entries.delete(oldest);
      this.#bytes -= length;
    }
  }
}
