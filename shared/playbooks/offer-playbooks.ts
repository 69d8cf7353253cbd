import pLimit from 'p-limit';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Write } from '../core/table.ts';
import { storeKey, type MemoryRow, type PathRow, type StoreHead } from '../memory/memory.ts';
import { rangeBelow } from '../memory/path.ts';
import { textOf } from '../memory/read-store.ts';
import { resourceKey, type MemoryResource } from '../resources/resource.ts';
import { choosePlaybooks } from './choose-playbooks.ts';
import { isFor, type OfferedPlaybook } from './offered-playbook.ts';
import { isPlaybookPath, parsePlaybook, type PlaybookFacts } from './playbook.ts';
import { splitTrailer } from './trailer.ts';

type OfferPorts = Pick<Ports, 'table' | 'blobs' | 'clock'>;

/** What an offer is made by. */
export interface Offer {
  readonly agent_id: string;
  /** What the session was first asked. */
  readonly asked: string;
}

interface Found {
  readonly row: MemoryRow;
  readonly facts: PlaybookFacts;
  readonly steps: string;
}

/**
 * Choose the playbooks that a session is offered, and keep the choice with its stores in one
 * transaction: made once, whoever comes second finds another's and takes that.
 *
 * @param stores Of the session, without an offer so far.
 * @returns the stores with their offers; undefined when another has made them, or a store was taken
 *   away meanwhile
 */
export async function offerPlaybooks(
  ports: OfferPorts,
  stores: readonly MemoryResource[],
  { agent_id, asked }: Offer,
): Promise<MemoryResource[] | undefined> {
  const ids = stores.map(({ memory_store_id }) => memory_store_id);
  const heads = (await ports.table.getMany(ids.map(storeKey))) as StoreHead[];
  const live = heads.filter(({ deleted_at }) => deleted_at === null);
  const found = await Promise.all(
    live.map(async ({ memory_store_id }) => await readPlaybooks(ports, memory_store_id)),
  );
  const chosen = choosePlaybooks(
    asked,
    found.flat().filter(({ facts }) => isFor(facts, agent_id)),
  );
  const offered_at = ports.clock.now().toISOString();
  const offered = stores.map((store): MemoryResource => {
    const own = chosen.filter(({ row }) => row.memory_store_id === store.memory_store_id);
    return { ...store, playbooks: own.map((each) => offeredOf(each, offered_at)) };
  });
  try {
    await ports.table.transact(offered.map(kept));
    return offered;
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    throw error;
  }
}

function kept({ session_id, resource_id, playbooks }: MemoryResource): Write {
  return {
    update: resourceKey(session_id, resource_id),
    expression: 'SET playbooks = :playbooks',
    condition: 'attribute_exists(pk) AND attribute_not_exists(playbooks)',
    values: { ':playbooks': playbooks },
  };
}

function offeredOf({ row, facts, steps }: Found, offered_at: string): OfferedPlaybook {
  const { title, situation, scope, learned_from, helpful, harmful, last_confirmed } = facts;
  const bytes = Buffer.from(steps);
  const shown = bytes.subarray(0, limits.playbook_steps_bytes_max);
  const is_cut = shown.length < bytes.length;
  return {
    memory_id: row.memory_id,
    memory_version_id: row.memory_version_id,
    path: row.sk,
    title,
    situation,
    scope,
    learned_from,
    helpful,
    harmful,
    last_confirmed,
    // Without the replacement of a character that was cut in half.
    steps: is_cut ? shown.toString('utf8').replace(/\ufffd$/, '') : steps,
    is_cut,
    offered_at,
  };
}

/** The playbooks of a store that can be read; what is none, or is gone meanwhile, is left out. */
async function readPlaybooks(ports: OfferPorts, store_id: string): Promise<Found[]> {
  const rows = await playbookRows(ports, store_id);
  const limit = pLimit(limits.copies_parallel_max);
  const read = rows.map((row) => limit(async () => await readPlaybook(ports, row)));
  return (await Promise.all(read)).flatMap((each) => each ?? []);
}

async function playbookRows({ table }: OfferPorts, store_id: string): Promise<MemoryRow[]> {
  const range = rangeBelow('/playbooks');
  const found: MemoryRow[] = [];
  for (let from = range.from, more = true; more;) {
    const page = await table.query({ pk: `PATHS#${store_id}`, from, to: range.to });
    found.push(...(page.rows as PathRow[]).filter(isReadable));
    from = `${page.rows.at(-1)?.sk ?? ''}\0`;
    more = page.more && found.length < limits.playbooks_read_max;
  }
  return found.slice(0, limits.playbooks_read_max);
}

function isReadable(row: PathRow): row is MemoryRow {
  if (row.kind !== 'memory' || !isPlaybookPath(row.sk)) return false;
  return row.content_size_bytes <= limits.playbook_read_bytes_max;
}

async function readPlaybook(ports: OfferPorts, row: MemoryRow): Promise<Found | undefined> {
  const text = await textOf(ports.blobs, row.content).catch(async (error: unknown) => {
    // Its object is gone: the memory was changed, and this text of it redacted.
    const { content } = row;
    if ('blob' in content && (await ports.blobs.head(content.blob)) === undefined) return '';
    throw error;
  });
  const playbook = parsePlaybook(splitTrailer(text).body);
  if ('fault' in playbook) return undefined;
  return { row, facts: playbook.facts, steps: playbook.body.trim() };
}
