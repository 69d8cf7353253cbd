import pLimit from 'p-limit';
import { timestamp } from '../../core/clock.ts';
import { Fault } from '../../core/fault.ts';
import { limits } from '../../core/limits.ts';
import { ConditionFailed } from '../../core/table.ts';
import { ModelError } from '../../models/model-error.ts';
import { dreamObject, type DreamHead } from '../dream.ts';
import { batchesOf, isOpen, waitingOf, type BatchRow } from './batch-rows.ts';
import { askedOf, failRequest } from './requests.ts';
import type { StagePorts } from './work.ts';

/**
 * A dream that is over waits for no batch: the provider is told, each request that waited has an end, and
 * what was kept to be asked is deleted, since it holds what sessions have said. What a batch had answered by
 * then is paid for and not counted: its answers are never fetched. Runs twice: the second finds nothing.
 *
 * @throws Fault, retryable, when out of time
 */
export async function leaveBatches(
  ports: StagePorts,
  head: DreamHead,
  is_time_up: () => boolean,
): Promise<void> {
  if (head.processing !== 'batch') return;
  for (const row of (await batchesOf(ports.table, head)).filter(isOpen)) await leave(ports, row);
  const limit = pLimit(limits.dream_lines_together_max);
  const waiting = await waitingOf(ports.table, head);
  await Promise.all(
    waiting.map(async (one) => await limit(failRequest, ports, head, askedOf(one))),
  );
  if (await ports.blobs.deletePrefix(dreamObject(head.dream_id, 'asked/'), is_time_up)) return;
  throw new Fault('overloaded', 'There was no time left to delete what the dream had asked.');
}

async function leave({ table, clock, batches }: StagePorts, row: BatchRow): Promise<void> {
  const { pk, sk, batch_id } = row;
  const ended = {
    update: { pk, sk },
    expression: 'SET ended_at = :at, reason = :reason',
    condition: 'attribute_not_exists(ended_at)',
    values: { ':at': timestamp(clock), ':reason': 'The dream ended before it.' },
  };
  try {
    // First: whoever is about to send it finds that nobody waits.
    await table.transact([ended]);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
  if (batch_id === undefined || batches === undefined) return;
  const time = AbortSignal.timeout(limits.batch_farewell_ms);
  // Best effort: a provider that cannot be reached must not hold what the dream holds.
  await batches.cancel(batch_id, time).catch((error: unknown) => {
    if (!(error instanceof ModelError)) throw error;
  });
}
