import type { ThreadHead } from '../threads/thread.ts';
import type { TurnPorts } from './turn-ports.ts';

/**
 * What comes next needs more memory than the small step has. Nothing of it is begun: the large step goes on,
 * from what is written.
 */
export class StepTooSmall extends Error {
  override readonly name = 'StepTooSmall';
}

/**
 * What once was too much is so again, or has only grown: nothing of it is loaded to see that.
 * @throws StepTooSmall
 */
export function checkSize({ is_large }: Pick<TurnPorts, 'is_large'>, head: ThreadHead): void {
  if (head.is_large === true && !is_large) throw new StepTooSmall();
}
