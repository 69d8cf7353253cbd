import { limits } from '../core/limits.ts';
import type { Processing } from '../dreams/dream.ts';
import { nextDue } from '../schedules/cron.ts';
import type {
  Federation,
  PausedReason,
  Retention,
  ScheduleHead,
  SessionChoice,
} from './schedule.ts';

/** A schedule as it is shown. */
export interface DreamSchedule {
  readonly type: 'dream_schedule';
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'paused';
  readonly paused_reason: PausedReason | null;
  readonly schedule: {
    readonly type: 'cron';
    readonly expression: string;
    readonly timezone: string;
    /** When a run last began by the schedule and not by hand. */
    readonly last_run_at: string | null;
    /** The next five, also while it is paused; none once archived. */
    readonly upcoming_runs_at: readonly string[];
  };
  readonly memory_store_id: string;
  readonly sessions: SessionChoice;
  readonly model: ScheduleHead['model'];
  readonly instructions: string | null;
  readonly mode: ScheduleHead['mode'];
  /** How its dreams ask the model: at once, or by Message Batches, at half the price and within a day. */
  readonly processing: Processing;
  readonly retention: Retention;
  readonly federation: Federation | null;
  /** Whether EventBridge Scheduler knows of the newest version, and what it said if not. */
  readonly timer: { readonly state: 'ready' | 'pending'; readonly error: string | null };
  /** The dream that runs now. */
  readonly dream_id: string | null;
  readonly created_at: string;
  /** Id of an API key. */
  readonly created_by: string;
  readonly updated_at: string;
  readonly archived_at: string | null;
}

export function showSchedule(head: ScheduleHead, now: Date): DreamSchedule {
  const { cron, paused_reason, archived_at, active } = head;
  const upcoming =
    archived_at === null ? nextDue(cron, now.getTime() + 1, limits.upcoming_runs_max) : [];
  return {
    type: 'dream_schedule',
    id: head.dream_schedule_id,
    name: head.name,
    status: paused_reason === null ? 'active' : 'paused',
    paused_reason,
    schedule: {
      type: 'cron',
      expression: cron.expression,
      timezone: cron.timezone,
      last_run_at: head.last_run_at,
      upcoming_runs_at: upcoming.map((at) => at.toISOString()),
    },
    memory_store_id: head.memory_store_id,
    sessions: head.sessions,
    model: head.model,
    instructions: head.instructions,
    mode: head.mode,
    processing: head.processing ?? 'standard',
    retention: { copies_days: null, ...head.retention },
    federation: head.federation,
    timer: {
      state: head.synced_version < head.config_version ? 'pending' : 'ready',
      error: head.timer_error,
    },
    dream_id: active?.phase === 'dreaming' ? active.dream_id : null,
    created_at: head.created_at,
    created_by: head.created_by,
    updated_at: head.updated_at,
    archived_at,
  };
}
