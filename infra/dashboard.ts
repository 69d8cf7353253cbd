import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  MathExpression,
  Metric,
  PeriodOverride,
  Stats,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { period, type Alarms } from './alarms.ts';
import { METRICS_NAMESPACE } from './node-function.ts';
import type { Settings } from './settings.ts';
import type { Endpoint } from './endpoint.ts';
import { dreamsOf, type Watched } from './watches.ts';

export interface DashboardProps extends Watched {
  readonly alarms: Alarms;
  readonly endpoint: Endpoint;
  readonly table: ITable;
}

/**
 * One page: what is wrong, who asks, what runs, what it costs. Free as one of an account's first three, of
 * which each shows at most 50 metrics: those that a search finds count too.
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { settings, alarms } = props;
    new CloudWatchDashboard(this, 'Dashboard', {
      // Dashboards belong to an account and not to a region: another region's stack would write over it.
      dashboardName: `${settings.stack_name}-${Stack.of(this).region}`,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: alarms.all, width: 24, height: 3 })],
        [...requests(props)],
        [...runs(props)],
        [...product(settings)],
        [...dreams(settings)],
      ],
    });
  }
}

function requests({ endpoint, functions }: DashboardProps): IWidget[] {
  const stage = endpoint.rest.deploymentStage;
  return [
    graph('Requests', [
      stage.metricCount({ period }),
      stage.metricClientError({ period }),
      stage.metricServerError({ period }),
    ]),
    graph('Latency, ms', [
      functions.api.metricDuration({ period, statistic: 'p50', label: 'api p50' }),
      functions.api.metricDuration({ period, statistic: 'p95', label: 'api p95' }),
      functions.memory.metricDuration({ period, statistic: 'p95', label: 'memory p95' }),
    ]),
  ];
}

function runs({ functions, machine, table }: DashboardProps): IWidget[] {
  const each = Object.entries(functions);
  // All functions draw on one pool: those that people and sessions wait for tell.
  const { api, memory, stream, step, sandbox } = functions;
  const awaited = Object.entries({ api, memory, stream, step, sandbox });
  return [
    graph('Runs', [
      machine.metricStarted({ period }),
      machine.metricSucceeded({ period }),
      machine.metricFailed({ period }),
      machine.metricTimedOut({ period }),
    ]),
    graph(
      'Function errors',
      each.map(([label, fn]) => fn.metricErrors({ period, label })),
    ),
    graph(
      'Function throttles',
      awaited.map(([label, fn]) => fn.metricThrottles({ period, label })),
    ),
    graph('Table units', [
      table.metricConsumedReadCapacityUnits({ period }),
      table.metricConsumedWriteCapacityUnits({ period }),
    ]),
  ];
}

/** What the step measures: see shared/task/observe.ts. */
function product(settings: Settings): IWidget[] {
  const service = `${settings.stack_name}-step`;
  const metric = (metricName: string, statistic: string = Stats.SUM): Metric =>
    new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { service },
      statistic,
      period,
    });
  const errors = new MathExpression({
    expression: `SEARCH('{${METRICS_NAMESPACE},kind,service} MetricName="ModelErrors" service="${service}"', 'Sum', ${period.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period,
  });
  return [
    graph('Turns and tools', [metric('Turns'), metric('ToolCalls')]),
    graph('Tokens', [metric('InputTokens'), metric('CacheReadTokens'), metric('OutputTokens')]),
    graph('List cost, $', [metric('ListCostDollars')]),
    graph('First delta, ms', [
      metric('TimeToFirstDelta', Stats.p(50)),
      metric('TimeToFirstDelta', Stats.p(95)),
    ]),
    graph('Model errors by kind', [errors]),
  ];
}

function dreams(settings: Settings): IWidget[] {
  const statuses = ['completed', 'failed', 'canceled'];
  return [
    graph(
      'Dreams',
      statuses.map((label) => dreamsOf(settings, label).with({ label })),
    ),
    graph(
      'List cost of dreams, $',
      statuses.map((label) => dreamsOf(settings, label, 'DreamCostDollars').with({ label })),
    ),
  ];
}

function graph(title: string, left: IMetric[]): IWidget {
  return new GraphWidget({ title, left, width: 12, height: 6 });
}
