import pLimit from 'p-limit';
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
  if (!(await lookThrough(ports, id, is_time_up, keepPlace))) return false;
  await ports.table.deleteMany([redactionKey(id)]);
  return true;
}

/**
 * The same for the moment of the request, as far as a few seconds reach. The row stays as it is, for reconcile
 * to look once more at all: the list of dreams lags a little, and whoever writes may be about to.
 */
export async function redactDreamsNow(
  ports: RedactionPorts & { readonly sweepLost: (error: unknown) => void },
  id: string,
): Promise<void> {
  const until_ms = performance.now() + limits.sweep_inline_ms;
  const is_time_up = (): boolean => performance.now() >= until_ms;
  await lookThrough(ports, id, is_time_up, keepNone).catch(ports.sweepLost);
}

async function lookThrough(
  ports: RedactionPorts,
  id: string,
  is_time_up: () => boolean,
  keep: typeof keepPlace,
): Promise<boolean> {
  const row = (await ports.table.get(redactionKey(id))) as RedactionRow | undefined;
  if (row === undefined) return true;
  const failed: Error[] = [];
  let { since } = row;
  let is_left = false;
  for await (const dream of dreamsOf(ports, row, is_time_up)) {
    if (dream === undefined) {
      await keep(ports, row, since);
      return false;
    }
    try {
      const is_done = await seeTo(ports, dream, row.gone, is_time_up);
      is_left = is_left || !is_done;
    } catch (error) {
      // One that cannot be read keeps no other from forgetting. A log has causes, and no lists of errors.
      failed.push(new Error(`dream ${dream.dream_id} was not gone through`, { cause: error }));
    }
    if (!is_left && failed.length === 0) since = dream.created_at;
  }
  const [cause, ...more] = failed;
  if (cause === undefined) return !is_left;
  throw new Error(`${more.length + 1} dreams may still hold what ${id} was`, { cause });
}

/** One after the other, and undefined instead of the next one when the time is up. */
async function* dreamsOf(
  { table }: RedactionPorts,
  row: RedactionRow,
  is_time_up: () => boolean,
): AsyncGenerator<DreamHead | undefined> {
  for (let page: string | null | undefined; page !== null;) {
    // Of those that have none of it there may be many.
    if (is_time_up()) yield undefined;
    const found = await findDreams(table, row, page);
    for (const dream of found.dreams) yield is_time_up() ? undefined : dream;
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
  return await inTurn(
    async () => !is_time_up() && (await scrubDream(ports, dream, gone, is_time_up)),
  );
}

/** A dream is held in memory several times meanwhile, and reconcile has ten redactions at once. */
const inTurn = pLimit(1);

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

async function keepNone(): Promise<void> {}
