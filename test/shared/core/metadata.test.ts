import { expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { MetadataCreate, mergeMetadata } from '#shared/core/metadata.ts';

const pairs = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

test.each<[string, Record<string, string | null> | null | undefined, Record<string, string>]>([
  ['nothing', undefined, { a: '1', b: '2' }],
  ['null', null, { a: '1', b: '2' }],
  ['an empty object', {}, { a: '1', b: '2' }],
  ['a new key', { c: '3' }, { a: '1', b: '2', c: '3' }],
  ['a known key', { a: '9' }, { a: '9', b: '2' }],
  ['null for a key', { a: null }, { b: '2' }],
  ['null for an unknown key', { z: null }, { a: '1', b: '2' }],
  ['an empty text', { a: '' }, { a: '', b: '2' }],
])('a patch with %s merges by key', (_, patch, expected) => {
  expect(mergeMetadata({ a: '1', b: '2' }, patch)).toEqual(expected);
});

test('the result counts, not the patch', () => {
  const full = pairs(limits.metadata_pairs_max);
  expect(mergeMetadata(full, { k0: null, other: 'v' })).not.toHaveProperty('k0');
  expect(() => mergeMetadata(full, { other: 'v' })).toThrow(/more than 16 pairs/);
  expect(() => mergeMetadata(full, { other: 'v' })).toThrow(
    expect.objectContaining({ details: { error_code: 'invalid_metadata' } }),
  );
});

test.each<[string, Record<string, string>, boolean]>([
  ['16 pairs', pairs(16), true],
  ['17 pairs', pairs(17), false],
  ['a key of 64 characters', { ['k'.repeat(64)]: 'v' }, true],
  ['a key of 65 characters', { ['k'.repeat(65)]: 'v' }, false],
  ['an empty key', { '': 'v' }, false],
  ['a value of 512 characters', { k: 'v'.repeat(512) }, true],
  ['a value of 513 characters', { k: 'v'.repeat(513) }, false],
])('metadata with %s: accepted %s', (_, metadata, accepted) => {
  expect(MetadataCreate.safeParse(metadata).success).toBe(accepted);
});
