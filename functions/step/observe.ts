import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Observation } from '#shared/turn/turn-ports.ts';

const MICROCENTS_PER_DOLLAR = 100_000_000;

/**
 * Metrics of one invocation. An instance each, because the local host lets one worker serve
 * several sessions at once.
 */
export function observer(log: Logger): {
  observe: (observation: Observation) => void;
  publish: () => void;
} {
  const metrics = new Metrics();
  return {
    observe: (observation) => note(metrics, log, observation),
    publish: () => metrics.publishStoredMetrics(),
  };
}

function note(metrics: Metrics, log: Logger, observation: Observation): void {
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
    case 'model_error': {
      const { kind, message } = observation;
      // One metric a kind: an alarm can tell an overload from a wrong key.
      const single = metrics.singleMetric();
      single.addDimension('kind', kind);
      single.addMetric('ModelErrors', MetricUnit.Count, 1);
      log.warn('model request failed', { kind, message });
      return;
    }
    case 'tool':
      metrics.addMetric('ToolCalls', MetricUnit.Count, 1);
      metrics.addMetric('ToolTime', MetricUnit.Milliseconds, observation.ms);
      log.info('tool', { name: observation.name, is_error: observation.is_error });
      return;
    case 'settled':
      metrics.addMetric('Turns', MetricUnit.Count, 1);
      log.info('settled', { reason: observation.reason });
      return;
  }
}
