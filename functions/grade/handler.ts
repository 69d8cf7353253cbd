import type { Context } from 'aws-lambda';
import { task } from '#shared/task/task.ts';
import { grade } from './wiring.ts';

/** The states Grade and Report of the session machine. */
export const handler: (event: unknown, context: Context) => Promise<unknown> = task(grade);
