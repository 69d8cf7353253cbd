import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed, type Row, type Write } from '../core/table.ts';
import type { MemoryOperation } from '../memory/changes.ts';
import { actorOf } from '../memory/memories.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import {
  pathKey,
  storeKey,
  type MemoryRow,
  type PathRow,
  type StoreHead,
} from '../memory/memory.ts';
import { readMemories, textOf } from '../memory/read-store.ts';
import { writeMemories } from '../memory/write-memories.ts';
import { isPlaybookPath, renderPlaybook, type Playbook } from '../playbooks/playbook.ts';
import { refreshIndex } from '../reviews/refresh-index.ts';
import type { Federated } from './run.ts';
import { callOf, type ScheduleHead } from './schedule.ts';
import {
  copyKey,
  copyOf,
  coreOf,
  planCopy,
  textOfCopy,
  type CopyPlan,
  type CopyRow,
} from './shared-copy.ts';

type Counts = Omit<Federated, 'unavailable'>;

const counted: Partial<Record<CopyPlan, keyof Counts>> = {
  create: 'copied_count',
  write: 'updated_count',
  delete: 'withdrawn_count',
  keep: 'kept_count',
};

/**
 * Bring the copies of a store's shared playbooks in other stores up to it: new ones are made, others
 * follow, and those whose original has gone (a rollback, say) are withdrawn; but never what others have
 * touched. Each copy and the row that knows of it are one transaction, so this runs twice, side by
 * side, or again after it died.
 */
export async function federate(ports: MemoryPorts, head: ScheduleHead): Promise<Federated> {
  const copies = await readCopies(ports, head.dream_schedule_id);
  const named = head.federation?.memory_store_ids ?? [];
  const originals = await readOriginals(ports, head);
  const counts = { copied_count: 0, updated_count: 0, withdrawn_count: 0, kept_count: 0 };
  const unavailable: string[] = [];
  for (const store_id of new Set([...named, ...copies.map((copy) => copy.memory_store_id)])) {
    if (!(await isLive(ports, head, store_id))) {
      unavailable.push(store_id);
      continue;
    }
    // A store that is not named any more gets nothing, and gives back what it had.
    const wanted = named.includes(store_id) ? originals : new Map<string, Playbook>();
    const own = copies.filter((copy) => copy.memory_store_id === store_id);
    let is_changed = false;
    for (const path of new Set([...wanted.keys(), ...own.map((copy) => copy.path)])) {
      const place = { store_id, path, wanted: wanted.get(path) };
      const plan = await bringUp(ports, head, place);
      const name = counted[plan];
      if (name !== undefined) counts[name] += 1;
      is_changed ||= plan === 'create' || plan === 'write' || plan === 'delete';
    }
    if (is_changed) await refreshIndex(ports, callOf(head), store_id);
  }
  return { ...counts, unavailable };
}

async function readCopies({ table }: MemoryPorts, schedule_id: string): Promise<CopyRow[]> {
  const { pk } = copyKey(schedule_id, '', '');
  const rows: Row[] = [];
  for (let from = 'F#', more = true; more;) {
    const page = await table.query({ pk, from, to: 'F#~' });
    rows.push(...page.rows);
    from = `${page.rows.at(-1)?.sk ?? from}!`;
    ({ more } = page);
  }
  return rows as CopyRow[];
}

/** Nothing of a store that is gone, archived, or named by no federation. */
async function readOriginals(
  ports: MemoryPorts,
  head: ScheduleHead,
): Promise<Map<string, Playbook>> {
  const { memory_store_id: store_id, federation, archived_at } = head;
  const originals = new Map<string, Playbook>();
  if (federation === null || archived_at !== null) return originals;
  if (!(await isLive(ports, head, store_id))) return originals;
  for (const row of await readMemories(ports.table, store_id)) {
    if (!isPlaybookPath(row.sk)) continue;
    const copy = copyOf(row.sk, await textOf(ports.blobs, row.content), store_id);
    if (copy !== undefined) originals.set(row.sk, copy);
  }
  return originals;
}

async function isLive(
  { table }: MemoryPorts,
  { workspace_id }: ScheduleHead,
  store_id: string,
): Promise<boolean> {
  const store = (await table.get(storeKey(store_id))) as StoreHead | undefined;
  if (store?.workspace_id !== workspace_id) return false;
  return store.deleted_at === null && store.archived_at === null;
}

interface Place {
  readonly store_id: string;
  readonly path: string;
  readonly wanted: Playbook | undefined;
}

/** One copy. @returns what was done, or `keep` where others were faster all the time */
async function bringUp(ports: MemoryPorts, head: ScheduleHead, place: Place): Promise<CopyPlan> {
  for (let attempt = 1; attempt <= limits.update_attempts_max; attempt++) {
    const { plan, operation, also } = await lookAt(ports, head, place);
    if (plan === 'nothing' || plan === 'keep') return plan;
    try {
      const { outcome } = await writeMemories(ports, {
        store_id: place.store_id,
        workspace_id: head.workspace_id,
        operations: operation === undefined ? [] : [operation],
        actor: actorOf(callOf(head)),
        also: () => also,
      });
      if (outcome === 'written') return plan;
    } catch (error) {
      // A folder in the way, or a store that is full: it is the other store's own affair.
      if (error instanceof Fault && error.kind !== 'busy') return 'keep';
      if (!(error instanceof ConditionFailed) && !(error instanceof Fault)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  return 'keep';
}

interface Look {
  readonly plan: CopyPlan;
  readonly operation: MemoryOperation | undefined;
  /** The row that knows of the copy, while it is as it was read. */
  readonly also: readonly Write[];
}

async function lookAt(
  { table, blobs }: MemoryPorts,
  { dream_schedule_id }: ScheduleHead,
  { store_id, path, wanted }: Place,
): Promise<Look> {
  const key = copyKey(dream_schedule_id, store_id, path);
  const [row, copy] = (await Promise.all([table.get(pathKey(store_id, path)), table.get(key)])) as [
    PathRow | undefined,
    CopyRow | undefined,
  ];
  const memory = row?.kind === 'memory' ? row : undefined;
  const text = memory === undefined ? undefined : await textOf(blobs, memory.content);
  const core = wanted === undefined ? undefined : coreOf(renderPlaybook(wanted));
  const plan = planCopy({
    wanted: core,
    written: copy?.core_sha256,
    found: text === undefined ? undefined : coreOf(text),
    is_taken: row !== undefined,
  });
  const as_read =
    copy === undefined
      ? { condition: 'attribute_not_exists(pk)' }
      : { condition: 'core_sha256 = :read', values: { ':read': copy.core_sha256 } };
  const own = { plan, place: { store_id, path, wanted }, memory, text };
  const next: CopyRow = { ...key, memory_store_id: store_id, path, core_sha256: core ?? '' };
  const is_gone = plan === 'delete' || plan === 'forget';
  const about_row = is_gone ? { delete: key, ...as_read } : { put: next, ...as_read };
  return { plan, operation: operationOf(own), also: [about_row] };
}

interface Planned {
  readonly plan: CopyPlan;
  readonly place: Place;
  readonly memory: MemoryRow | undefined;
  readonly text: string | undefined;
}

function operationOf({ plan, place, memory, text }: Planned): MemoryOperation | undefined {
  if (plan === 'delete') return memory && { kind: 'delete', before: memory };
  if (plan === 'forget' || place.wanted === undefined) return undefined;
  const content = textOfCopy(place.wanted, text);
  if (memory === undefined) return { kind: 'create', path: place.path, content };
  return { kind: 'write', before: memory, content };
}
