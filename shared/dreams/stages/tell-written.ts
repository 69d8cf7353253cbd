import { changesOf } from '../../reviews/change.ts';
import { ConditionFailed } from '../../core/table.ts';
import { dreamKey, dreamObject, type DreamHead } from '../dream.ts';
import type { Snapshot } from '../snapshot.ts';
import { OwnWrites } from './own-writes.ts';
import type { Verified } from './think.ts';
import type { StagePorts } from './work.ts';

/**
 * A dream that was canceled, or has failed, amid its writes into its own store has no report. What it had
 * written by then is told by its head, and so is one of its applies, which can be taken back. Runs twice: says
 * the same.
 */
export async function tellWritten(ports: StagePorts, head: DreamHead): Promise<void> {
  const { status, output_behavior, unwritten, memory_store_id } = head;
  if (output_behavior.type === 'create_new' || status === 'completed') return;
  if (unwritten !== undefined) return;
  const verified = await readKept<Verified>(ports, head, 'verified.json');
  const snapshot = await readKept<Snapshot>(ports, head, 'snapshot.json');
  if (verified === undefined || snapshot === undefined) return;
  const own = await OwnWrites.read(ports, head, memory_store_id);
  if (own.isEmpty) return;
  const left = changesOf(verified.operations, snapshot).filter(
    ({ edits }) => !edits.some((edit) => own.has(edit)),
  );
  try {
    await ports.table.update({
      update: dreamKey(head.dream_id),
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

async function readKept<Value>(
  { blobs }: StagePorts,
  { dream_id }: DreamHead,
  name: string,
): Promise<Value | undefined> {
  const kept = await blobs.getTagged(dreamObject(dream_id, name));
  if (kept === undefined) return undefined;
  return JSON.parse(Buffer.from(kept.body).toString('utf8')) as Value;
}
