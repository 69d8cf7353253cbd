import { createHash } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { storePrefix, type MemoryContent } from './memory.ts';

/** A text as a row holds it, and the object that must be written first where it is too large. */
export interface NewContent {
  readonly content: MemoryContent;
  readonly content_sha256: string;
  readonly content_size_bytes: number;
}

/** What is wrong with the content of a memory, as a sentence; undefined when it is one. */
export function faultOfContent(text: string): string | undefined {
  if (Buffer.byteLength(text) > limits.memory_bytes_max) {
    return `must have at most ${limits.memory_bytes_max} bytes of UTF-8.`;
  }
  if (!text.isWellFormed()) return 'must be well-formed: it holds half a surrogate pair.';
  return undefined;
}

/** @throws Fault `invalid` for what no memory can hold */
export function checkContent(text: string): void {
  const fault = faultOfContent(text);
  if (fault !== undefined) throw new Fault('invalid', `content: ${fault}`);
}

/** How a version holds a text: nothing is normalised, so clients can compute the same hash. */
export function contentOf(store_id: string, version_id: string, text: string): NewContent {
  const content_size_bytes = Buffer.byteLength(text);
  return {
    content:
      content_size_bytes <= limits.inline_memory_bytes_max
        ? { text }
        : { blob: contentKey(store_id, version_id) },
    content_sha256: sha256Of(text),
    content_size_bytes,
  };
}

/** Lower-case hex SHA-256 of the UTF-8 bytes. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Where a version's object is, when it has one: each version has its own, so each can be redacted. */
export function contentKey(store_id: string, version_id: string): string {
  return `${storePrefix(store_id)}versions/${version_id}`;
}
