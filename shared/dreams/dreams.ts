import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { listByTime } from '../core/listing.ts';
import { forwardOnly, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { dreamKey, hasEnded, type DreamHead } from './dream.ts';
import type { DreamListQuery } from './dream-wire.ts';
import { showDream, type Dream } from './show-dream.ts';

/** @throws Fault `missing`, also for another workspace's dream */
export async function readDream(table: Table, call: Call, id: string): Promise<DreamHead> {
  const head = (await table.get(dreamKey(id))) as DreamHead | undefined;
  if (head?.workspace_id === call.workspace_id) return head;
  throw new Fault('missing', `Dream ${id} was not found.`);
}

/** `GET /v1/dreams/{dream_id}`. @throws Fault `missing` */
export async function getDream(ports: Ports, call: Call, id: string): Promise<Dream> {
  return showDream(await readDream(ports.table, call, id));
}

/** `GET /v1/dreams`, newest first. @throws Fault `invalid` for a cursor that does not fit */
export async function listDreams(
  ports: Ports,
  call: Call,
  query: DreamListQuery,
): Promise<Page<Dream>> {
  const { limit, page, statuses, include_archived } = query;
  const { 'created_at[gt]': gt, 'created_at[lt]': lt } = query;
  const list = { limit, page, gt, lt, workspace_id: call.workspace_id, key: dreamKey };
  return forwardOnly(
    await listByTime(ports.table, { ...list, noun: 'dream' }, async (row) => {
      const head = row as DreamHead;
      if (head.archived_at !== null && !include_archived) return undefined;
      return statuses === undefined || statuses.includes(head.status) ? showDream(head) : undefined;
    }),
  );
}

/**
 * `POST /v1/dreams/{dream_id}/cancel`. It is canceled at once; its tasks see it at their next look,
 * stop, and free what it holds. A repeat answers as the first did.
 *
 * @throws Fault `missing`; `invalid` once it has completed or failed
 */
export async function cancelDream(ports: Ports, call: Call, id: string): Promise<Dream> {
  return await again(`Dream ${id}`, async () => {
    const head = await readDream(ports.table, call, id);
    if (head.status === 'canceled')
      return await commit(ports, call, [], { answer: showDream(head) });
    if (hasEnded(head)) {
      throw new Fault('invalid', `Dream ${id} has ${head.status}: there is nothing to cancel.`);
    }
    const at = timestamp(ports.clock);
    const next: DreamHead = { ...head, status: 'canceled', ended_at: at };
    const write = {
      update: dreamKey(id),
      expression: 'SET #status = :canceled, ended_at = :at, #version = #version + :one',
      condition: '#status = :read',
      names: { '#status': 'status', '#version': 'version' },
      values: { ':canceled': 'canceled', ':at': at, ':one': 1, ':read': head.status },
    };
    return await commit(ports, call, [write], { answer: showDream(next) });
  });
}

/**
 * `POST /v1/dreams/{dream_id}/archive`: out of the lists, for good. A repeat answers as the first did.
 *
 * @throws Fault `missing`; `invalid` before it has ended
 */
export async function archiveDream(ports: Ports, call: Call, id: string): Promise<Dream> {
  return await again(`Dream ${id}`, async () => {
    const head = await readDream(ports.table, call, id);
    if (head.archived_at !== null)
      return await commit(ports, call, [], { answer: showDream(head) });
    if (!hasEnded(head)) {
      throw new Fault('invalid', `Dream ${id} is ${head.status}. Cancel it first, or wait.`);
    }
    const at = timestamp(ports.clock);
    const write = {
      update: dreamKey(id),
      expression: 'SET archived_at = :at, #version = #version + :one',
      condition: 'archived_at = :null',
      names: { '#version': 'version' },
      values: { ':at': at, ':one': 1, ':null': null },
    };
    return await commit(ports, call, [write], { answer: showDream({ ...head, archived_at: at }) });
  });
}
