import type { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { doChores, type ChorePorts, type Done } from '#shared/core/due.ts';
import { limits } from '#shared/core/limits.ts';
import { executionName } from '#shared/sessions/session.ts';
import { reconcileSessions, type Found, type ReconcilePorts } from '#shared/sessions/reconcile.ts';
import { chores } from './chores.ts';

const Event = z.object({ min_age_seconds: z.number().min(0) });

export interface Wiring {
  readonly ports: ReconcilePorts & ChorePorts;
  readonly logger: Logger;
}

export interface Reconciled {
  readonly restarted: number;
  readonly exhausted: number;
  readonly stuck: number;
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
  return async (event, context) => {
    const { min_age_seconds } = Event.parse(event);
    const metrics = new Metrics();
    const options = {
      min_age_ms: min_age_seconds * 1_000,
      is_time_up: () => context.getRemainingTimeInMillis() < limits.reconcile_reserve_ms,
    };
    // Sessions that stand still come first: nobody waits for a sweep.
    const healed = await reconcileSessions(ports, {
      ...options,
      found: (found) => noteSession(logger, found),
    });
    const due = await doChores(ports, chores, {
      ...options,
      done: (done) => noteChore(logger, done),
    });
    const reconciled = { ...healed, ...due, complete: healed.complete && due.complete };
    metrics.addMetric('StuckSessions', MetricUnit.Count, reconciled.stuck);
    metrics.addMetric('RestartedSessions', MetricUnit.Count, reconciled.restarted);
    metrics.publishStoredMetrics();
    logger.info('reconciled', { ...reconciled });
    return reconciled;
  };
}

function noteSession(logger: Logger, { what, session, error }: Found): void {
  const { session_id, run } = session;
  const about = { session_id, run_id: executionName(session_id, run), what };
  if (error === undefined) logger.warn('session', about);
  else logger.error('session', { ...about, error: error as Error });
}

/** Of a row only its keys: what it holds is somebody's. */
function noteChore(logger: Logger, { what, row: { pk, sk }, error }: Done): void {
  if (error === undefined) logger.info('chore', { what, pk, sk });
  else logger.error('chore', { what, pk, sk, error: error as Error });
}
