import { again } from '../core/again.ts';
import type { Blobs } from '../core/blobs.ts';
import { ConditionFailed } from '../core/table.ts';

const utf8 = new TextDecoder();

/** An object of JSON. */
export async function readJson<Value>(blobs: Blobs, key: string): Promise<Value> {
  return parsed<Value>(await blobs.get(key));
}

function parsed<Value>(body: Uint8Array): Value {
  return JSON.parse(utf8.decode(body)) as Value;
}

/**
 * Make another value of what an object holds, where it still is what was read: of two that do so at once
 * the second sees what the first one has made. What the bucket keeps of before goes too, each time, since
 * whoever came first may have died before that.
 */
export async function rewriteJson<Value>(
  blobs: Blobs,
  key: string,
  change: (value: Value) => Value,
): Promise<void> {
  await rewrite(blobs, key, 'application/json', async (body) =>
    JSON.stringify(change(parsed<Value>(body))),
  );
}

export async function rewrite(
  blobs: Blobs,
  key: string,
  type: string,
  change: (body: Uint8Array) => Promise<string>,
): Promise<void> {
  await again(`object '${key}'`, async () => {
    const found = await blobs.getTagged(key);
    if (found === undefined) return;
    const next = Buffer.from(await change(found.body));
    if (next.equals(found.body)) return;
    const tag = await blobs.replace(key, next, type, found.tag);
    if (tag === undefined) throw new ConditionFailed([], []);
  });
  await blobs.deletePast([key]);
}
