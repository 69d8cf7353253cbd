import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { period, type Watch } from './alarms.ts';
import { METRICS_NAMESPACE } from './node-function.ts';
import type { Settings } from './settings.ts';

export interface Watched {
  readonly settings: Settings;
  readonly functions: Readonly<
    Record<'api' | 'stream' | 'step' | 'sandbox' | 'reconcile', IFunction>
  >;
  readonly machine: StateMachine;
}

/** What is watched. Ten metrics in all: as many as CloudWatch watches free of charge. */
export function watches({ settings, functions, machine }: Watched): Watch[] {
  const errors = (name: keyof Watched['functions'], meaning: string): Watch => ({
    name: `${name}-errors`,
    severity: 'warning',
    metric: functions[name].metricErrors({ period }),
    threshold: 1,
    meaning,
  });
  const throttles = (name: keyof Watched['functions']): Watch => ({
    name: `${name}-throttles`,
    severity: 'warning',
    metric: functions[name].metricThrottles({ period }),
    threshold: 1,
    // The account's concurrency is one pool: the two busiest functions feel it first.
    meaning: `Lambda had no concurrency left for the ${name} function.`,
  });
  return [
    {
      name: 'executions-failed',
      severity: 'critical',
      metric: new MathExpression({
        expression: 'failed + timedOut',
        label: 'Failed or timed out',
        usingMetrics: {
          failed: machine.metricFailed({ period }),
          timedOut: machine.metricTimedOut({ period }),
        },
        period,
      }),
      threshold: 1,
      meaning: 'A session could not even be given up: its machine failed or ran for a day.',
    },
    {
      name: 'stuck-sessions',
      severity: 'critical',
      metric: stuckSessions(settings),
      threshold: 1,
      periods: 2,
      meaning: 'Sessions are running that reconcile has not been able to bring back.',
    },
    {
      name: 'reconcile-down',
      severity: 'critical',
      // Lambda sends 0 or 1 for each invocation: the average is the share that failed, and no value
      // at all means that nothing invoked it. One metric for both.
      metric: functions.reconcile.metricErrors({ period, statistic: Stats.AVERAGE }),
      threshold: 0.5,
      periods: 3,
      silenceAlarms: true,
      meaning: 'Reconcile fails or is not started: lost executions are not brought back.',
    },
    errors('api', 'A request ended in an error that no rule expected; the caller saw a 5xx.'),
    errors('stream', 'A stream broke; its client reconnects.'),
    errors('step', 'A step failed; the machine repeats it, then gives the turn up.'),
    errors('sandbox', 'A command outgrew its memory or time; the agent was told.'),
    throttles('api'),
    throttles('step'),
  ];
}

/** Sent by reconcile when there are any: an account without stuck sessions pays for no metric. */
function stuckSessions(settings: Settings): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: 'StuckSessions',
    dimensionsMap: { service: `${settings.stack_name}-reconcile` },
    statistic: Stats.MAXIMUM,
    period,
  });
}
