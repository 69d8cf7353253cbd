import type { Call } from '../core/call.ts';
import { limits } from '../core/limits.ts';
import type { Key, Row, Write } from '../core/table.ts';
import type { DreamHead, Processing } from '../dreams/dream.ts';
import type { OutcomeResult } from '../outcomes/outcome.ts';
import type { CronSchedule } from '../schedules/cron.ts';
import type { ThreadStatus } from '../threads/thread.ts';

/** Which sessions a run takes: the newest, as many as a dream can read; the rest the next time. */
export interface SessionChoice {
  /** Null for every agent's. */
  readonly agent_id: string | null;
  readonly statuses: readonly ThreadStatus[];
  /** Of the session's last outcome; null for all sessions, also those without one. */
  readonly outcome_results: readonly OutcomeResult[] | null;
  /** By when the session was created. */
  readonly max_age_days: number;
  /** Only what no schedule has dreamt into this store since it last worked. */
  readonly only_new: boolean;
}

/** After how many days without being confirmed or changed what was learned ends; null for never. */
export interface Retention {
  readonly notes_days: number | null;
  readonly playbooks_days: number | null;
  /** Changes on which nobody has decided are rejected after so many days. */
  readonly reviews_days: number | null;
  /**
   * The stores that dreams have made are archived after so many days, once nothing is left to decide.
   * @default - never, as in rows from before it could be asked for
   */
  readonly copies_days?: number | null;
}

/** Playbooks whose scope is `shared` are copied into these stores. */
export interface Federation {
  readonly memory_store_ids: readonly string[];
}

export type PauseType = 'manual' | 'memory_store_unavailable' | 'dreams_failing';

export interface PausedReason {
  readonly type: PauseType;
  readonly message: string;
}

export interface ActiveRun {
  readonly run_id: string;
  readonly dream_id: string;
  readonly since: string;
  /** `starting` ends with the transaction that begins the dream. */
  readonly phase: 'starting' | 'dreaming';
}

/** `DSCHED#<id>` / `HEAD`: what is wanted, and where it stands. */
export interface ScheduleHead extends Row {
  readonly schema: 1;
  /** Rises with every write. */
  readonly version: number;
  readonly dream_schedule_id: string;
  readonly workspace_id: string;
  readonly name: string;
  readonly cron: CronSchedule;
  readonly memory_store_id: string;
  readonly sessions: SessionChoice;
  readonly model: DreamHead['model'];
  readonly instructions: string | null;
  readonly mode: 'review' | 'auto';
  /** @default - standard, as in rows from before it could be asked for */
  readonly processing?: Processing;
  readonly retention: Retention;
  readonly federation: Federation | null;
  readonly paused_reason: PausedReason | null;
  /** Rises with what its timers must know. */
  readonly config_version: number;
  /** What its timers were told last. */
  readonly synced_version: number;
  /** When it is due next; null while it is paused, and once archived. */
  readonly due_at: string | null;
  /** When a run last began by its timer. */
  readonly last_run_at: string | null;
  /** The run that has not ended: the next one leaves it alone. */
  readonly active: ActiveRun | null;
  /** What EventBridge Scheduler said when it was told last; null when it took it. */
  readonly timer_error: string | null;
  /** Dreams that have failed one after the other. */
  readonly failures_count: number;
  readonly created_at: string;
  readonly created_by: string;
  readonly updated_at: string;
  readonly archived_at: string | null;
  readonly gsi1pk: string;
  readonly gsi1sk: string;
  /** Present while something is due of it: see {@link placeOf}. */
  readonly gsi2pk?: 'SCHEDULED';
  readonly gsi2sk?: string;
}

export function scheduleKey(schedule_id: string): Key {
  return { pk: `DSCHED#${schedule_id}`, sk: 'HEAD' };
}

type Placed = Pick<
  ScheduleHead,
  'dream_schedule_id' | 'config_version' | 'synced_version' | 'updated_at' | 'due_at' | 'active'
>;

/**
 * Where reconcile finds a schedule: at once while its timers do not know of its newest version, or
 * while a run has not come to its dream, and else when a fire has not come. One place says all of
 * them, so nothing is asked every minute.
 *
 * @returns undefined where nothing can be due
 */
export function placeOf(head: Placed): { gsi2pk: 'SCHEDULED'; gsi2sk: string } | undefined {
  const { dream_schedule_id, config_version, synced_version, due_at, active } = head;
  const [first] = [
    ...(synced_version < config_version ? [head.updated_at] : []),
    ...(active?.phase === 'starting' ? [active.since] : []),
    ...(due_at === null
      ? []
      : [new Date(Date.parse(due_at) + limits.timer_grace_ms).toISOString()]),
  ].toSorted();
  if (first === undefined) return undefined;
  return { gsi2pk: 'SCHEDULED', gsi2sk: `${first}#${dream_schedule_id}` };
}

/** A changed schedule, written while it still is what was read. */
export function headWrite(next: ScheduleHead, seen: ScheduleHead): Write {
  const { gsi2pk: _pk, gsi2sk: _sk, ...rest } = next;
  const version = seen.version + 1;
  return {
    put: { ...rest, version, ...placeOf(next) },
    condition: 'version = :seen',
    values: { ':seen': seen.version },
  };
}

/** Who does what a schedule does by itself. */
export function callOf(head: Pick<ScheduleHead, 'dream_schedule_id' | 'workspace_id'>): Call {
  return {
    request_id: head.dream_schedule_id,
    workspace_id: head.workspace_id,
    api_key_id: head.dream_schedule_id,
    scopes: ['read', 'write'],
  };
}
