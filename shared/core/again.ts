import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import { Fault } from './fault.ts';
import { limits } from './limits.ts';
import { ConditionFailed } from './table.ts';

/**
 * Read, decide, write; and again when a condition failed, because then somebody else's write came
 * between. Each round has a winner, so of many racing writers none waits for long.
 *
 * @param name What is written, for the message.
 * @param round Reads anew each time; whatever it throws but ConditionFailed ends this.
 * @throws Fault `busy` after `update_attempts_max` rounds
 */
export async function again<Result>(name: string, round: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; attempt <= limits.update_attempts_max; attempt++) {
    try {
      return await round();
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `${name} is being changed by others. Try again.`);
}
