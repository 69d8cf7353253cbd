import * as z from 'zod';
import { Fault } from './fault.ts';
import { limits } from './limits.ts';
import { hasAtMost, textUpTo } from './text.ts';

export type Metadata = Readonly<Record<string, string>>;

const key = z
  .string()
  .min(1, 'A key must have at least 1 character.')
  .refine(
    (name) => hasAtMost(limits.metadata_key_chars_max, name),
    `A key has at most ${limits.metadata_key_chars_max} characters.`,
  );
const value = textUpTo(limits.metadata_value_chars_max);

export const MetadataCreate = z.record(key, value).refine(hasRoom, tooMany());
export const MetadataPatch = z.record(key, value.nullable());

/**
 * Merge a patch into stored metadata: keys are set, null deletes one.
 *
 * @throws Fault `invalid` with `invalid_metadata` when the result has too many pairs.
 */
export function mergeMetadata(
  stored: Metadata,
  patch: Readonly<Record<string, string | null>> | null | undefined,
): Metadata {
  const pairs = Object.entries({ ...stored, ...patch });
  const merged = Object.fromEntries(
    pairs.filter((pair): pair is [string, string] => pair[1] !== null),
  );
  if (!hasRoom(merged)) {
    throw new Fault('invalid', `metadata: ${tooMany()}`, {
      details: { error_code: 'invalid_metadata' },
    });
  }
  return merged;
}

function hasRoom(pairs: Readonly<Record<string, string>>): boolean {
  return Object.keys(pairs).length <= limits.metadata_pairs_max;
}

function tooMany(): string {
  return `has more than ${limits.metadata_pairs_max} pairs. Delete some by sending null for their keys.`;
}
