import { changesOf } from '../../reviews/change.ts';
import { ConditionFailed } from '../../core/table.ts';
import { dreamKey, type DreamHead } from '../dream.ts';
import type { Snapshot } from '../snapshot.ts';
import { OwnWrites } from './own-writes.ts';
import type { Verified } from './think.ts';
import { readKept, type StagePorts } from './work.ts';

/**
 * A dream that was canceled, or has failed, amid its writes into its own store has no report. What it had
 * written by then is told by its head, and so is one of its applies, which can be taken back. Runs twice: says
 * the same.
 */
export async function tellWritten(ports: StagePorts, head: DreamHead): Promise<void> {
  const { dream_id, status, output_behavior, unwritten, memory_store_id } = head;
  if (output_behavior.type === 'create_new' || status === 'completed') return;
  if (unwritten !== undefined) return;
  const verified = await readKept<Verified>(ports.blobs, dream_id, 'verified');
  const snapshot = await readKept<Snapshot>(ports.blobs, dream_id, 'snapshot');
  if (verified === undefined || snapshot === undefined) return;
  const own = await OwnWrites.read(ports, head, memory_store_id);
  if (own.isEmpty) return;
  const left = changesOf(verified.operations, snapshot).filter(
    ({ edits }) => !edits.some((edit) => own.has(edit)),
  );
  try {
    await ports.table.update({
      update: dreamKey(dream_id),
      expression: 'SET unwritten = :left, #version = #version + :one',
      condition: 'attribute_not_exists(unwritten) AND #status = :seen',
      names: { '#version': 'version', '#status': 'status' },
      values: {
        ':left': left.map(({ operation }) => operation.change_id),
        ':one': 1,
        ':seen': status,
      },
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
