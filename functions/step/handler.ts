import type { Context } from 'aws-lambda';
import { task } from '#shared/task/task.ts';
import { step } from './wiring.ts';

/** The states Step and GiveUp of the session machine. */
export const handler: (event: unknown, context: Context) => Promise<unknown> = task(step);
