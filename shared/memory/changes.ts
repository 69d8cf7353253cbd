import { invariant } from '../core/invariant.ts';
import type { Ports } from '../core/ports.ts';
import { checkContent, contentKey, contentOf, type NewContent } from './content.ts';
import {
  pathKey,
  versionKey,
  type Actor,
  type MemoryRow,
  type Operation,
  type VersionRow,
} from './memory.ts';
import { checkPath } from './path.ts';

/** What is to be done to one memory. Each `before` is a condition: it must still be so. */
export type MemoryOperation =
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly content: string;
      /** A deleted memory that comes back: its history goes on. @default - a new one */
      readonly returns?: Returning;
      readonly dreamt_by?: VersionRow['dreamt_by'] | undefined;
      readonly copied?: VersionRow['copied'];
    }
  | {
      readonly kind: 'write';
      readonly before: MemoryRow;
      /** @default - as before */
      readonly path?: string;
      readonly content?: string;
      readonly dreamt_by?: VersionRow['dreamt_by'] | undefined;
    }
  | { readonly kind: 'delete'; readonly before: MemoryRow };

/** A memory that has been deleted, by its versions. */
export interface Returning {
  readonly memory_id: string;
  /** Of its first version that is left. */
  readonly created_at: string;
  /** Of its newest version. */
  readonly deleted_at: string;
}

/** What an operation makes of a memory. */
export interface Change {
  readonly before: MemoryRow | undefined;
  /** Undefined once deleted. */
  readonly after: MemoryRow | undefined;
  /** Undefined when the operation changes nothing: then nothing of it is written. */
  readonly version: VersionRow | undefined;
  /** The object that must be there before the rows are: a new text, or a copy of an older object. */
  readonly object?: { readonly key: string } & (
    | { readonly text: string }
    | { readonly copy_of: string }
  );
}

/** What the operations of one transaction have in common. */
export interface ChangeFacts {
  readonly store_id: string;
  readonly actor: Actor;
  readonly written_by?: VersionRow['written_by'] | undefined;
  readonly dreamt_by?: VersionRow['dreamt_by'] | undefined;
  readonly copied?: VersionRow['copied'] | undefined;
  readonly now: Date;
  readonly newId: Ports['newId'];
}

/** @throws Fault `invalid` for a path or a content that no memory can have */
export function changeOf(operation: MemoryOperation, facts: ChangeFacts): Change {
  if (operation.kind === 'create') return creation(operation, facts);
  return operation.kind === 'write' ? writing(operation, facts) : deletion(operation, facts);
}

function creation(
  { path, content: text, returns, dreamt_by, copied }: MemoryOperation & { kind: 'create' },
  facts: ChangeFacts,
): Change {
  checkPath(path);
  checkContent(text);
  const { store_id, now, newId } = facts;
  const [at, version_id] =
    returns === undefined
      ? [now.toISOString(), newId('memory_version', now.getTime())]
      : nextVersion(returns.deleted_at, facts);
  const memory_id = returns?.memory_id ?? newId('memory');
  const created_at = returns?.created_at ?? at;
  const held = contentOf(store_id, version_id, text);
  const after = memoryRow({ store_id, memory_id, path, version_id, created_at, at, held });
  // Source: SDK, memory versions: only the first one of a memory says that it was created.
  const operation = returns === undefined ? 'created' : 'modified';
  return {
    before: undefined,
    ...written({ ...facts, dreamt_by, copied }, operation, after),
    ...newObject(held, text),
  };
}

function writing(
  { before, path = before.sk, content: text, dreamt_by }: MemoryOperation & { kind: 'write' },
  facts: ChangeFacts,
): Change {
  checkPath(path);
  if (text !== undefined) checkContent(text);
  const { store_id } = facts;
  const { memory_id, created_at } = before;
  const [at, version_id] = nextVersion(before.updated_at, facts);
  const held =
    text === undefined ? kept(before, version_id) : contentOf(store_id, version_id, text);
  if (path === before.sk && held.content_sha256 === before.content_sha256) {
    return { before, after: before, version: undefined };
  }
  const after = memoryRow({ store_id, memory_id, path, version_id, created_at, at, held });
  const object = text === undefined ? copiedObject(held, before) : newObject(held, text);
  return { before, ...written({ ...facts, dreamt_by }, 'modified', after), ...object };
}

function deletion({ before }: MemoryOperation & { kind: 'delete' }, facts: ChangeFacts): Change {
  const [at, version_id] = nextVersion(before.updated_at, facts);
  const version: VersionRow = {
    ...versionRow(facts, 'deleted', { ...before, memory_version_id: version_id, updated_at: at }),
    content: null,
    content_sha256: null,
    content_size_bytes: null,
  };
  return { before, after: undefined, version };
}

/** Later than the version before, also when this machine's clock is behind the one that made it. */
function nextVersion(before_at: string, { now, newId }: ChangeFacts): [at: string, id: string] {
  const at_ms = Math.max(now.getTime(), Date.parse(before_at) + 1);
  return [new Date(at_ms).toISOString(), newId('memory_version', at_ms)];
}

/** The content of a memory that is only renamed: an object is copied, since versions share none. */
function kept(before: MemoryRow, version_id: string): NewContent {
  const { content, content_sha256, content_size_bytes, memory_store_id } = before;
  const own = 'text' in content ? content : { blob: contentKey(memory_store_id, version_id) };
  return { content: own, content_sha256, content_size_bytes };
}

function newObject({ content }: NewContent, text: string): Pick<Change, 'object'> {
  return 'blob' in content ? { object: { key: content.blob, text } } : {};
}

function copiedObject({ content }: NewContent, before: MemoryRow): Pick<Change, 'object'> {
  if (!('blob' in content)) return {};
  invariant('blob' in before.content, 'a copied object has an original');
  return { object: { key: content.blob, copy_of: before.content.blob } };
}

function memoryRow(memory: {
  readonly store_id: string;
  readonly memory_id: string;
  readonly path: string;
  readonly version_id: string;
  readonly created_at: string;
  readonly at: string;
  readonly held: NewContent;
}): MemoryRow {
  const { store_id, memory_id, path, version_id, created_at, at, held } = memory;
  return {
    ...pathKey(store_id, path),
    kind: 'memory',
    memory_id,
    memory_store_id: store_id,
    memory_version_id: version_id,
    ...held,
    created_at,
    updated_at: at,
  };
}

function written(
  facts: ChangeFacts,
  operation: Operation,
  after: MemoryRow,
): Pick<Change, 'after' | 'version'> {
  return { after, version: versionRow(facts, operation, after) };
}

function versionRow(facts: ChangeFacts, operation: Operation, memory: MemoryRow): VersionRow {
  const { memory_version_id, memory_id, content, content_sha256, content_size_bytes } = memory;
  return {
    ...versionKey(facts.store_id, memory_version_id),
    schema: 1,
    memory_version_id,
    memory_id,
    memory_store_id: facts.store_id,
    operation,
    created_at: memory.updated_at,
    created_by: facts.actor,
    ...(facts.written_by === undefined ? {} : { written_by: facts.written_by }),
    ...(facts.dreamt_by === undefined ? {} : { dreamt_by: facts.dreamt_by }),
    ...(facts.copied === undefined ? {} : { copied: facts.copied }),
    path: memory.sk,
    content,
    content_sha256,
    content_size_bytes,
    redacted_at: null,
    redacted_by: null,
    ...versionsOf(facts.store_id, memory_id, memory_version_id),
  };
}

/** The attributes that put a version into the list of its memory. */
function versionsOf(store_id: string, memory_id: string, version_id: string) {
  return { gsi1pk: `MEMVERS#${store_id}#${memory_id}`, gsi1sk: version_id };
}
