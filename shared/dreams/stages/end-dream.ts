import { timestamp } from '../../core/clock.ts';
import { ConditionFailed, type Table, type Write } from '../../core/table.ts';
import { deliverDream } from '../../dream-schedules/deliver.ts';
import { storeKey } from '../../memory/memory.ts';
import { dreamKey, hasEnded, holdKey, type DreamError, type DreamHead } from '../dream.ts';
import { leaveBatches } from './leave-batches.ts';
import { closeSession } from './pipeline-session.ts';
import { tellWritten } from './tell-written.ts';
import type { StageInput, StagePorts } from './work.ts';

async function headOf(table: Table, dream_id: string): Promise<DreamHead> {
  return (await table.get(dreamKey(dream_id))) as DreamHead;
}

/** Let a dream that has not ended fail. One that was canceled or completed before stays as it is. */
export async function failDream(
  { table, clock }: Pick<StagePorts, 'table' | 'clock'>,
  { dream_id, run }: StageInput,
  error: DreamError,
): Promise<void> {
  try {
    await table.update({
      update: dreamKey(dream_id),
      expression:
        'SET #status = :failed, #error = :error, ended_at = :at, stage = :stage, #version = #version + :one',
      condition: 'run = :run AND #status IN (:pending, :running)',
      names: { '#status': 'status', '#error': 'error', '#version': 'version' },
      values: {
        ':failed': 'failed',
        ':error': error,
        ':at': timestamp(clock),
        ':stage': 'ended',
        ':one': 1,
        ':run': run,
        ':pending': 'pending',
        ':running': 'running',
      },
    });
  } catch (refused) {
    if (!(refused instanceof ConditionFailed)) throw refused;
  }
}

/** What a Catch has caught, as Step Functions has it. */
interface Caught {
  readonly Error?: unknown;
  readonly Cause?: unknown;
}

const time_outs = new Set(['States.Timeout', 'Sandbox.Timedout']);

/** The state Fail: a task could not be brought to its end. */
export async function fail(ports: StagePorts, input: StageInput): Promise<void> {
  await failDream(ports, input, errorOf(input.error));
}

/** A Fault's message is for people; that of anything else is for the log. */
function errorOf(error: unknown): DreamError {
  const { Error: name = '', Cause: cause = '' } = (error ?? {}) as Caught;
  if (time_outs.has(String(name))) {
    return { type: 'timeout', message: 'A part of the dream took too long, again and again.' };
  }
  const is_fault = name === 'RetryableFault' || name === 'TerminalFault';
  return {
    type: 'internal_error',
    message: is_fault
      ? messageOf(String(cause))
      : 'A part of the dream failed again and again. The log of the dream function says why.',
  };
}

/** Lambda's failure as JSON: `{ errorType, errorMessage, … }`. */
function messageOf(cause: string): string {
  const { errorMessage } = JSON.parse(cause) as { readonly errorMessage?: string };
  return errorMessage ?? 'A part of the dream failed again and again.';
}

/** A dream that has fully stopped, for who counts dreams. */
export type StoppedDream = Pick<DreamHead, 'status' | 'cost_microcents' | 'recommended'>;

/**
 * The state Settle: an ended dream gives back what it holds. Its batches are
 * canceled, its session is archived, a copy that it
 * never showed is swept, what it wrote before it was stopped is told, its hold of a store ends, and its schedule gets what it is due. With that ends
 * its place in the index of those that run: dies before that, reconcile brings it here again.
 *
 * @param time_ms What the function may take, from now.
 * @returns the dream, to who has brought it to its stop; undefined to everybody else
 */
export async function settle(
  ports: StagePorts,
  { dream_id }: StageInput,
  time_ms: number,
): Promise<StoppedDream | undefined> {
  const until_ms = performance.now() + time_ms / 2;
  const head = await headOf(ports.table, dream_id);
  if (!hasEnded(head) || head.gsi2pk === undefined) return undefined;
  const is_time_up = (): boolean => performance.now() >= until_ms;
  await leaveBatches(ports, head, is_time_up);
  await closeSession(ports, head);
  await dropCopy(ports, head);
  await tellWritten(ports, head);
  await dropHold(ports, head);
  await deliverDream(ports, head, is_time_up);
  const is_ours = await quietly(ports.table, {
    update: dreamKey(dream_id),
    expression: 'SET stage = :ended REMOVE gsi2pk, gsi2sk',
    condition: 'attribute_exists(gsi2pk)',
    values: { ':ended': 'ended' },
  });
  return is_ours ? await headOf(ports.table, dream_id) : undefined;
}

async function dropHold({ table }: StagePorts, head: DreamHead): Promise<void> {
  if (head.output_behavior.type === 'create_new') return;
  await quietly(table, {
    delete: holdKey(head.memory_store_id),
    condition: 'dream_id = :own',
    values: { ':own': head.dream_id },
  });
}

async function dropCopy({ table, clock }: StagePorts, head: DreamHead): Promise<void> {
  if (head.output_store_id !== null) return;
  const at = clock.now().toISOString();
  await quietly(table, {
    update: storeKey(head.copy_store_id),
    expression: 'SET deleted_at = :at, gsi2pk = :deleted, gsi2sk = :place',
    condition: 'deleted_at = :null',
    values: {
      ':at': at,
      ':deleted': 'DELETED',
      ':place': `${at}#${head.copy_store_id}`,
      ':null': null,
    },
  });
}

/** A write that has nothing to do when its condition does not hold. @returns whether it was done */
async function quietly(table: Table, write: Write): Promise<boolean> {
  try {
    await table.transact([write]);
    return true;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return false;
  }
}
