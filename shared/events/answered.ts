import type { Write } from '../core/table.ts';
import { callKey } from '../sessions/session.ts';
import type { OpenCall } from '../threads/thread.ts';

/** Whether a call waits for its client. */
export function isWaiting({ state }: OpenCall): boolean {
  return state === 'ask' || state === 'custom';
}

/** The head's version already guards this: the row only remembers it for late answers. */
export function answeredWrite(session_id: string, event_id: string): Write {
  return {
    update: callKey(session_id, event_id),
    expression: 'SET answered = :true',
    condition: 'attribute_exists(pk)',
    values: { ':true': true },
  };
}
