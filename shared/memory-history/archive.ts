import * as z from 'zod';
import { isId, type Noun } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { MetadataCreate } from '../core/metadata.ts';
import { textUpTo } from '../core/text.ts';
import type { Actor, MemoryRow, StoreHead, VersionRow } from '../memory/memory.ts';
import { StoreCreate } from '../memory/memory-wire.ts';

/** The files of an archive, in their order; between the first two stand those below `memories/`. */
export const names = {
  store: 'store.json',
  /** Followed by the memory's path, which begins with '/'. */
  memories: 'memories',
  history: 'history.jsonl',
  index: 'index.jsonl',
} as const;

function id(noun: Noun) {
  return z.string().refine((text) => isId(noun, text), `must be an id of a ${noun}.`);
}

const half = 'must not hold half of a surrogate pair.';

/** An id that is of somewhere else, or of something that is gone: no row takes any string. */
const foreign_id = z
  .string()
  .max(limits.import_id_chars_max)
  .refine((text) => text.isWellFormed(), half);

const time = z.iso.datetime({ precision: 3 });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const Actor: z.ZodType<Actor> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('api_actor'), api_key_id: foreign_id }),
  z.strictObject({ type: z.literal('session_actor'), session_id: foreign_id }),
  z.strictObject({ type: z.literal('user_actor'), user_id: foreign_id }),
  z.strictObject({ type: z.literal('service_account_actor'), service_account_id: foreign_id }),
]);

/** `store.json` */
export const StoreFile = z
  .strictObject({
    schema: z.literal(1),
    name: StoreCreate.shape.name,
    description: textUpTo(limits.memory_store_description_chars_max),
    metadata: MetadataCreate,
    created_at: time,
  })
  .refine(
    ({ name, description, metadata }) =>
      [name, description, ...Object.entries(metadata).flat()].every((text) => text.isWellFormed()),
    half,
  );
export type StoreFile = z.output<typeof StoreFile>;

/** A line of `history.jsonl`: one version, in the order of their ids, which is that of time. */
export const HistoryLine = z.strictObject({
  id: id('memory_version'),
  memory_id: id('memory'),
  operation: z.enum(['created', 'modified', 'deleted']),
  created_at: time,
  created_by: Actor,
  written_by: z.strictObject({ event_id: foreign_id, thread_id: foreign_id }).optional(),
  /** What dreams ask before they change a memory: whose words it holds, and how old they are. */
  dreamt_by: foreign_id.optional(),
  copied: z.strictObject({ written_at: time, may_hold_handwriting: z.boolean() }).optional(),
  path: z.string().nullable(),
  content_sha256: sha256.nullable(),
  content_size_bytes: z.int().min(0).nullable(),
  redacted_at: time.nullable(),
  redacted_by: Actor.nullable(),
  content: z.string().nullable(),
});
export type HistoryLine = z.output<typeof HistoryLine>;

/** A line of `index.jsonl`: one memory, in the order of their paths' bytes. */
export const IndexLine = z.strictObject({
  path: z.string(),
  memory_id: id('memory'),
  memory_version_id: id('memory_version'),
  content_sha256: sha256,
  created_at: time,
});
export type IndexLine = z.output<typeof IndexLine>;

/** Rows come with their attributes in any order; the same store must give the same bytes. */
export function storeText({ name, description, metadata, created_at }: StoreHead): string {
  const file: StoreFile = { schema: 1, name, description, metadata: ordered(metadata), created_at };
  return `${JSON.stringify(file, null, 2)}\n`;
}

export function historyText(row: VersionRow, content: string | null): string {
  const line: HistoryLine = {
    id: row.memory_version_id,
    memory_id: row.memory_id,
    operation: row.operation,
    created_at: row.created_at,
    created_by: ordered(row.created_by),
    ...(row.written_by === undefined ? {} : { written_by: ordered(row.written_by) }),
    ...(row.dreamt_by === undefined ? {} : { dreamt_by: row.dreamt_by }),
    ...(row.copied === undefined ? {} : { copied: ordered(row.copied) }),
    path: row.path,
    content_sha256: row.content_sha256,
    content_size_bytes: row.content_size_bytes,
    redacted_at: row.redacted_at,
    redacted_by: row.redacted_by === null ? null : ordered(row.redacted_by),
    content,
  };
  return `${JSON.stringify(line)}\n`;
}

export function indexText(
  row: Pick<MemoryRow, 'sk' | 'memory_id' | 'memory_version_id' | 'content_sha256' | 'created_at'>,
): string {
  const { sk: path, memory_id, memory_version_id, content_sha256, created_at } = row;
  const line: IndexLine = { path, memory_id, memory_version_id, content_sha256, created_at };
  return `${JSON.stringify(line)}\n`;
}

function ordered<Value extends object>(value: Value): Value {
  const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs) as Value;
}
