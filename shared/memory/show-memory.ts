import type {
  BetaManagedAgentsMemory,
  BetaManagedAgentsMemoryPrefix,
  BetaManagedAgentsMemoryView,
} from '@anthropic-ai/sdk/resources/beta/memory-stores/memories';
import type { BetaManagedAgentsMemoryVersion } from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-versions';
import type { BetaManagedAgentsMemoryStore } from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-stores';
import type { Ports } from '../core/ports.ts';
import type { MemoryRow, StoreHead, VersionRow } from './memory.ts';
import { findMemory, findVersion, textOf } from './read-store.ts';

export type MemoryStore = BetaManagedAgentsMemoryStore;
export type Memory = BetaManagedAgentsMemory;
export type MemoryPrefix = BetaManagedAgentsMemoryPrefix;
export type MemoryVersion = BetaManagedAgentsMemoryVersion;
export type View = BetaManagedAgentsMemoryView;

export function showStore(head: StoreHead): MemoryStore {
  const { memory_store_id, name, description, metadata } = head;
  const { created_at, updated_at, archived_at } = head;
  return {
    id: memory_store_id,
    type: 'memory_store',
    name,
    description,
    metadata,
    created_at,
    updated_at,
    archived_at,
  };
}

/** @param content Null where the view leaves it out. */
export function showMemory(row: MemoryRow, content: string | null): Memory {
  return {
    id: row.memory_id,
    type: 'memory',
    memory_store_id: row.memory_store_id,
    memory_version_id: row.memory_version_id,
    path: row.sk,
    content,
    content_sha256: row.content_sha256,
    content_size_bytes: row.content_size_bytes,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** What is remembered of an answer for a repeat: a redaction would not find a text there. */
export function withoutText(memory: Memory): Memory {
  return { ...memory, content: null };
}

/** A memory as it is now, or was a moment ago; undefined when it is gone meanwhile. */
export async function viewMemory(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  row: MemoryRow,
  view: View,
): Promise<Memory | undefined> {
  if (view === 'basic') return showMemory(row, null);
  for (let now: MemoryRow | undefined = row; now !== undefined;) {
    const read: MemoryRow = now;
    try {
      return showMemory(read, await textOf(blobs, read.content));
    } catch (error) {
      // The object of a version that was taken over may be redacted away before we get to it.
      now = await findMemory(table, read.memory_store_id, read.memory_id);
      if (now?.memory_version_id === read.memory_version_id) throw error;
    }
  }
  return undefined;
}

/** @param content Null where the view leaves it out, and where there is none. */
export function showVersion(row: VersionRow, content: string | null): MemoryVersion {
  return {
    id: row.memory_version_id,
    type: 'memory_version',
    memory_id: row.memory_id,
    memory_store_id: row.memory_store_id,
    operation: row.operation,
    path: row.path,
    content,
    content_sha256: row.content_sha256,
    content_size_bytes: row.content_size_bytes,
    created_at: row.created_at,
    created_by: row.created_by,
    redacted_at: row.redacted_at,
    // The type has no null, and leaving it out is what it allows.
    ...(row.redacted_by === null ? {} : { redacted_by: row.redacted_by }),
  };
}

/** A version; undefined when its time is over meanwhile. */
export async function viewVersion(
  ports: Pick<Ports, 'table' | 'blobs' | 'clock'>,
  row: VersionRow,
  view: View,
): Promise<MemoryVersion | undefined> {
  if (view === 'basic' || row.content === null) return showVersion(row, null);
  try {
    return showVersion(row, await textOf(ports.blobs, row.content));
  } catch (error) {
    const key = { store_id: row.memory_store_id, version_id: row.memory_version_id };
    const now = await findVersion(ports.table, key, ports.clock.now().toISOString());
    if (now?.content !== null && now !== undefined) throw error;
    return now === undefined ? undefined : showVersion(now, null);
  }
}
