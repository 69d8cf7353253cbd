import type { Context } from 'aws-lambda';
import { fireTask } from './fire-task.ts';
import { wiringOf } from './wiring.ts';

/** Called by timers, by the memory function when a schedule has changed, and by reconcile. */
export const handler: (event: unknown, context: Context) => Promise<unknown> = fireTask(wiringOf);
