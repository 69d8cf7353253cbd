import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { MetadataCreate, MetadataPatch } from '../core/metadata.ts';
import { queryBoolean, queryInt, queryTimes } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';
import { faultOfContent } from './content.ts';
import { faultOfPath } from './path.ts';

/** A text of which `faultOf` says what is wrong. */
function checked(faultOf: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = faultOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

const name = textUpTo(limits.memory_store_name_chars_max)
  .min(1)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not hold control characters.');
const description = textUpTo(limits.memory_store_description_chars_max).nullish();

export const StoreCreate = z.strictObject({
  name,
  description,
  metadata: MetadataCreate.nullish(),
});
export type StoreCreate = z.output<typeof StoreCreate>;

export const StoreUpdate = z.strictObject({
  name: name.nullish(),
  description,
  metadata: MetadataPatch.nullish(),
});
export type StoreUpdate = z.output<typeof StoreUpdate>;

const paging = {
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
};
const times = {
  'created_at[gte]': queryTimes['created_at[gte]'],
  'created_at[lte]': queryTimes['created_at[lte]'],
};

export const StoreListQuery = z.strictObject({
  ...paging,
  ...times,
  include_archived: queryBoolean.default(false),
});
export type StoreListQuery = z.output<typeof StoreListQuery>;

const view = z.enum(['basic', 'full']);
/** Writes and lists show no contents unless they are asked to. */
const basic = view.default('basic');

export const BasicView = z.strictObject({ view: basic });
export const FullView = z.strictObject({ view: view.default('full') });

const path = checked(faultOfPath);
const content = checked(faultOfContent);
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 as 64 lower-case hexadecimal characters.');

export const MemoryCreate = z.strictObject({ path, content });
export type MemoryCreate = z.output<typeof MemoryCreate>;

export const MemoryUpdate = z.strictObject({
  path: path.nullish(),
  content: content.nullish(),
  precondition: z
    .strictObject({ type: z.literal('content_sha256'), content_sha256: sha256 })
    .nullish(),
});
export type MemoryUpdate = z.output<typeof MemoryUpdate>;

export const MemoryDeleteQuery = z.strictObject({ expected_content_sha256: sha256.optional() });
export type MemoryDeleteQuery = z.output<typeof MemoryDeleteQuery>;

/** `/` is the whole store; every other prefix is a path and a '/'. */
function faultOfPrefix(text: string): string | undefined {
  if (!text.endsWith('/')) return "must end with '/'.";
  return text === '/' ? undefined : faultOfPath(text.slice(0, -1));
}

export const MemoryListQuery = z.strictObject({
  ...paging,
  path_prefix: checked(faultOfPrefix).default('/'),
  depth: z.enum(['0', '1']).default('0'),
  view: basic,
});
export type MemoryListQuery = z.output<typeof MemoryListQuery>;

export const VersionListQuery = z.strictObject({
  ...paging,
  ...times,
  memory_id: z.string().optional(),
  operation: z.enum(['created', 'modified', 'deleted']).optional(),
  session_id: z.string().optional(),
  api_key_id: z.string().optional(),
  service_account_id: z.string().optional(),
  view: basic,
});
export type VersionListQuery = z.output<typeof VersionListQuery>;
