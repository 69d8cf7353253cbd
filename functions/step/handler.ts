import type { Context } from 'aws-lambda';
import { step } from './step.ts';
import { wiring } from './wiring.ts';

export const handler: (event: unknown, context: Context) => Promise<unknown> = step(wiring);
