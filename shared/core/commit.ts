import { createHash } from 'node:crypto';
import type { Call } from './call.ts';
import { Fault } from './fault.ts';
import type { Ports } from './ports.ts';
import { load, store, type Stored } from './stored.ts';
import { ConditionFailed, type Key, type Row, type Write } from './table.ts';

/** A request that carries an `Idempotency-Key`: where its answer is kept, and what it asked. */
export interface Request {
  /** SHA-256 of workspace, path and key: the same key elsewhere is another request. */
  readonly id: string;
  /** SHA-256 of the body with its fields in order, to tell a repeat from a mistake. */
  readonly body_hash: string;
}

/** `IDEMPOTENCY#<id>` / `ANSWER`; `expires_at` is the table's TTL, in epoch seconds. */
interface AnswerRow extends Row {
  readonly body_hash: string;
  readonly answer: Stored<unknown>;
  readonly expires_at: number;
}

/** Source: design: a client that retries for longer than a day has lost its process. */
const KEPT_SECONDS = 86_400;

/** 1-255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** @throws Fault `invalid` when the header is not a usable key. */
export function requestOf(workspace_id: string, path: string, key: string, body: unknown): Request {
  if (!KEY.test(key)) {
    throw new Fault(
      'invalid',
      'Idempotency-Key: must be 1 to 255 visible ASCII characters without spaces.',
    );
  }
  return {
    id: sha256([workspace_id, path, key].join('\n')),
    body_hash: sha256(JSON.stringify(body ?? null, sorted)),
  };
}

/** The order of an object's fields says nothing, and a client that repeats may write them in another. */
function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The answer that an earlier request with the same key got.
 *
 * @returns undefined when this request is the first that got that far.
 * @throws Fault `conflict` when the key was used with another body.
 */
export async function recall(
  ports: Ports,
  request: Request,
): Promise<{ readonly answer: unknown } | undefined> {
  const row = (await ports.table.get(keyOf(request))) as AnswerRow | undefined;
  // TTL deletes within days, not at once.
  if (row === undefined || row.expires_at <= seconds(ports)) return undefined;
  if (row.body_hash !== request.body_hash) {
    throw new Fault(
      'conflict',
      'This Idempotency-Key was used with another body. Use a new key for a new request.',
      { details: { error_code: 'idempotency_key_reused' } },
    );
  }
  return { answer: await load(ports.blobs, row.answer) };
}

/**
 * The one way in which a POST takes effect: its writes and its remembered answer are one
 * transaction, so a repeat finds both or neither. Runs twice: the second run's own condition
 * refuses it and it gets the first one's answer. Reply lost or died here: likewise.
 *
 * @param writes At most `transaction_writes_max - 1`; none for a POST that changes nothing.
 * @param answer What the caller gets, and what a repeat will get for a day.
 * @param kept What a repeat gets, where that must differ: an answer with a secret is not kept.
 * @returns `answer`, or that of the request which came first.
 * @throws ConditionFailed with the indexes of `writes`: the use case says what it means.
 */
export async function commit<Answer>(
  ports: Ports,
  call: Call,
  writes: readonly Write[],
  answers: { readonly answer: Answer; readonly kept?: Answer },
): Promise<Answer> {
  const { answer, kept = answer } = answers;
  const request = call.idempotency;
  if (request === undefined) {
    if (writes.length > 0) await ports.table.transact(writes);
    return answer;
  }
  try {
    await ports.table.transact([...writes, await remembering(ports, request, kept)]);
    return answer;
  } catch (error) {
    if (!(error instanceof ConditionFailed) || !error.failed.includes(writes.length)) throw error;
    const first = await recall(ports, request);
    if (first === undefined) throw error;
    return first.answer as Answer;
  }
}

async function remembering(ports: Ports, request: Request, answer: unknown): Promise<Write> {
  // Two racing requests make two answers: the hash keeps one from overwriting the other's object.
  const blob = `idempotency/${request.id}/${sha256(JSON.stringify(answer))}.json`;
  const now = seconds(ports);
  return {
    put: {
      ...keyOf(request),
      body_hash: request.body_hash,
      answer: await store(ports.blobs, blob, answer),
      expires_at: now + KEPT_SECONDS,
    },
    condition: 'attribute_not_exists(pk) OR expires_at <= :now',
    values: { ':now': now },
  };
}

function keyOf(request: Request): Key {
  return { pk: `IDEMPOTENCY#${request.id}`, sk: 'ANSWER' };
}

function seconds(ports: Ports): number {
  return Math.floor(ports.clock.now().getTime() / 1000);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
