import type { Blobs } from '#shared/core/blobs.ts';

/** The bucket in memory, for what needs no endpoint: immutable objects by key. */
export class MemoryBlobs implements Blobs {
  readonly objects = new Map<string, Uint8Array>();

  async put(key: string, body: Uint8Array | string): Promise<void> {
    this.objects.set(key, Buffer.from(body));
  }

  async get(key: string): Promise<Uint8Array> {
    const body = this.objects.get(key);
    if (body === undefined) throw new Error(`no object ${key}`);
    return body;
  }

  async *list(prefix: string): AsyncIterable<string> {
    yield* [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  async deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean> {
    if (is_time_up()) return false;
    for await (const key of this.list(prefix)) this.objects.delete(key);
    return true;
  }

  async presignGet(key: string): Promise<string> {
    return `memory://${key}`;
  }

  async presignPut(key: string): Promise<string> {
    return `memory://${key}`;
  }
}
