interface Idle {
  /** How many the price is for: the template must have as many. */
  readonly count: number;
  readonly billed: string;
  /** US dollars a month for all of them, us-east-1, with AWS's standing free allowances. */
  readonly usd: number;
  /** The same in an account that has used its allowances up elsewhere. */
  readonly usd_beyond: number;
}

/** Reconcile runs once a minute, 43,200 times in 30 days: the only thing that moves when nobody works. */
const RUNS = 43_200;

/**
 * What each type of resource costs when nobody works. Source: the price lists of 2026-11, us-east-1.
 * Standing allowances, not those of the first year: 10 alarm metrics, 3 dashboards and 5 GB of logs of CloudWatch,
 * 14 million invocations of EventBridge Scheduler, 1 million requests and 400,000 GB-s of Lambda,
 * 20,000 requests of KMS.
 */
export const idleCosts: Readonly<Record<string, Idle>> = {
  'AWS::KMS::Key': {
    count: 1,
    billed: '$1.00 a key; 8,640 requests for the key of the table, $0.03 per 10,000',
    usd: 1,
    usd_beyond: 1 + (8_640 / 10_000) * 0.03,
  },
  'AWS::SecretsManager::Secret': {
    count: 2,
    billed: '$0.40 a secret',
    usd: 0.8,
    usd_beyond: 0.8,
  },
  'AWS::DynamoDB::Table': {
    count: 1,
    billed: 'five queries of an empty index a minute: 108,000 read units, $0.125 per million',
    usd: ((RUNS / 2) * 5 * 0.125) / 1_000_000,
    usd_beyond: ((RUNS / 2) * 5 * 0.125) / 1_000_000,
  },
  'AWS::Scheduler::Schedule': {
    count: 1,
    billed: '43,200 invocations, $1.00 per million',
    usd: 0,
    usd_beyond: RUNS / 1_000_000,
  },
  'AWS::Lambda::Function': {
    count: 10,
    billed:
      'reconcile alone: 43,200 requests, $0.20 per million, of 0.1 s × 512 MiB, $0.0000133334 a GB-s',
    usd: 0,
    usd_beyond: (RUNS * 0.2) / 1_000_000 + RUNS * 0.1 * 0.5 * 0.000_013_333_4,
  },
  'AWS::Logs::LogGroup': {
    count: 12,
    billed: 'what Lambda writes of each run of reconcile: 0.4 kB, $0.50 a GB',
    usd: 0,
    usd_beyond: ((RUNS * 400) / 1_000_000_000) * 0.5,
  },
  'AWS::CloudWatch::Alarm': {
    count: 10,
    billed: '$0.10 a metric; each watches one',
    usd: 0,
    usd_beyond: 1,
  },
  'AWS::CloudWatch::Dashboard': {
    count: 1,
    billed: '$3.00; none with `reverie:dashboard=false`',
    usd: 0,
    usd_beyond: 3,
  },
};

/** What costs only when it is used. */
export const free: readonly string[] = [
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::StepFunctions::StateMachine',
];

const sum = (field: 'usd' | 'usd_beyond'): number =>
  Object.values(idleCosts).reduce((total, each) => total + each[field], 0);

export const idleTotal = { usd: sum('usd'), usd_beyond: sum('usd_beyond') };

/** The README's table, between its marks `idle-cost`. */
export function idleCostTable(): string {
  const line = (...cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const usd = (amount: number): string => `$${amount.toFixed(2)}`;
  const rows = Object.entries(idleCosts).map(([type, each]) =>
    line(`\`${type}\``, each.count, each.billed, usd(each.usd), usd(each.usd_beyond)),
  );
  const names = free.map((type) => `\`${type.replace('AWS::', '')}\``).join(', ');
  return [
    line('resource', 'count', 'billed when nobody works', 'a month', 'allowances used up'),
    '|---|---|---|---|---|',
    ...rows,
    line(names, '', 'only when used', usd(0), usd(0)),
    line('**total**', '', '', `**${usd(idleTotal.usd)}**`, `**${usd(idleTotal.usd_beyond)}**`),
  ].join('\n');
}
