import * as z from 'zod';
import { isId, type Noun } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { queryInt, queryTime } from '../core/parse.ts';
import { MemoryListQuery, StoreCreate } from '../memory/memory-wire.ts';

function id(noun: Noun, what: string) {
  return z.string().refine((text) => isId(noun, text), `must be the id of ${what}.`);
}

const version = id('memory_version', 'a memory version');

export const MemoryRestore = z.strictObject({ memory_version_id: version });
export type MemoryRestore = z.output<typeof MemoryRestore>;

export const StoreRestoreBody = z
  .strictObject({
    at: queryTime.optional(),
    dry_run: z.boolean().optional(),
    cursor: z.string().nullish(),
  })
  .refine(
    ({ at, dry_run, cursor }) =>
      isGiven(cursor) ? at === undefined && dry_run === undefined : at !== undefined,
    'Send at to begin a restore, or cursor alone to go on with one.',
  );
export type StoreRestoreBody = z.output<typeof StoreRestoreBody>;

export const DiffQuery = z
  .strictObject({
    from_version: version.optional(),
    to_version: version.optional(),
    against: id('memory_store', 'another memory store').optional(),
    from: queryTime.optional(),
    to: queryTime.optional(),
    format: z.enum(['structured', 'unified']).default('structured'),
    limit: queryInt(1, limits.page_max).default(limits.page_default),
    page: z.string().optional(),
  })
  .refine(
    (query) => ways.includes(sides.filter((side) => query[side] !== undefined).join(' ')),
    'Say what to compare: from_version and to_version, or from (and to, which is now when left out), or against.',
  );
export type DiffQuery = z.output<typeof DiffQuery>;

const sides = ['from_version', 'to_version', 'from', 'to', 'against'] as const;
const ways = ['from_version to_version', 'from', 'from to', 'against'];

export const SearchQuery = z.strictObject({
  query: z.string().max(limits.search_query_chars_max),
  limit: queryInt(1, limits.search_hits_max).default(limits.search_hits_default),
  path_prefix: MemoryListQuery.shape.path_prefix,
});
export type SearchQuery = z.output<typeof SearchQuery>;

export const StoreImport = z
  .strictObject({
    file_id: z.string().optional(),
    name: StoreCreate.shape.name.nullish(),
    cursor: z.string().nullish(),
  })
  .refine(
    ({ file_id, name, cursor }) =>
      isGiven(cursor) ? file_id === undefined && !isGiven(name) : file_id !== undefined,
    'Send file_id (and name) to begin an import, or cursor alone to go on with one.',
  );
export type StoreImport = z.output<typeof StoreImport>;

function isGiven(value: string | null | undefined): boolean {
  return value !== undefined && value !== null;
}
