import type { Context } from 'aws-lambda';
import { reconcile } from './reconcile.ts';
import { wiring } from './wiring.ts';

export const handler: (event: unknown, context: Context) => Promise<unknown> = reconcile(wiring);
