import { createHash } from 'node:crypto';
import { newId } from '../../core/id.ts';
import type { Ports } from '../../core/ports.ts';
import { store, type Stored } from '../../core/stored.ts';
import { ConditionFailed, type Key, type Row, type Update, type Write } from '../../core/table.ts';
import type { Line } from '../../events/event.ts';
import type { ModelError, ModelErrorKind } from '../../models/model-error.ts';
import { noRequestUsage, shownUsage, type ModelReply } from '../../models/model.ts';
import { requestCostMicrocents, type PriceOverrides } from '../../models/prices.ts';
import { dreamObject, type DreamHead } from '../dream.ts';
import { say } from './pipeline-log.ts';

/** `DREAM#<id>` / `M#<task>#<hash of the request>#<n>`: a request that was begun. */
export interface AskedRow extends Row {
  /** Its `span.model_request_start` in the dream's session. */
  readonly span_id: string;
  /** `batch`: it waits for one. `alone`: one has brought no answer. @default - it is made at once */
  readonly via?: 'batch' | 'alone';
  /** What the model has answered; absent until it has. */
  readonly reply?: Stored<ModelReply>;
  /** Why it never will: what a batch was told. A request that is made at once hears it each time anew. */
  readonly refusal?: { readonly message: string; readonly kind: ModelErrorKind };
}

/** `DREAM#<id>` / `Q#<span>`: a request that waits for the answer of a batch, as long as it does. */
export interface WaitingRow extends Row {
  readonly span_id: string;
  /** Sort key of its {@link AskedRow}. */
  readonly asked_sk: string;
  /** The object that holds it. */
  readonly object: string;
  readonly bytes: number;
}

export interface RequestPorts extends Pick<Ports, 'table' | 'blobs' | 'clock'> {
  readonly prices: PriceOverrides;
}

/** A request that costs nothing, since it brought nothing. */
const unused = shownUsage(noRequestUsage);

type BegunRow = Pick<AskedRow, 'pk' | 'sk' | 'span_id' | 'via'>;

/** The row of a request that waits, by what says that it does. */
export function askedOf({ pk, span_id, asked_sk }: WaitingRow): BegunRow {
  return { pk, sk: asked_sk, span_id, via: 'batch' };
}

/** Begin a request, with the start of its span. @returns its row, which may have been begun before */
export async function beginRequest(
  ports: RequestPorts,
  head: DreamHead,
  { pk, sk }: Key,
  waits?: Pick<WaitingRow, 'object' | 'bytes'>,
): Promise<AskedRow> {
  const span_id = newId('event');
  const via = waits === undefined ? {} : ({ via: 'batch' } as const);
  const row: AskedRow = { pk, sk, span_id, ...via };
  const line: Line = { event: { id: span_id, type: 'span.model_request_start' } };
  const begun = { put: row, condition: 'attribute_not_exists(pk)' };
  // Of a name that nobody else has: with the row that is new it is, too.
  const waiting = waits && { put: { ...waitingKey(row), span_id, asked_sk: sk, ...waits } };
  const writes: Write[] = waiting === undefined ? [begun] : [begun, waiting];
  const is_ours = await say(ports, head, { lines: [line], writes });
  // It was begun before, by another invocation or this very write: its span goes on, or is over.
  return is_ours ? row : ((await readRequest(ports, row)) ?? row);
}

export async function readRequest(
  { table }: Pick<RequestPorts, 'table'>,
  { pk, sk }: Key,
): Promise<AskedRow | undefined> {
  return (await table.get({ pk, sk })) as AskedRow | undefined;
}

/**
 * Answer, end of the span and usage are one transaction: what was used is counted once.
 *
 * @returns false when it has been answered before: that answer counts, and was paid for
 */
export async function answerRequest(
  ports: RequestPorts,
  head: DreamHead,
  row: BegunRow,
  message: ModelReply,
): Promise<boolean> {
  const place = createHash('sha256').update(JSON.stringify(message)).digest('hex');
  const object = dreamObject(head.dream_id, `answers/${place}.json`);
  const reply = await store(ports.blobs, object, message);
  const { usage, speed, is_batched } = message;
  const ran = { speed, is_batched, model_id: head.model.id };
  const cost_microcents = requestCostMicrocents(usage, ran, ports.prices);
  const line = endOf(row, false, { ...shownUsage(usage), ...(speed === null ? {} : { speed }) });
  return await say(ports, head, {
    lines: [line],
    writes: [settled(row, 'SET reply = :answer', { ':answer': reply }), ...noLonger(row)],
    // Every model that dreams has a list price.
    usage: { ...usage, cost_microcents: cost_microcents ?? 0 },
  });
}

/** A request that the provider will never take. */
export async function refuseRequest(
  ports: RequestPorts,
  head: DreamHead,
  row: BegunRow,
  { message, kind }: ModelError,
): Promise<void> {
  const refused = settled(row, 'SET refusal = :answer', { ':answer': { message, kind } });
  const lines = [endOf(row, true, unused)];
  await say(ports, head, { lines, writes: [refused, ...noLonger(row)] });
}

/** A request that failed: another try is another span. */
export async function failRequest(
  ports: RequestPorts,
  head: DreamHead,
  row: BegunRow,
): Promise<void> {
  const { pk, sk, span_id } = row;
  const forgotten = {
    delete: { pk, sk },
    condition: 'span_id = :span AND attribute_not_exists(reply)',
    values: { ':span': span_id },
  };
  const lines = [endOf(row, true, unused)];
  await say(ports, head, { lines, writes: [forgotten, ...noLonger(row)] });
}

/** A request that no batch has answered is made by itself, in the same span. */
export async function leaveAlone({ table }: RequestPorts, row: BegunRow): Promise<void> {
  try {
    const alone = settled(row, 'SET via = :answer', { ':answer': 'alone' });
    await table.transact([alone, ...noLonger(row)]);
  } catch (error) {
    // It has been answered, or left alone before.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

function settled(
  { pk, sk, span_id }: BegunRow,
  expression: string,
  values: Readonly<Record<string, unknown>>,
): Update {
  return {
    update: { pk, sk },
    expression,
    condition: 'span_id = :span AND attribute_not_exists(reply) AND attribute_not_exists(refusal)',
    values: { ...values, ':span': span_id },
  };
}

function waitingKey({ pk, span_id }: Pick<AskedRow, 'pk' | 'span_id'>): Key {
  return { pk, sk: `Q#${span_id}` };
}

/** Unconditional: it goes with what is conditional. */
function noLonger(row: BegunRow): Write[] {
  return row.via === undefined ? [] : [{ delete: waitingKey(row) }];
}

function endOf(
  { span_id }: BegunRow,
  is_error: boolean,
  model_usage: typeof unused & { readonly speed?: 'standard' | 'fast' },
): Line {
  return {
    event: {
      id: newId('event'),
      type: 'span.model_request_end',
      model_request_start_id: span_id,
      is_error,
      model_usage,
    },
  };
}
