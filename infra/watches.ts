import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { period, type Watch } from './alarms.ts';
import { METRICS_NAMESPACE } from './node-function.ts';
import type { Settings } from './settings.ts';

export interface Watched {
  readonly settings: Settings;
  readonly functions: Readonly<
    Record<
      | 'api'
      | 'memory'
      | 'stream'
      | 'step'
      | 'large step'
      | 'grade'
      | 'dream'
      | 'fire'
      | 'sandbox'
      | 'reconcile',
      IFunction
    >
  >;
  readonly machine: StateMachine;
  readonly rest: RestApi;
}

/** What is watched. Ten metrics in all: as many as CloudWatch watches free of charge. */
export function watches({ settings, functions, machine, rest }: Watched): Watch[] {
  return [
    {
      name: 'executions-failed',
      severity: 'critical',
      // One that ran for a day is not among them: reconcile goes on with its session.
      metric: machine.metricFailed({ period }),
      threshold: 1,
      meaning: 'A session could not even be given up: its machine failed.',
      remedy:
        'Open the execution in Step Functions: its name is session and run, and its error is the last one of the step. Reconcile starts the session again.',
    },
    {
      name: 'stuck-sessions',
      severity: 'critical',
      metric: sentBy(settings, 'reconcile', 'StuckSessions'),
      threshold: 1,
      periods: 2,
      meaning:
        'Sessions, dreams, schedules of dreams or deletions stand still, and reconcile has not been able to help.',
      remedy:
        'The log of the reconcile function names them and why (of schedules, that of the fire function). An interrupt ends the turn of a session, a cancel a dream.',
    },
    {
      name: 'model-refused',
      severity: 'critical',
      // When a request is refused for its key or for want of credit: see shared/task/observe.ts.
      metric: sentBy(settings, 'step', 'ModelRefusals'),
      threshold: 1,
      meaning:
        'The model provider takes our key no longer, or the account has no credit left: turns end with an error.',
      remedy:
        'Put a good key into the model secret (its ARN is an output of the stack), or pay. Sessions go on with their next message; the log of the step function has what was answered.',
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
      remedy:
        'See the log of the function, and in EventBridge Scheduler whether the schedule is enabled. After the first deploy this clears by itself.',
    },
    {
      name: 'requests-failed',
      severity: 'warning',
      // Of the door, not of its functions: one metric for all of them, and for having none free.
      metric: rest.deploymentStage.metricServerError({ period, statistic: Stats.SUM }),
      threshold: 1,
      meaning: 'A request was answered with a 5xx: a bug, a crash, or 29 s were over.',
      remedy:
        'Look for the time in the logs of the api and the memory function; the failed line has the request id that the caller saw.',
    },
    {
      name: 'dreams-failed',
      severity: 'warning',
      metric: dreamsOf(settings, 'failed'),
      threshold: 1,
      meaning: 'A dream has failed; its input is as it was, and its schedule goes on.',
      remedy:
        'The dream says why in `error`; the log of the dream function has the rest under its id. Start it again.',
    },
    ...warnings(functions),
  ];
}

/** Dreams that have stopped with a status, as the dream function counts them: see shared/dreams/measure.ts. */
export function dreamsOf(
  settings: Settings,
  status: string,
  metricName: 'Dreams' | 'DreamCostDollars' = 'Dreams',
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service: `${settings.stack_name}-dream`, status },
    statistic: Stats.SUM,
    period,
  });
}

/** What fails and is repeated by itself: worth a look, not a night's sleep. */
function warnings(functions: Watched['functions']): Watch[] {
  const errors = (name: keyof Watched['functions'], meaning: string, remedy: string): Watch => ({
    name: `${name}-errors`,
    severity: 'warning',
    metric: functions[name].metricErrors({ period }),
    threshold: 1,
    meaning,
    remedy,
  });
  const throttles = (name: keyof Watched['functions']): Watch => ({
    name: `${name}-throttles`,
    severity: 'warning',
    metric: functions[name].metricThrottles({ period }),
    threshold: 1,
    // The account's concurrency is one pool: the two busiest functions feel it first.
    meaning: `Lambda had no concurrency left for the ${name} function.`,
    remedy:
      'Work waits and is repeated. Ask AWS for more concurrent executions, or lower the load.',
  });
  return [
    errors(
      'step',
      'A step failed, and the machine repeats it; or it died, and the large one goes on. What fails there too is given up.',
      'The log of the function names session, thread and run.',
    ),
    errors(
      'sandbox',
      'A command outgrew the memory or the time of its sandbox; the agent was told.',
      'Nothing to do for one. If all fail, see the log of the step: the sandbox has none.',
    ),
    throttles('api'),
    throttles('step'),
  ];
}

/** What a function of ours sends, which is nothing where nothing has happened: no metric is paid for then. */
function sentBy(settings: Settings, sender: 'step' | 'reconcile', metricName: string): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service: `${settings.stack_name}-${sender}` },
    statistic: Stats.MAXIMUM,
    period,
  });
}
