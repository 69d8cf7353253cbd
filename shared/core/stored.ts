import type { Blobs } from './blobs.ts';
import { limits } from './limits.ts';

/** A value in a row: itself when it is small, else the key of an object that holds it as JSON. */
export type Stored<T> = { readonly value: T } | { readonly blob: string; readonly bytes: number };

/**
 * Make a value fit into a row. A larger one is written to `key` first: when the row's write then
 * fails, the object is an orphan under its owner's prefix and goes when the owner goes.
 */
export async function store<T>(blobs: Blobs, key: string, value: T): Promise<Stored<T>> {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= limits.inline_bytes_max) return { value };
  await blobs.put(key, json, 'application/json');
  return { blob: key, bytes };
}

/** Read a stored value back. */
export async function load<T>(blobs: Blobs, stored: Stored<T>): Promise<T> {
  if ('value' in stored) return stored.value;
  return JSON.parse(Buffer.from(await blobs.get(stored.blob)).toString('utf8')) as T;
}
