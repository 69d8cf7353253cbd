import type { Context } from 'aws-lambda';
import { dreamTask } from './dream-task.ts';
import { wiring } from './wiring.ts';

/** Every task of the dream machine. */
export const handler: (event: unknown, context: Context) => Promise<unknown> = dreamTask(wiring);
