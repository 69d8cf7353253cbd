import type { BetaManagedAgentsActor } from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-versions';
import { encodeTime } from 'ulid';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { isId, prefixes } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { forwardOnly, readPage, type Page, type Stretch } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { again } from '../core/again.ts';
import type { Write } from '../core/table.ts';
import { goneVersion, redactionKey, redactionOf } from '../redactions/redaction.ts';
import { contentKey } from './content.ts';
import { actorOf } from './memories.ts';
import { versionKey, type VersionRow } from './memory.ts';
import type { VersionListQuery } from './memory-wire.ts';
import { findMemory, findVersion, isPast, readStore } from './read-store.ts';
import { showVersion, viewVersion, type MemoryVersion, type View } from './show-memory.ts';

/** A version by its place in the path of a request. */
export interface VersionPlace {
  readonly store_id: string;
  readonly version_id: string;
}

/**
 * Newest first. The versions of one memory come from the index, which lags a little behind; other
 * filters pass over what they leave out.
 *
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listVersions(
  ports: Ports,
  call: Call,
  request: { readonly store_id: string; readonly query: VersionListQuery },
): Promise<Page<MemoryVersion>> {
  const { store_id, query } = request;
  await readStore(ports.table, call.workspace_id, store_id);
  const { page, view } = query;
  const limit = view === 'full' ? Math.min(query.limit, limits.memory_full_page_max) : query.limit;
  const now = timestamp(ports.clock);
  const list = { kind: prefixes.memory_version, order: 'desc', limit, page } as const;
  return forwardOnly(
    await readPage({ ...list, ...positionsOf(query) }, async (stretch) => {
      const { rows, more } = await rowsOf(ports, { store_id, memory_id: query.memory_id }, stretch);
      const entries = await Promise.all(
        rows.map(async ({ position, row }) => {
          const is_wanted = row !== undefined && !isPast(row, now) && fits(row, query);
          return { position, item: is_wanted ? await viewVersion(ports, row, view) : undefined };
        }),
      );
      return { entries, more };
    }),
  );
}

interface Found {
  readonly position: string;
  /** Undefined when it went after the index had been read: its place counts all the same. */
  readonly row: VersionRow | undefined;
}

async function rowsOf(
  { table }: Ports,
  { store_id, memory_id }: { readonly store_id: string; readonly memory_id: string | undefined },
  stretch: Stretch,
): Promise<{ readonly rows: readonly Found[]; readonly more: boolean }> {
  const pk = `MEMVERS#${store_id}`;
  if (memory_id === undefined) {
    const { rows, more } = await table.query({ ...stretch, pk });
    return { rows: rows.map((row) => ({ position: row.sk, row: row as VersionRow })), more };
  }
  // What has not the form of an id names no memory, and might be no key that the table takes.
  if (!isId('memory', memory_id)) return { rows: [], more: false };
  const page = await table.query({ ...stretch, pk: `${pk}#${memory_id}`, index: 'list' });
  const found = new Map((await table.getMany(page.rows)).map((row) => [row.sk, row]));
  const rows = page.rows.map(({ sk }) => ({
    position: sk,
    row: found.get(sk) as VersionRow | undefined,
  }));
  return { rows, more: page.more };
}

function fits({ operation, created_by }: VersionRow, query: VersionListQuery): boolean {
  return (
    (query.operation === undefined || query.operation === operation) &&
    (['session_id', 'api_key_id', 'service_account_id'] as const).every(
      (name) => query[name] === undefined || idIn(created_by, name) === query[name],
    )
  );
}

function idIn(actor: BetaManagedAgentsActor, name: string): unknown {
  return (actor as unknown as Readonly<Record<string, unknown>>)[name];
}

/** ULIDs begin with their time, so bounds of time are bounds of ids: what no version of then, or later, is before. */
export function firstVersionId(since: string): string {
  return `${prefixes.memory_version}_${encodeTime(Math.max(Date.parse(since), 0), 10)}`;
}

function positionsOf({ 'created_at[gte]': gte, 'created_at[lte]': lte }: VersionListQuery) {
  return {
    from: gte === undefined ? '!' : firstVersionId(gte),
    // Nothing is older than time itself: a bound before that leaves out everything.
    to: lte === undefined ? '~' : Date.parse(lte) < 0 ? ' ' : `${firstVersionId(lte)}~`,
  };
}

/** @throws Fault `missing`, also for a version whose time is over */
export async function getVersion(
  ports: Ports,
  call: Call,
  { view, ...place }: VersionPlace & { readonly view: View },
): Promise<MemoryVersion> {
  await readStore(ports.table, call.workspace_id, place.store_id);
  const version = await viewVersion(ports, await readVersion(ports, place), view);
  if (version === undefined) throw versionMissing(place);
  return version;
}

/** @throws Fault `missing` */
async function readVersion(ports: Ports, place: VersionPlace): Promise<VersionRow> {
  const row = await findVersion(ports.table, place, timestamp(ports.clock));
  if (row === undefined) throw versionMissing(place);
  return row;
}

function versionMissing({ version_id }: VersionPlace): Fault {
  return new Fault('missing', `memory version '${version_id}' was not found.`);
}

/**
 * Take from a version what it says, for good: who and when stay; what dreams have of it goes by a row of
 * that transaction. The row first, then the object, so
 * that no reader finds a row without it; a repeat answers the same and takes away an object that
 * was left behind.
 *
 * @throws Fault `missing`; `invalid` for the version that a memory has now
 */
export async function redactVersion(
  ports: Ports,
  call: Call,
  place: VersionPlace,
): Promise<MemoryVersion> {
  const { store_id, version_id } = place;
  return await again(`memory version '${version_id}'`, async () => {
    await readStore(ports.table, call.workspace_id, store_id);
    const row = await readVersion(ports, place);
    const redacted: VersionRow =
      row.redacted_at === null
        ? await redactable(ports, row, { by: actorOf(call), at: timestamp(ports.clock) })
        : row;
    const writes =
      redacted === row
        ? await againWrites(ports, call, row)
        : [
            redaction(redacted),
            redactionOf(call.workspace_id, goneVersion(row), redacted.redacted_at ?? ''),
          ];
    const answer = await commit(ports, call, writes, { answer: showVersion(redacted, null) });
    await ports.blobs.delete([contentKey(store_id, version_id)]);
    return answer;
  });
}

/** Who redacts again has dreams looked through again: also for what was redacted before dreams forgot. */
async function againWrites(
  { table }: Ports,
  { workspace_id }: Call,
  row: VersionRow,
): Promise<Write[]> {
  const is_under_way = (await table.get(redactionKey(row.memory_version_id))) !== undefined;
  if (is_under_way) return [];
  return [redactionOf(workspace_id, goneVersion(row), row.redacted_at ?? '')];
}

/** Versions are taken over once and for good: who is not the head now never is again. */
async function redactable(
  { table }: Ports,
  row: VersionRow,
  { by, at }: { readonly by: BetaManagedAgentsActor; readonly at: string },
): Promise<VersionRow> {
  const memory = await findMemory(table, row.memory_store_id, row.memory_id);
  if (memory?.memory_version_id === row.memory_version_id) {
    throw new Fault(
      'invalid',
      `memory version '${row.memory_version_id}' is what its memory holds now. Update or delete the memory first.`,
      { details: { error_code: 'memory_version_is_current' } },
    );
  }
  const nothing = { path: null, content: null, content_sha256: null, content_size_bytes: null };
  return { ...row, ...nothing, redacted_at: at, redacted_by: by };
}

function redaction(row: VersionRow) {
  return {
    update: versionKey(row.memory_store_id, row.memory_version_id),
    expression:
      'SET #path = :null, #content = :null, content_sha256 = :null, content_size_bytes = :null, redacted_at = :at, redacted_by = :by',
    condition: 'redacted_at = :null',
    names: { '#path': 'path', '#content': 'content' },
    values: { ':null': null, ':at': row.redacted_at, ':by': row.redacted_by },
  };
}
