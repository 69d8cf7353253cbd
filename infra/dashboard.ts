import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  MathExpression,
  PeriodOverride,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { period, type Alarms } from './alarms.ts';
import type { Endpoint } from './endpoint.ts';
import type { Watched } from './watches.ts';

export interface DashboardProps extends Watched {
  readonly alarms: Alarms;
  readonly endpoint: Endpoint;
  readonly table: Table;
}

/** One page: what is wrong, who asks, what runs, what it costs. Free as one of an account's first three. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { settings, alarms } = props;
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: settings.stack_name,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: alarms.all, width: 24, height: 3 })],
        [...requests(props)],
        [...runs(props)],
        [product(props, 'step', 'Turns, tokens, cost'), product(props, 'stream', 'Streams')],
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
    ]),
  ];
}

function runs({ functions, machine, table }: DashboardProps): IWidget[] {
  const each = Object.entries(functions);
  return [
    graph('Runs', [
      machine.metricStarted({ period }),
      machine.metricSucceeded({ period }),
      machine.metricFailed({ period }),
    ]),
    graph(
      'Function errors',
      each.map(([label, fn]) => fn.metricErrors({ period, label })),
    ),
    graph(
      'Function throttles',
      each.map(([label, fn]) => fn.metricThrottles({ period, label })),
    ),
    graph('Table units', [
      table.metricConsumedReadCapacityUnits({ period }),
      table.metricConsumedWriteCapacityUnits({ period }),
    ]),
  ];
}

/** Whatever the function measures: a new metric appears by itself. */
function product({ settings }: DashboardProps, room: string, title: string): IWidget {
  const service = `${settings.stack_name}-${room}`;
  const search = new MathExpression({
    expression: `SEARCH('Namespace="Reverie" service="${service}"', 'Sum', ${period.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period,
  });
  return graph(title, [search]);
}

function graph(title: string, left: IMetric[]): IWidget {
  return new GraphWidget({ title, left, width: 12, height: 6 });
}
