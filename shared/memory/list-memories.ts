import type { Call } from '../core/call.ts';
import { limits } from '../core/limits.ts';
import { forwardOnly, readPage, type Entry, type Page, type Stretch } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { PathRow } from './memory.ts';
import type { MemoryListQuery } from './memory-wire.ts';
import { rangeBelow } from './path.ts';
import { readStore } from './read-store.ts';
import { viewMemory, type Memory, type MemoryPrefix } from './show-memory.ts';

type Item = Memory | MemoryPrefix;

/** What a stretch of rows shows, before contents are read. */
interface Found {
  readonly position: string;
  readonly row?: PathRow;
}

/**
 * Memories in the order of their paths' bytes. With depth 1 what lies deeper is one item for each
 * folder, at the place of its name and '/': the rows below are jumped over, not read.
 *
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listMemories(
  ports: Ports,
  call: Call,
  request: { readonly store_id: string; readonly query: MemoryListQuery },
): Promise<Page<Item>> {
  const { store_id, query } = request;
  await readStore(ports.table, call.workspace_id, store_id);
  const { page, view, path_prefix, depth } = query;
  const limit = view === 'full' ? Math.min(query.limit, limits.memory_full_page_max) : query.limit;
  const below = rangeBelow(path_prefix.slice(0, -1));
  return forwardOnly(
    await readPage({ kind: 'mem', order: 'asc', limit, page, ...below }, async (stretch) => {
      const { rows, more } = await rowsOf(ports, store_id, {
        ...stretch,
        from: behind(stretch.from),
      });
      const found = depth === '0' ? rows.map(asFound) : rolledUp(rows, path_prefix);
      const entries = await Promise.all(found.map(itemOf));
      return { entries, more };
    }),
  );

  /** Behind a rolled-up folder everything that is in it is jumped over. */
  function behind(from: string): string {
    const is_folder = from.endsWith('/') && from !== below.from;
    return is_folder ? rangeBelow(from.slice(0, -1)).to : from;
  }

  async function itemOf({ position, row }: Found): Promise<Entry<Item>> {
    if (row === undefined) return { position, item: { path: position, type: 'memory_prefix' } };
    const item = row.kind === 'memory' ? await viewMemory(ports, row, view) : undefined;
    return { position, item };
  }
}

/** The rows of a stretch. */
async function rowsOf(
  { table }: Ports,
  store_id: string,
  { from, to, limit }: Stretch,
): Promise<{ readonly rows: PathRow[]; readonly more: boolean }> {
  const page = await table.query({ pk: `PATHS#${store_id}`, from, to, limit });
  // The upper end is not below the folder, but may be the path of another memory.
  return { rows: (page.rows as PathRow[]).filter(({ sk }) => sk !== to), more: page.more };
}

function asFound(row: PathRow): Found {
  return { position: row.sk, row };
}

function rolledUp(rows: readonly PathRow[], prefix: string): Found[] {
  const found: Found[] = [];
  for (const row of rows) {
    const end = row.sk.indexOf('/', prefix.length);
    const position = end === -1 ? row.sk : row.sk.slice(0, end + 1);
    if (position !== found.at(-1)?.position) {
      found.push(end === -1 ? { position, row } : { position });
    }
  }
  return found;
}
