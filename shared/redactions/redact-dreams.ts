import { limits } from '../core/limits.ts';
import { ConditionFailed } from '../core/table.ts';
import type { DreamHead } from '../dreams/dream.ts';
import {
  findDreams,
  mayHaveRead,
  redactionKey,
  type Gone,
  type RedactionPorts,
  type RedactionRow,
} from './redaction.ts';
import { scrubDream } from './scrub-dream.ts';

/**
 * Let every dream that has it forget what is gone: a redacted version, a deleted store or session. Goes on
 * where another invocation has stopped; safe to repeat and to run twice at once. A dream that is at work is
 * waited for, because it would write down again what it has read.
 *
 * @returns whether it came to the end: then the row is gone, too
 */
export async function redactDreams(
  ports: RedactionPorts,
  id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  if (!(await lookThrough(ports, id, is_time_up))) return false;
  await ports.table.deleteMany([redactionKey(id)]);
  return true;
}

/**
 * The same for the moment of the request, as far as a few seconds reach. The row stays, for reconcile to
 * look once more: the list of dreams lags a little, and whoever writes may be about to.
 */
export async function redactDreamsNow(
  ports: RedactionPorts & { readonly sweepLost: (error: unknown) => void },
  id: string,
): Promise<void> {
  const until_ms = performance.now() + limits.sweep_inline_ms;
  const is_time_up = (): boolean => performance.now() >= until_ms;
  await lookThrough(ports, id, is_time_up).catch(ports.sweepLost);
}

async function lookThrough(
  ports: RedactionPorts,
  id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  const row = (await ports.table.get(redactionKey(id))) as RedactionRow | undefined;
  if (row === undefined) return true;
  const failed: unknown[] = [];
  let { since } = row;
  let is_left = false;
  for await (const dream of dreamsOf(ports, row)) {
    if (is_time_up()) {
      await keepPlace(ports, row, since);
      return false;
    }
    try {
      const is_done = await seeTo(ports, dream, row.gone, is_time_up);
      is_left = is_left || !is_done;
    } catch (error) {
      // One that cannot be read keeps no other from forgetting.
      failed.push(error);
    }
    if (!is_left && failed.length === 0) since = dream.created_at;
  }
  if (failed.length > 0) throw new AggregateError(failed, `dreams still hold what ${id} was`);
  return !is_left;
}

async function* dreamsOf({ table }: RedactionPorts, row: RedactionRow): AsyncGenerator<DreamHead> {
  for (let page: string | null | undefined; page !== null;) {
    const found = await findDreams(table, row, page);
    yield* found.dreams;
    page = found.next_page;
  }
}

async function seeTo(
  ports: RedactionPorts,
  dream: DreamHead,
  gone: Gone,
  is_time_up: () => boolean,
): Promise<boolean> {
  if (dream.gsi2pk !== undefined) return !mayHaveRead(dream, gone);
  return await scrubDream(ports, dream, gone, is_time_up);
}

/** Of two that do this at once each has seen to all before its own place. */
async function keepPlace(
  { table }: RedactionPorts,
  { pk, sk }: RedactionRow,
  since: string | undefined,
): Promise<void> {
  if (since === undefined) return;
  try {
    await table.update({
      update: { pk, sk },
      expression: 'SET since = :since',
      condition: 'attribute_exists(pk)',
      values: { ':since': since },
    });
  } catch (error) {
    // The other one has come to the end.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
