import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { decodeCursor, encodeCursor } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { versionKey, type VersionRow } from '../memory/memory.ts';
import { findVersion, readMemories, readStore, textOf } from '../memory/read-store.ts';
import type { DiffQuery } from './history-wire.ts';
import { hunksOf, unifiedOf, type Hunk } from './hunks.ts';
import { pairsOf, type Pair, type Side } from './pairs.ts';
import { NOW, type Lost } from './past.ts';
import { readPast } from './read-history.ts';

/** What a path held, without its text. */
export interface DiffSide extends Side {
  readonly content_size_bytes: number;
  /** Of the version. */
  readonly created_at: string;
}

/** What happened to one path. */
export interface MemoryChange {
  readonly change: Pair['change'];
  /** Where it is on the `to` side, or was when it is removed. */
  readonly path: string;
  readonly from: DiffSide | null;
  readonly to: DiffSide | null;
  /** With `format=structured`; none when only the path has changed. */
  readonly hunks?: readonly Hunk[];
  /** With `format=unified`: a patch of this path. */
  readonly unified?: string;
}

export interface MemoryDiff {
  readonly type: 'memory_diff';
  readonly format: 'structured' | 'unified';
  /** In the order of their paths. */
  readonly data: readonly MemoryChange[];
  /** Memories whose text of one of the times is gone: they are left out. */
  readonly unavailable: readonly Lost[];
  readonly next_page: string | null;
}

/** What is compared: paths with versions, and the stores that have them. */
interface Comparison {
  readonly pairs: readonly Pair[];
  readonly from_store_id: string;
  readonly to_store_id: string;
  readonly unavailable: readonly Lost[];
}

/**
 * Compare two versions, two times of a store, or a store with another one, a page of paths at a time.
 *
 * @throws Fault `missing` for a store or version; `invalid` for a redacted version; `too_large` as
 *   {@link readPast}
 */
export async function diffMemories(
  ports: Ports,
  call: Call,
  store_id: string,
  query: DiffQuery,
): Promise<MemoryDiff> {
  const { workspace_id } = call;
  await readStore(ports.table, workspace_id, store_id);
  const compared = await compare(ports, workspace_id, store_id, query);
  const { format, limit, page } = query;
  const after = page === undefined ? undefined : readCursor(page);
  const rest = compared.pairs.filter(({ path }) => after === undefined || path > after);
  const until_ms = performance.now() + limits.diff_page_ms;
  const data: MemoryChange[] = [];
  let bytes = 0;
  for (const pair of rest.slice(0, limit)) {
    const change = await changeOf(ports, compared, pair, format);
    bytes += Buffer.byteLength(JSON.stringify(change));
    if (data.length > 0 && bytes > limits.page_bytes_max) break;
    data.push(change);
    if (performance.now() > until_ms) break;
  }
  const last = data.at(-1)?.path;
  const next_page = last === undefined || data.length === rest.length ? null : cursorOf(last);
  const { unavailable } = compared;
  return { type: 'memory_diff', format, data, unavailable, next_page };
}

async function compare(
  ports: Ports,
  workspace_id: string,
  store_id: string,
  query: DiffQuery,
): Promise<Comparison> {
  const stores = { from_store_id: store_id, to_store_id: store_id };
  if (query.from_version !== undefined) {
    const from = await versionSide(ports, store_id, query.from_version);
    const to = await versionSide(ports, store_id, query.to_version ?? '');
    return { ...stores, pairs: onePair(from, to), unavailable: [] };
  }
  if (query.from !== undefined) {
    if (Date.parse(query.from) > ports.clock.now().getTime()) {
      throw new Fault('invalid', 'from: lies in the future. Use a time that has been.');
    }
    const past = await readPast(ports, store_id, [query.from, query.to ?? NOW]);
    const [from, to] = [past.at(0), past.at(1)];
    const lost = new Map([...from.lost, ...to.lost].map((each) => [each.memory_id, each]));
    const known = (side: Side): boolean => !lost.has(side.memory_id);
    const pairs = pairsOf(
      [...from.held.values()].filter(known),
      [...to.held.values()].filter(known),
    );
    return { ...stores, pairs, unavailable: [...lost.values()] };
  }
  const other = await readStore(ports.table, workspace_id, query.against ?? '');
  const [from, to] = await Promise.all(
    [store_id, other.memory_store_id].map(async (id) => await readSides(ports, id)),
  );
  const pairs = pairsOf(from ?? [], to ?? []);
  return { ...stores, to_store_id: other.memory_store_id, pairs, unavailable: [] };
}

async function readSides({ table }: Ports, store_id: string): Promise<Side[]> {
  const rows = await readMemories(table, store_id);
  return rows.map(({ sk: path, memory_id, memory_version_id, content_sha256 }) => ({
    path,
    memory_id,
    memory_version_id,
    content_sha256,
  }));
}

/** Undefined for a version that deletes: there is nothing at its path. */
async function versionSide(
  { table, clock }: Ports,
  store_id: string,
  version_id: string,
): Promise<Side | undefined> {
  const row = await findVersion(table, { store_id, version_id }, clock.now().toISOString());
  if (row === undefined)
    throw new Fault('missing', `memory version '${version_id}' was not found.`);
  const { path, memory_id, memory_version_id, content_sha256, operation } = row;
  if (operation === 'deleted') return undefined;
  if (path === null || content_sha256 === null) throw redacted(version_id);
  return { path, memory_id, memory_version_id, content_sha256 };
}

/** A version that cannot be compared or restored any more. */
export function redacted(version_id: string): Fault {
  return new Fault(
    'invalid',
    `memory version '${version_id}' is redacted: its content and path are gone. Use another version.`,
    { details: { error_code: 'memory_version_redacted' } },
  );
}

/** The two belong together whatever their paths, since the caller has said so. */
function onePair(from: Side | undefined, to: Side | undefined): Pair[] {
  if (from === undefined) return to === undefined ? [] : [{ change: 'added', path: to.path, to }];
  if (to === undefined) return [{ change: 'removed', path: from.path, from }];
  if (from.path === to.path && from.content_sha256 === to.content_sha256) return [];
  const change = from.path === to.path ? 'modified' : 'renamed';
  return [{ change, path: to.path, from, to }];
}

async function changeOf(
  ports: Ports,
  { from_store_id, to_store_id }: Comparison,
  pair: Pair,
  format: DiffQuery['format'],
): Promise<MemoryChange> {
  const [from, to] = await Promise.all([
    shown(ports, from_store_id, 'from' in pair ? pair.from : undefined),
    shown(ports, to_store_id, 'to' in pair ? pair.to : undefined),
  ]);
  const texts = {
    from_path: from.side?.path,
    to_path: to.side?.path,
    from: from.text,
    to: to.text,
  };
  const { change, path } = pair;
  const detail = format === 'unified' ? { unified: unifiedOf(texts) } : { hunks: hunksOf(texts) };
  return { change, path, from: from.side ?? null, to: to.side ?? null, ...detail };
}

/** A side with its text; where there is nothing, an empty text. */
async function shown(
  { table, blobs }: Ports,
  store_id: string,
  side: Side | undefined,
): Promise<{ readonly side?: DiffSide; readonly text: string }> {
  if (side === undefined) return { text: '' };
  const key = versionKey(store_id, side.memory_version_id);
  const row = (await table.get(key)) as VersionRow | undefined;
  const content = row?.content ?? null;
  // It was there when its path was read.
  if (row === undefined || content === null) throw redacted(side.memory_version_id);
  const { content_size_bytes, created_at } = row;
  const text = await textOf(blobs, content);
  return { text, side: { ...side, content_size_bytes: content_size_bytes ?? 0, created_at } };
}

const KIND = 'memory_diff';

function cursorOf(path: string): string {
  return encodeCursor({ kind: KIND, order: 'asc', direction: 'next', position: path });
}

function readCursor(page: string): string {
  const { kind, position } = decodeCursor(page);
  if (kind === KIND) return position;
  throw new Fault('invalid', 'page: is not a cursor of this list. Use next_page as it was given.');
}
