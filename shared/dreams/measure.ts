import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { StoppedDream } from './stages/end-dream.ts';

const MICROCENTS_PER_DOLLAR = 100_000_000;

/** One metric a status: an alarm can tell those that failed. Only who dreams has them, and pays for them. */
export function measureDream({ status, cost_microcents, recommended }: StoppedDream): void {
  const metrics = new Metrics();
  metrics.addDimension('status', status);
  metrics.addMetric('Dreams', MetricUnit.Count, 1);
  metrics.addMetric('DreamCostDollars', MetricUnit.NoUnit, cost_microcents / MICROCENTS_PER_DOLLAR);
  if (recommended === false) metrics.addMetric('DreamsNotRecommended', MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
}
