import pLimit from 'p-limit';
import { timestamp } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import { ConditionFailed, type Write } from '../../core/table.ts';
import type { BatchedAnswer, BatchedRequest, Batches, BatchState } from '../../models/batches.ts';
import { ModelError } from '../../models/model-error.ts';
import type { ModelRequest } from '../../models/model.ts';
import {
  batchesOf,
  batchKey,
  isOpen,
  waitingOf,
  type BatchEnd,
  type BatchRow,
} from './batch-rows.ts';
import { tell } from './pipeline-session.ts';
import { sessionsLeft } from './reflect-session.ts';
import { answerRequest, askedOf, leaveAlone, refuseRequest, type WaitingRow } from './requests.ts';
import type { Work } from './work.ts';

/** Where a dream goes on: with what has its answers now, or later, with this. */
export type BatchResult =
  | { readonly next: 'sessions'; readonly sessions: readonly number[] }
  | { readonly next: 'consolidate' | 'verify' | 'gate' }
  | { readonly next: 'pause'; readonly seconds: number };

/**
 * The state Batch: everything that a stage has registered goes to the provider together, is looked at
 * until it has ended, and its answers come home; then the stage is done again. Each part may be repeated:
 * what waits stands in rows, and a row goes with its answer.
 */
export async function awaitBatches(work: Work): Promise<BatchResult> {
  const { batches } = work;
  // The deployment has another provider now: the stage makes its requests by itself.
  if (batches === undefined) return await goBack(work);
  const { table, clock } = work.ports;
  const rows = await batchesOf(table, work.head);
  const open = rows.some(isOpen) ? rows.filter(isOpen) : await place(work, rows.length);
  const left: BatchRow[] = [];
  for (const row of open) if (!(await advance(work, batches, row))) left.push(row);
  if (left.length === 0) return await goBack(work);
  const placed_ms = Math.max(...left.map(({ placed_at }) => Date.parse(placed_at)));
  return { next: 'pause', seconds: pauseOf(clock.now().getTime() - placed_ms) };
}

function pauseOf(age_ms: number): number {
  const quarter_s = Math.ceil(age_ms / 4_000);
  return Math.min(limits.batch_pause_max_s, Math.max(limits.batch_pause_min_s, quarter_s));
}

/** A dream that has been at a later stage has been through those before: to repeat one is to pass it. */
async function goBack(work: Work): Promise<BatchResult> {
  const sessions = await sessionsLeft(work);
  if (sessions.length > 0) return { next: 'sessions', sessions };
  const { stage } = work.head;
  return { next: stage === 'verify' || stage === 'gate' ? stage : 'consolidate' };
}

/** Everything that waits, in as many batches as it takes. Another invocation may be faster: its stand. */
async function place({ ports, head }: Work, count: number): Promise<BatchRow[]> {
  const waiting = await waitingOf(ports.table, head);
  const placed_at = timestamp(ports.clock);
  const rows = packed(waiting).map((pack, index): BatchRow => ({
    ...batchKey(head, count + index + 1),
    span_ids: pack.map(({ span_id }) => span_id),
    placed_at,
    submits_count: 0,
    submitted_at: null,
  }));
  try {
    const condition = 'attribute_not_exists(pk)';
    for (const row of rows) await ports.table.transact([{ put: row, condition }]);
    return rows;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return (await batchesOf(ports.table, head)).filter(isOpen);
  }
}

function packed(waiting: readonly WaitingRow[]): WaitingRow[][] {
  const packs: WaitingRow[][] = [];
  let bytes = 0;
  for (const row of waiting) {
    const last = packs.at(-1);
    const has_room =
      last !== undefined &&
      last.length < limits.batch_requests_max &&
      bytes + row.bytes <= limits.batch_bytes_max;
    if (has_room) last.push(row);
    else packs.push([row]);
    bytes = has_room ? bytes + row.bytes : row.bytes;
  }
  return packs;
}

/**
 * Bring a batch on. What may pass is waited for, since a batch is in no hurry and may outlive a bad hour of
 * the provider; what will not leaves its requests to be made by themselves, which then say what is wrong.
 *
 * @returns whether it is over
 */
async function advance(work: Work, batches: Batches, row: BatchRow): Promise<boolean> {
  try {
    const { batch_id } = row;
    const state =
      batch_id === undefined
        ? await submit(work, batches, row)
        : await batches.state(batch_id, work.signal);
    if (state === 'over') return true;
    if (state === 'on its way' || !state.is_ended) return false;
    await bringHome(work, batches, { ...row, batch_id: state.batch_id });
    return true;
  } catch (error) {
    if (!(error instanceof ModelError) || work.signal.aborted) throw error;
    if (error.retryable) return false;
    await giveUp(work, row, error.message);
    return true;
  }
}

type Submitted = BatchState | 'on its way' | 'over';

/**
 * Send a batch, and keep its id. Dies in between, or the answer is lost: the batch may be there, and
 * nothing tells it from others. So it is sent once more, and then no more: what was asked is paid for again
 * at most so often, and counted once, by the answers that come home.
 */
async function submit(work: Work, batches: Batches, row: BatchRow): Promise<Submitted> {
  const { table, clock } = work.ports;
  const { submits_count, submitted_at } = row;
  const since_ms = clock.now().getTime() - Date.parse(submitted_at ?? '1970-01-01T00:00:00Z');
  if (since_ms < limits.batch_submit_ms) return 'on its way';
  if (submits_count === limits.batch_submits_max) {
    await giveUp(work, row, 'The provider did not say whether it has taken the batch.');
    return 'over';
  }
  const waiting = await waitingOf(table, work.head, row);
  const requests = await readAll(work, waiting);
  await work.look();
  if (!(await claim(work, row))) return 'on its way';
  const time = AbortSignal.any([work.signal, AbortSignal.timeout(limits.batch_submit_ms)]);
  const state = await batches.submit(requests, time).catch(async (error: unknown) => {
    // It was answered with a refusal, or never left: there is no batch.
    const is_none =
      error instanceof ModelError && (error.status !== undefined || error.is_unsent === true);
    if (is_none) await unclaim(work, row);
    throw error;
  });
  const { batch_id } = state;
  const known: Write = {
    update: { pk: row.pk, sk: row.sk },
    expression: 'SET batch_id = :id',
    condition: 'attribute_not_exists(batch_id) AND attribute_not_exists(ended_at)',
    values: { ':id': batch_id },
  };
  const words = `${requests.length} requests wait for batch ${batch_id}.`;
  if (await tell(work, words, [known])) return state;
  // Another was faster, or the dream is over: nobody waits for this one.
  await quietly(batches.cancel(batch_id, AbortSignal.timeout(limits.batch_farewell_ms)));
  return 'on its way';
}

async function readAll({ ports }: Work, waiting: readonly WaitingRow[]): Promise<BatchedRequest[]> {
  const limit = pLimit(limits.copies_parallel_max);
  return await Promise.all(
    waiting.map(({ span_id, object }) =>
      limit(async () => {
        const json = Buffer.from(await ports.blobs.get(object)).toString('utf8');
        return { custom_id: span_id, request: JSON.parse(json) as ModelRequest };
      }),
    ),
  );
}

/** One at a time sends a batch. @returns false where another does */
async function claim(work: Work, { pk, sk, submits_count }: BatchRow): Promise<boolean> {
  return await change(work, {
    update: { pk, sk },
    expression: 'SET submits_count = :next, submitted_at = :at',
    condition:
      'submits_count = :seen AND attribute_not_exists(batch_id) AND attribute_not_exists(ended_at)',
    values: {
      ':seen': submits_count,
      ':next': submits_count + 1,
      ':at': timestamp(work.ports.clock),
    },
  });
}

async function unclaim(work: Work, { pk, sk, submits_count }: BatchRow): Promise<void> {
  await change(work, {
    update: { pk, sk },
    expression: 'SET submits_count = :seen, submitted_at = :null',
    condition: 'submits_count = :next AND attribute_not_exists(batch_id)',
    values: { ':seen': submits_count, ':next': submits_count + 1, ':null': null },
  });
}

async function change({ ports }: Work, write: Write): Promise<boolean> {
  try {
    await ports.table.transact([write]);
    return true;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return false;
  }
}

/** Answers come in any order, and those that are home already are passed over. */
async function bringHome(
  work: Work,
  batches: Batches,
  row: BatchRow & { readonly batch_id: string },
): Promise<void> {
  const waiting = new Map(
    (await waitingOf(work.ports.table, work.head, row)).map((one) => [one.span_id, one]),
  );
  const counts = new Map<string, number>();
  for await (const answers of some(batches.answers(row.batch_id, work.signal))) {
    await work.look();
    const kept = answers.map(async (answer) => {
      const one = waiting.get(answer.custom_id);
      if (one !== undefined) await keep(work, one, answer);
    });
    await Promise.all(kept);
    for (const answer of answers) {
      waiting.delete(answer.custom_id);
      const fate = fateOf(answer);
      counts.set(fate, (counts.get(fate) ?? 0) + 1);
    }
  }
  // Not of a batch that keeps its promise; a request must not wait for ever all the same.
  await leaveAll(work, [...waiting.values()]);
  const answered_count = (counts.get('answered') ?? 0) + (counts.get('refused') ?? 0);
  const others = [...counts].filter(([fate]) => fate !== 'answered' && fate !== 'refused');
  const reason = others.map(([fate, count]) => `${count} ${fate}`).join(', ');
  const alone_count = row.span_ids.length - answered_count;
  const end = { answered_count, alone_count, reason: reason === '' ? undefined : reason };
  await close(work, row, end);
  await quietly(batches.forget(row.batch_id, AbortSignal.timeout(limits.batch_farewell_ms)));
}

/** What `askFor` takes for final is kept as such: to ask it again would be told the same. */
function fateOf(
  answer: BatchedAnswer,
): 'answered' | 'refused' | 'errored' | 'expired' | 'canceled' {
  if ('reply' in answer) return 'answered';
  const { error, why } = answer;
  const is_final = error?.kind === 'context_too_long' || error?.status === 400;
  return is_final && error.kind !== 'billing' ? 'refused' : why;
}

async function keep({ ports, head }: Work, one: WaitingRow, answer: BatchedAnswer): Promise<void> {
  const asked = askedOf(one);
  if ('reply' in answer) await answerRequest(ports, head, asked, answer.reply);
  else if (answer.error !== undefined && fateOf(answer) === 'refused') {
    await refuseRequest(ports, head, asked, answer.error);
  } else await leaveAlone(ports, asked);
}

async function* some(answers: AsyncIterable<BatchedAnswer>): AsyncGenerator<BatchedAnswer[]> {
  let next: BatchedAnswer[] = [];
  for await (const answer of answers) {
    next.push(answer);
    if (next.length < limits.dream_lines_together_max) continue;
    yield next;
    next = [];
  }
  if (next.length > 0) yield next;
}

/** No batch will answer these: the stage makes them by itself. */
async function giveUp(work: Work, row: BatchRow, reason: string): Promise<void> {
  const waiting = await waitingOf(work.ports.table, work.head, row);
  await leaveAll(work, waiting);
  const answered_count = row.span_ids.length - waiting.length;
  await close(work, row, { answered_count, alone_count: waiting.length, reason });
}

async function leaveAll({ ports }: Work, waiting: readonly WaitingRow[]): Promise<void> {
  const limit = pLimit(limits.dream_parallel_max);
  await Promise.all(waiting.map(async (one) => await limit(leaveAlone, ports, askedOf(one))));
}

/** Said once, with the row. */
async function close(work: Work, row: BatchRow, end: BatchEnd): Promise<void> {
  const { pk, sk, batch_id = 'that was never there' } = row;
  const { answered_count, alone_count, reason } = end;
  const ended: Write = {
    update: { pk, sk },
    expression: `SET ended_at = :at, answered_count = :answered, alone_count = :alone${reason === undefined ? '' : ', reason = :reason'}`,
    condition: 'attribute_not_exists(ended_at)',
    values: {
      ':at': timestamp(work.ports.clock),
      ':answered': answered_count,
      ':alone': alone_count,
      ...(reason === undefined ? {} : { ':reason': reason }),
    },
  };
  const why = reason === undefined ? '' : ` (${reason})`;
  const rest =
    alone_count === 0 ? '' : ` ${alone_count} are made by themselves, at the full price${why}.`;
  await tell(work, `Batch ${batch_id} has answered ${answered_count} requests.${rest}`, [ended]);
}

/** Best effort: nothing hangs on it but what the provider keeps. */
async function quietly(farewell: Promise<void>): Promise<void> {
  await farewell.catch((error: unknown) => {
    if (!(error instanceof ModelError)) throw error;
  });
}
