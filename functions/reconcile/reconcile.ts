import type { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { doChores, type ChorePorts, type Done } from '#shared/core/due.ts';
import { limits } from '#shared/core/limits.ts';
import {
  reconcileSchedules,
  type FoundSchedule,
  type ReconcileSchedulesPorts,
} from '#shared/dream-schedules/reconcile-schedules.ts';
import { dreamExecution } from '#shared/dreams/dream.ts';
import {
  reconcileDreams,
  type FoundDream,
  type ReconcileDreamsPorts,
} from '#shared/dreams/reconcile-dreams.ts';
import { reconcileSessions, type Found, type ReconcilePorts } from '#shared/sessions/reconcile.ts';
import { choresWith } from './chores.ts';

const Event = z.object({ min_age_seconds: z.number().min(0) });

export interface Wiring {
  readonly ports: ReconcilePorts & ReconcileDreamsPorts & ReconcileSchedulesPorts & ChorePorts;
  readonly logger: Logger;
}

export interface Reconciled {
  /** Sessions and dreams. */
  readonly restarted: number;
  readonly exhausted: number;
  /** Sessions, dreams, schedules, and what is deleted or due. */
  readonly stuck: number;
  /** Schedules that the fire function was told of. */
  readonly healed: number;
  readonly swept: number;
  readonly expired: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/** What the schedule calls once a minute, and the local host once when it starts. */
export function reconcile({
  ports,
  logger,
}: Wiring): (event: unknown, context: Context) => Promise<Reconciled> {
  const chores = choresWith(ports.runs);
  return async (event, context) => {
    const { min_age_seconds } = Event.parse(event);
    const options = {
      min_age_ms: min_age_seconds * 1_000,
      is_time_up: () => context.getRemainingTimeInMillis() < limits.reconcile_reserve_ms,
    };
    // Sessions that stand still come first: nobody waits for a sweep.
    const healed = await reconcileSessions(ports, {
      ...options,
      found: (found) => noteSession(logger, found),
    });
    const dreams = await reconcileDreams(ports, {
      ...options,
      found: (found) => noteDream(logger, found),
    });
    const schedules = await reconcileSchedules(ports, {
      ...options,
      found: (found) => noteSchedule(logger, found),
    });
    const due = await doChores(ports, chores, {
      ...options,
      done: (done) => noteChore(logger, done),
    });
    const reconciled = {
      ...due,
      restarted: healed.restarted + dreams.restarted,
      exhausted: healed.exhausted,
      stuck: healed.stuck + dreams.stuck + schedules.stuck + due.stuck,
      healed: schedules.healed,
      complete: healed.complete && dreams.complete && schedules.complete && due.complete,
    };
    publish({ StuckSessions: reconciled.stuck, RestartedSessions: healed.restarted });
    logger.info('reconciled', { ...reconciled });
    return reconciled;
  };
}

/** Only what there is: a metric that is sent every minute is billed all month, also for noughts. */
function publish(counts: Readonly<Record<string, number>>): void {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (some.length === 0) return;
  const metrics = new Metrics();
  for (const [name, count] of some) metrics.addMetric(name, MetricUnit.Count, count);
  metrics.publishStoredMetrics();
}

function noteSession(logger: Logger, { what, session, run_id, error }: Found): void {
  const about = { session_id: session.session_id, run_id, what };
  if (error === undefined) logger.warn('session', about);
  else logger.error('session', { ...about, error: error as Error });
}

function noteDream(logger: Logger, { what, dream, error }: FoundDream): void {
  const { dream_id, run } = dream;
  const about = { dream_id, run_id: dreamExecution(dream_id, run), what };
  if (error === undefined) logger.warn('dream', about);
  else logger.error('dream', { ...about, error: error as Error });
}

function noteSchedule(logger: Logger, { schedule, error }: FoundSchedule): void {
  const { dream_schedule_id } = schedule;
  if (error === undefined) logger.warn('schedule', { dream_schedule_id });
  else logger.error('schedule', { dream_schedule_id, error: error as Error });
}

/** Of a row only its keys: what it holds is somebody's. */
function noteChore(logger: Logger, { what, row: { pk, sk }, error }: Done): void {
  if (error === undefined) logger.info('chore', { what, pk, sk });
  else logger.error('chore', { what, pk, sk, error: error as Error });
}
