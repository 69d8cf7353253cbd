/**
 * The content bucket: large, immutable objects under their owner's prefix
 * (`sessions/{session_id}/…`). What changes is a row; what is large is an object.
 */
export interface Blobs {
  /** Store an object. Keys are never reused for other content, so a repeat writes the same bytes. */
  put(key: string, body: Uint8Array | string, content_type: string): Promise<void>;
  /** @throws Error when there is no such object: a row that points at nothing is our bug. */
  get(key: string): Promise<Uint8Array>;
  /** Every key under a prefix. */
  list(prefix: string): AsyncIterable<string>;
  /**
   * Delete every version of every object under a prefix; safe to repeat.
   *
   * @param is_time_up Asked before each thousand.
   * @returns whether it came to the end
   */
  deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean>;
  /** A URL that reads exactly this object until `seconds` have passed. */
  presignGet(key: string, seconds: number): Promise<string>;
  /** A URL that writes exactly this object until `seconds` have passed. */
  presignPut(key: string, seconds: number): Promise<string>;
}
