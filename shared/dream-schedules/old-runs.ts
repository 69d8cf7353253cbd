import { encodeTime } from 'ulid';
import { prefixes } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import { runKey, type RunRow } from './run.ts';
import type { ScheduleHead } from './schedule.ts';

const DAY_MS = 86_400_000;

/** The runs of a schedule that are older than so many days, newest first, and the time by which they are. */
export async function oldRuns(
  { table, clock }: Ports,
  { dream_schedule_id }: ScheduleHead,
  { days, limit }: { readonly days: number; readonly limit: number },
): Promise<{ readonly before: string; readonly runs: readonly RunRow[] }> {
  const before_ms = clock.now().getTime() - days * DAY_MS;
  // Ids of runs are in the order of their time.
  const first_later = `${prefixes.dream_schedule_run}_${encodeTime(before_ms)}`;
  const { pk, sk: to } = runKey(dream_schedule_id, first_later);
  const { rows } = await table.query({ pk, from: 'R#', to, reverse: true, limit });
  return { before: new Date(before_ms).toISOString(), runs: rows as RunRow[] };
}
