import type { Blobs } from './blobs.ts';
import { limits } from './limits.ts';

/**
 * A value in a row, as JSON text: in the row itself when it is small, else in an object. Text and
 * not an attribute map, because DynamoDB refuses what JSON allows: a map deeper than 32 levels, an
 * integer above 2^53 (a `maximum` of 18446744073709551615 in a tool's schema), a number above 1e126.
 */
export type Stored<T> =
  /** `of` is never set: it only keeps what was stored in the type. */
  { readonly json: string; readonly of?: T } | { readonly blob: string; readonly bytes: number };

/**
 * Make a value fit into a row. A larger one is written to `key` first: when the row's write then
 * fails, the object is an orphan under its owner's prefix and goes when the owner goes.
 */
export async function store<T>(
  blobs: Blobs,
  key: string,
  value: T,
  inline_bytes_max: number = limits.inline_bytes_max,
): Promise<Stored<T>> {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= inline_bytes_max) return { json };
  await blobs.put(key, json, 'application/json');
  return { blob: key, bytes };
}

/** Read a stored value back. */
export async function load<T>(blobs: Blobs, stored: Stored<T>): Promise<T> {
  return JSON.parse(await loadText(blobs, stored)) as T;
}

/** Read a stored value back as the JSON text that it is kept as. */
export async function loadText(blobs: Blobs, stored: Stored<unknown>): Promise<string> {
  if ('json' in stored) return stored.json;
  return Buffer.from(await blobs.get(stored.blob)).toString('utf8');
}
