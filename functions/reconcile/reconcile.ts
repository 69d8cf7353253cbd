import type { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { limits } from '#shared/core/limits.ts';
import { executionName } from '#shared/sessions/session.ts';
import {
  reconcileSessions,
  type Found,
  type ReconcilePorts,
  type Reconciled,
} from '#shared/sessions/reconcile.ts';

const Event = z.object({ min_age_seconds: z.number().min(0) });

export interface Wiring {
  readonly ports: ReconcilePorts;
  readonly logger: Logger;
}

/** What the schedule calls once a minute, and the local host once when it starts. */
export function reconcile({
  ports,
  logger,
}: Wiring): (event: unknown, context: Context) => Promise<Reconciled> {
  return async (event, context) => {
    const { min_age_seconds } = Event.parse(event);
    const metrics = new Metrics();
    const reconciled = await reconcileSessions(ports, {
      min_age_ms: min_age_seconds * 1_000,
      is_time_up: () => context.getRemainingTimeInMillis() < limits.reconcile_reserve_ms,
      found: (found) => note(logger, found),
    });
    metrics.addMetric('StuckSessions', MetricUnit.Count, reconciled.stuck);
    metrics.addMetric('RestartedSessions', MetricUnit.Count, reconciled.restarted);
    metrics.publishStoredMetrics();
    logger.info('reconciled', { ...reconciled });
    return reconciled;
  };
}

function note(logger: Logger, { what, session, error }: Found): void {
  const { session_id, run } = session;
  const about = { session_id, run_id: executionName(session_id, run), what };
  if (error === undefined) logger.warn('session', about);
  else logger.error('session', { ...about, error: error as Error });
}
