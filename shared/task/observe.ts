import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { ModelErrorKind } from '../models/model-error.ts';
import type { Observation } from '../turn/turn-ports.ts';

/** Failures that no repetition mends: a key that is not taken, an account without credit. */
const refusals: ReadonlySet<string> = new Set<ModelErrorKind>(['unauthorized', 'billing']);

const MICROCENTS_PER_DOLLAR = 100_000_000;

/**
 * Metrics of one invocation. An instance each, because the local host lets one worker serve
 * several sessions at once.
 */
export function observer(
  logger: Logger,
  ids: Readonly<Record<string, string>>,
): {
  observe: (observation: Observation) => void;
  publish: () => void;
} {
  const metrics = new Metrics();
  return {
    observe: (observation) => {
      measure(metrics, observation);
      tell(logger, ids, observation);
    },
    publish: () => metrics.publishStoredMetrics(),
  };
}

function measure(metrics: Metrics, observation: Observation): void {
  switch (observation.type) {
    case 'first_delta':
      metrics.addMetric('TimeToFirstDelta', MetricUnit.Milliseconds, observation.latency_ms);
      return;
    case 'model_request': {
      const { usage, cost_microcents } = observation;
      metrics.addMetric('InputTokens', MetricUnit.Count, usage.input_tokens);
      metrics.addMetric('CacheReadTokens', MetricUnit.Count, usage.cache_read_input_tokens);
      metrics.addMetric('OutputTokens', MetricUnit.Count, usage.output_tokens);
      const dollars = (cost_microcents ?? 0) / MICROCENTS_PER_DOLLAR;
      metrics.addMetric('ListCostDollars', MetricUnit.NoUnit, dollars);
      return;
    }
    case 'model_error':
      measureError(metrics, observation.kind);
      return;
    case 'tool':
      metrics.addMetric('ToolCalls', MetricUnit.Count, 1);
      metrics.addMetric('ToolTime', MetricUnit.Milliseconds, observation.ms);
      return;
    case 'settled':
      metrics.addMetric('Turns', MetricUnit.Count, 1);
      return;
    case 'verdict':
      metrics.addMetric('Verdicts', MetricUnit.Count, 1);
      return;
    case 'report':
      metrics.addMetric('Reports', MetricUnit.Count, 1);
      return;
    case 'start_lost':
      return;
    case 'transcript_lost':
      metrics.addMetric('TranscriptsLost', MetricUnit.Count, 1);
      return;
    case 'spans_lost':
      metrics.addMetric('SpansLost', MetricUnit.Count, 1);
      return;
  }
}

function measureError(metrics: Metrics, kind: string): void {
  // One metric a kind: the dashboard tells an overload from a wrong key.
  const single = metrics.singleMetric();
  single.addDimension('kind', kind);
  single.addMetric('ModelErrors', MetricUnit.Count, 1);
  // What stands still until somebody does something, in one metric: an alarm watches it.
  if (refusals.has(kind)) metrics.addMetric('ModelRefusals', MetricUnit.Count, 1);
}

/** A line for what one looks for later; each reply of the model would be too many. */
function tell(
  logger: Logger,
  ids: Readonly<Record<string, string>>,
  observation: Observation,
): void {
  const { type, ...facts } = told(observation);
  if (type === 'model_error') logger.warn('model request failed', { ...ids, ...facts });
  if (type === 'start_lost') logger.warn('start lost', { ...ids, ...facts });
  if (type === 'transcript_lost') logger.error('transcript not written', { ...ids, ...facts });
  if (type === 'spans_lost') logger.warn('spans not sent', { ...ids, ...facts });
  if (type === 'tool' || type === 'settled' || type === 'verdict' || type === 'report') {
    logger.info(type, { ...ids, ...facts });
  }
}

/** The logger drops what would stand in the place of its own `message`: a reason has another name. */
function told(observation: Observation) {
  if (!('message' in observation)) return observation;
  const { message: reason, ...rest } = observation;
  return { ...rest, reason };
}
