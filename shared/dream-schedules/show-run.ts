import type { Processing } from '../dreams/dream.ts';
import type { Federated, Retained, RunReason, RunRow, RunState, RunTrigger } from './run.ts';

/** A run as it is shown: what happened, and why. */
export interface DreamScheduleRun {
  readonly type: 'dream_schedule_run';
  readonly id: string;
  readonly dream_schedule_id: string;
  readonly trigger: RunTrigger;
  /** The time that was due; null of a manual run. */
  readonly scheduled_at: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** Null where none was started. */
  readonly dream_id: string | null;
  /** How its dream asks the model; null where none was started, and of runs from before it was told. */
  readonly processing: Processing | null;
  readonly sessions_count: number;
  /** Sessions that are left for the next time: at least so many. */
  readonly sessions_left_count: number;
  /** Fires that did not come and that this run makes good. */
  readonly missed_count: number;
  readonly missed_since: string | null;
  readonly apply_id: string | null;
  readonly applied_count: number;
  readonly conflict_count: number;
  readonly retention: Retained | null;
  readonly federation: Federated | null;
}

export function showRun(row: RunRow): DreamScheduleRun {
  return {
    type: 'dream_schedule_run',
    id: row.run_id,
    dream_schedule_id: row.dream_schedule_id,
    trigger: row.trigger,
    scheduled_at: row.scheduled_at,
    started_at: row.started_at,
    ended_at: row.ended_at,
    state: row.state,
    reason: row.reason,
    dream_id: row.dream_started ? row.dream_id : null,
    processing: row.processing ?? null,
    sessions_count: row.sessions_count,
    sessions_left_count: row.sessions_left_count,
    missed_count: row.missed_count,
    missed_since: row.missed_since,
    apply_id: row.apply_id,
    applied_count: row.applied_count,
    conflict_count: row.conflict_count,
    retention: row.retention && { copies_archived_count: 0, ...row.retention },
    federation: row.federation,
  };
}
