import type {
  BetaManagedAgentsActor,
  BetaManagedAgentsMemoryVersionOperation,
} from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-versions';
import type { Key, Row } from '../core/table.ts';

export type Actor = BetaManagedAgentsActor;
export type Operation = BetaManagedAgentsMemoryVersionOperation;

/** The text of a memory: in the row up to `inline_memory_bytes_max`, else an object of its version. */
export type MemoryContent = { readonly text: string } | { readonly blob: string };

/**
 * `MEMSTORE#<store>` / `HEAD`. Every transaction that changes a memory adds to `revision`, so who
 * knows a store at a revision need only read this row to know that it is still so.
 */
export interface StoreHead extends Row {
  readonly schema: 1;
  readonly memory_store_id: string;
  readonly workspace_id: string;
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at: string;
  /** Of name, description, metadata and archiving; memories do not move it. */
  readonly updated_at: string;
  readonly archived_at: string | null;
  /** Set once: gone for every reader, and its rows are being swept. */
  readonly deleted_at: string | null;
  /** Rises with every change of the store's own fields. */
  readonly config_version: number;
  readonly revision: number;
  /** When that was; absent before the first change of a memory. */
  readonly changed_at?: string;
  /** Exact: part of the transaction that makes or removes a memory. */
  readonly memories_count: number;
  readonly gsi1pk?: string;
  readonly gsi1sk?: string;
  /** Present while the store is being deleted. */
  readonly gsi2pk?: 'DELETED';
  readonly gsi2sk?: string;
}

/**
 * `PATHS#<store>` / `<path>`: what a path holds. The partition is its own because a path may fill a
 * whole sort key (1,024 bytes).
 */
export type PathRow = MemoryRow | FolderRow;

export interface MemoryRow extends Row {
  readonly kind: 'memory';
  readonly memory_id: string;
  readonly memory_store_id: string;
  readonly memory_version_id: string;
  readonly content: MemoryContent;
  readonly content_sha256: string;
  readonly content_size_bytes: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/**
 * A path that leads to memories. Its row makes "no memory is the folder of another" a condition of a
 * transaction: a memory's put refuses it, and the put of a row below refuses a memory here.
 */
export interface FolderRow extends Row {
  readonly kind: 'folder';
  /** Memories at any depth below; above zero. */
  readonly below_count: number;
}

/** `MEMSTORE#<store>` / `M#<memory>`: where a memory stands now. */
export interface PointerRow extends Row {
  readonly path: string;
}

/**
 * `MEMVERS#<store>` / `<version>`: one change. Version ids are ULIDs of `created_at`, later than that
 * of the version before, so the order of ids is that of time and, of one memory, of its changes.
 */
export interface VersionRow extends Row {
  readonly schema: 1;
  readonly memory_version_id: string;
  readonly memory_id: string;
  readonly memory_store_id: string;
  readonly operation: Operation;
  readonly created_at: string;
  readonly created_by: Actor;
  /** The thread and the tool call that wrote it, where a session did. */
  readonly written_by?: { readonly thread_id: string; readonly event_id: string };
  /** The dream whose words these are, where a person has accepted them as they were: not written by hand. */
  readonly dreamt_by?: string;
  /** Of the first version in the copy of a store: what is known of the memory that it was copied from. */
  readonly copied?: Copied;
  /** Null once redacted. */
  readonly path: string | null;
  /** Null once redacted, and of a deletion; likewise the next two. */
  readonly content: MemoryContent | null;
  readonly content_sha256: string | null;
  readonly content_size_bytes: number | null;
  readonly redacted_at: string | null;
  readonly redacted_by: Actor | null;
  /** `MEMVERS#<store>#<memory>` and the version: the list of one memory's versions. */
  readonly gsi1pk: string;
  readonly gsi1sk: string;
  /** Set when a later version takes over and versions are kept for a time only. */
  readonly gsi2pk?: 'EXPIRES';
  /** `<when>#<version>` */
  readonly gsi2sk?: string;
}

/** What a copy of a memory, whose history begins anew, would not tell of it. */
export interface Copied {
  /** When its words were written; the copy is younger than that. */
  readonly written_at: string;
  /** A person may have written some of what it says, whoever wrote the newest version. */
  readonly may_hold_handwriting: boolean;
}

export function storeKey(store_id: string): Key {
  return { pk: `MEMSTORE#${store_id}`, sk: 'HEAD' };
}

export function pointerKey(store_id: string, memory_id: string): Key {
  return { pk: `MEMSTORE#${store_id}`, sk: `M#${memory_id}` };
}

export function pathKey(store_id: string, path: string): Key {
  return { pk: `PATHS#${store_id}`, sk: path };
}

export function versionKey(store_id: string, version_id: string): Key {
  return { pk: `MEMVERS#${store_id}`, sk: version_id };
}

/** A store's own objects in the bucket: deleting this prefix deletes them all. */
export function storePrefix(store_id: string): string {
  return `memory_stores/${store_id}/`;
}
