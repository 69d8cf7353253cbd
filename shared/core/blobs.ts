/** Bytes of an object from `offset`, `length` of them or as many as there are. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** What a presigned upload must be, to the byte. */
export interface Exact {
  /** Hex. */
  readonly sha256: string;
  readonly size_bytes: number;
  readonly content_type: string;
}

/** What is known of an object without reading it. */
export interface Head {
  readonly size_bytes: number;
  /** Hex, where the object came with this sum: those of exact uploads do. */
  readonly sha256?: string;
}

/** An object that changes, as it was read: `tag` tells this version of it from every other. */
export interface Tagged {
  readonly body: Uint8Array;
  readonly tag: string;
}

/**
 * The content bucket: large, immutable objects under their owner's prefix
 * (`sessions/{session_id}/…`). What changes is a row; what is large is an object. The one that is both
 * is replaced under the condition that it is what was read.
 */
export interface Blobs {
  /** Store an object. Keys are never reused for other content, so a repeat writes the same bytes. */
  put(key: string, body: Uint8Array | string, content_type: string): Promise<void>;
  /**
   * Replace an object while it still is the version `tag`; without a tag, only where there is none.
   * @returns the new tag; undefined when another writer came first, also when that was this very
   *   call, repeated after its answer was lost
   */
  replace(
    key: string,
    body: Uint8Array | string,
    content_type: string,
    tag?: string,
  ): Promise<string | undefined>;
  /** An object to be replaced. Undefined when there is none. */
  getTagged(key: string): Promise<Tagged | undefined>;
  /** @throws Error when there is no such object: a row that points at nothing is our bug. */
  get(key: string): Promise<Uint8Array>;
  /**
   * An object as it arrives, for what must not stand in memory; who stops reading ends the transfer.
   * @throws Error before the first chunk when there is no such object, later when it is cut off
   */
  read(key: string, range?: Range): AsyncIterable<Uint8Array>;
  /** @throws Error when there is no such object or nothing at `offset` */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array>;
  /** Copy an object of at most 5 GB without reading it. @throws Error when there is none */
  copy(from: string, to: string): Promise<void>;
  /** Undefined when there is no such object. Needs the right to list its prefix. */
  head(key: string): Promise<Head | undefined>;
  /** Every key under a prefix. */
  list(prefix: string): AsyncIterable<string>;
  /** Delete every version of these objects; safe to repeat, and for those that are not there. */
  delete(keys: readonly string[]): Promise<void>;
  /** Delete all that these objects have been before, not what they are; safe to repeat. */
  deletePast(keys: readonly string[]): Promise<void>;
  /**
   * Delete every version of every object under a prefix; safe to repeat.
   *
   * @param is_time_up Asked before each thousand.
   * @returns whether it came to the end
   */
  deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean>;
  /** A URL that reads exactly this object until `seconds` have passed. */
  presignGet(key: string, seconds: number): Promise<string>;
  /**
   * A URL that writes exactly this object until `seconds` have passed.
   *
   * @param exact The store itself then refuses other bytes; the upload must carry
   *   {@link exactHeaders}.
   */
  presignPut(key: string, seconds: number, exact?: Exact): Promise<string>;
}

/** What the PUT of an exact upload sends beside its bytes: signed, so it must be just this. */
export function exactHeaders({ sha256, size_bytes, content_type }: Exact): Record<string, string> {
  return {
    'content-length': String(size_bytes),
    'content-type': content_type,
    'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
  };
}
