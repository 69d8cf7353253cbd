import { indexed } from '../core/indexed.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Firing } from './firing.ts';
import type { ScheduleHead } from './schedule.ts';

export interface ReconcileSchedulesPorts extends Pick<Ports, 'table' | 'clock'> {
  readonly firing: Firing;
}

/** A schedule that stands still, for the log; with an error, what was tried. */
export interface FoundSchedule {
  readonly schedule: ScheduleHead;
  readonly error?: unknown;
}

export interface ReconcileSchedulesOptions {
  /** What has changed more recently is left alone: who changed it is at work. */
  readonly min_age_ms: number;
  readonly is_time_up: () => boolean;
  readonly found: (found: FoundSchedule) => void;
}

export interface ReconciledSchedules {
  readonly healed: number;
  /** Those that have stood still for long, however often they were told. */
  readonly stuck: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/**
 * Schedules whose timers are behind, whose run has not come to its dream, or whose fire has not come:
 * the fire function is told of each. Told twice, it finds nothing left to do.
 */
export async function reconcileSchedules(
  { table, clock, firing }: ReconcileSchedulesPorts,
  { min_age_ms, is_time_up, found }: ReconcileSchedulesOptions,
): Promise<ReconciledSchedules> {
  let healed = 0;
  let stuck = 0;
  const stuck_before = new Date(clock.now().getTime() - limits.stuck_ms).toISOString();
  for await (const rows of indexed(table, 'SCHEDULED', clock.now().getTime() - min_age_ms)) {
    if (is_time_up()) return { healed, stuck, complete: false };
    for (const schedule of rows as ScheduleHead[]) {
      // Told every minute, and nothing came of it: how it failed stands in the fire function's log.
      if (String(schedule.gsi2sk) < stuck_before) stuck += 1;
      try {
        await firing.heal(schedule.dream_schedule_id);
        healed += 1;
        found({ schedule });
      } catch (error) {
        found({ schedule, error });
      }
    }
  }
  return { healed, stuck, complete: true };
}
