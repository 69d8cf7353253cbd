/** What operating a deployment needs: logs that end, alarms that speak, functions as limits say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { limits } from '../../shared/core/limits.ts';
import { variables } from '../../shared/core/env.ts';
import type { ModelErrorKind } from '../../shared/models/model-error.ts';
import { ofType, only, plain, synth, type Resource } from './stack.ts';

const { template } = synth();

const step = [
  'BUCKET_NAME',
  'KEY_ARN',
  'MEMORIES_MAX',
  'MEMORY_VERSION_DAYS',
  'MODEL_PROVIDER',
  'MODEL_SECRET_ARN',
  'SANDBOX_FUNCTION_NAME',
  'STEP_SIZE',
  'TABLE_NAME',
  'TRANSCRIPT_DAYS',
];

const functions: [name: string, timeout_s: number, memory_mib: number, variables: string[]][] = [
  [
    'api',
    limits.api_timeout_s,
    limits.api_memory_mib,
    [
      'ADMIN_KEY_SECRET_ARN',
      'BUCKET_NAME',
      'KEY_ARN',
      'MODEL_PROVIDER',
      'SESSION_MACHINE_ARN',
      'TABLE_NAME',
      'TRANSCRIPT_DAYS',
    ],
  ],
  [
    'memory',
    limits.api_timeout_s,
    limits.memory_memory_mib,
    [
      'ADMIN_KEY_SECRET_ARN',
      'BUCKET_NAME',
      'DREAM_MACHINE_ARN',
      'FIRE_FUNCTION_NAME',
      'MEMORIES_MAX',
      'MEMORY_VERSION_DAYS',
      'MODEL_PROVIDER',
      'TABLE_NAME',
    ],
  ],
  [
    'stream',
    limits.stream_timeout_s,
    limits.stream_memory_mib,
    ['ADMIN_KEY_SECRET_ARN', 'BUCKET_NAME', 'TABLE_NAME'],
  ],
  ['step', limits.step_timeout_s, limits.step_memory_mib, step],
  ['stepLarge', limits.step_timeout_s, limits.large_step_memory_mib, step],
  [
    'grade',
    limits.step_timeout_s,
    limits.grade_memory_mib,
    ['BUCKET_NAME', 'MODEL_PROVIDER', 'MODEL_SECRET_ARN', 'SANDBOX_FUNCTION_NAME', 'TABLE_NAME'],
  ],
  [
    'dream',
    limits.dream_timeout_s,
    limits.dream_memory_mib,
    [
      'BUCKET_NAME',
      'MEMORIES_MAX',
      'MEMORY_VERSION_DAYS',
      'MODEL_PROVIDER',
      'MODEL_SECRET_ARN',
      'TABLE_NAME',
    ],
  ],
  [
    'fire',
    limits.fire_timeout_s,
    limits.fire_memory_mib,
    [
      'BUCKET_NAME',
      'DREAM_MACHINE_ARN',
      'MEMORIES_MAX',
      'MEMORY_VERSION_DAYS',
      'TABLE_NAME',
      'TIMER_GROUP',
      'TIMER_ROLE_ARN',
    ],
  ],
  ['sandbox', limits.sandbox_timeout_s, limits.sandbox_memory_mib, []],
  [
    'reconcile',
    limits.reconcile_timeout_s,
    limits.reconcile_memory_mib,
    ['BUCKET_NAME', 'DREAM_MACHINE_ARN', 'FIRE_FUNCTION_NAME', 'SESSION_MACHINE_ARN', 'TABLE_NAME'],
  ],
];

const rooms = functions.map(([name]) => name);

const functionOf = (name: string) =>
  only(template, 'AWS::Lambda::Function', `${name[0]?.toUpperCase()}${name.slice(1)}Function`)
    .Properties;

test.each(functions)(
  '%s runs for at most %i s in %i MiB and is told what it needs',
  (name, timeout_s, memory_mib, names) => {
    const properties = functionOf(name);
    // In both its sizes the step is one in logs, metrics and traces.
    const room = name === 'stepLarge' ? 'step' : name;
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: timeout_s,
      MemorySize: memory_mib,
      Environment: {
        Variables: {
          POWERTOOLS_SERVICE_NAME: `Reverie-${room}`,
          POWERTOOLS_METRICS_NAMESPACE: 'Reverie',
          POWERTOOLS_LOG_LEVEL: 'INFO',
        },
      },
    });
    const { Variables } = properties['Environment'] as { Variables: Record<string, unknown> };
    const ours = Object.keys(Variables).filter((name) => !name.startsWith('POWERTOOLS_'));
    expect(ours.toSorted()).toEqual(names);
    expect(variables).toEqual(expect.arrayContaining(names));
  },
);

test('the table has every function', () => {
  expect(functions).toHaveLength(ofType(template, 'AWS::Lambda::Function').length);
});

test('each session has a sandbox of its own', () => {
  const isolated = ofType(template, 'AWS::Lambda::Function').filter(
    ({ Properties }) => Properties['TenancyConfig'],
  );
  expect(isolated.map(({ Properties }) => Properties)).toEqual([functionOf('sandbox')]);
  expect(functionOf('sandbox')['TenancyConfig']).toEqual({ TenantIsolationMode: 'PER_TENANT' });
});

test('traces cover the way of a request; reconcile is left out, for it would be most of the idle cost', () => {
  const traced = rooms.filter((room) => functionOf(room)['TracingConfig']);
  expect(traced).toEqual([
    'api',
    'memory',
    'stream',
    'step',
    'stepLarge',
    'grade',
    'dream',
    'fire',
  ]);
});

test('every function but the sandbox logs into a group of its own, unfiltered by Lambda; both sizes of the step into one', () => {
  const groups = rooms
    .filter((room) => room !== 'sandbox' && room !== 'stepLarge')
    .map((room) => functionOf(room)['LoggingConfig'] as { LogFormat: string; LogGroup: unknown });
  expect(new Set(groups.map(({ LogFormat }) => LogFormat))).toEqual(new Set(['Text']));
  expect(new Set(groups.map(({ LogGroup }) => plain(LogGroup))).size).toBe(groups.length);
  expect(functionOf('stepLarge')['LoggingConfig']).toEqual(functionOf('step')['LoggingConfig']);
  expect(functionOf('sandbox')).not.toHaveProperty('LoggingConfig');
});

test('every log group expires and goes with the stack', () => {
  const groups = ofType(template, 'AWS::Logs::LogGroup');
  expect(groups).toHaveLength(12);
  for (const group of groups) {
    expect(group).toMatchObject({ DeletionPolicy: 'Delete', Properties: { RetentionInDays: 30 } });
  }
});

test('what API Gateway writes by itself goes there too: the stage waits for its group', () => {
  const { Properties } = only(template, 'AWS::Logs::LogGroup', 'EndpointExecutionLogs');
  expect(plain(Properties['LogGroupName'])).toBe('API-Gateway-Execution-Logs_<EndpointRest>/prod');
  const stage = only(template, 'AWS::ApiGateway::Stage') as { DependsOn?: string[] } & Resource;
  expect(stage.Properties['StageName']).toBe('prod');
  expect(plain(stage.DependsOn)).toEqual(
    expect.arrayContaining([expect.stringContaining('ExecutionLogs')]),
  );
});

test('reconcile runs once a minute, and what one run misses the next one does', () => {
  expect(plain(only(template, 'AWS::Scheduler::Schedule').Properties)).toMatchObject({
    ScheduleExpression: 'rate(1 minute)',
    Target: {
      Arn: '<ReconcileFunction.Arn>',
      RoleArn: '<ReconcileScheduleRole.Arn>',
      Input: '{"min_age_seconds":60}',
      RetryPolicy: { MaximumRetryAttempts: 0 },
    },
  });
  expect(only(template, 'AWS::Lambda::EventInvokeConfig', 'Reconcile').Properties).toMatchObject({
    MaximumRetryAttempts: 0,
  });
});

const alarms = ofType(template, 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);

test('alarms may publish to the topic that is made for them, whose policy has no default any more', () => {
  const mailed = synth({ alarm_email: 'ops@example.com' }).template;
  const { Statement } = only(mailed, 'AWS::SNS::TopicPolicy').Properties['PolicyDocument'] as {
    Statement: object[];
  };
  expect(plain(Statement)).toContainEqual({
    Sid: 'Alarms',
    Effect: 'Allow',
    Action: 'sns:Publish',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Resource: '<AlarmsTopic>',
    Condition: { StringEquals: { 'aws:SourceAccount': '<AWS::AccountId>' } },
  });
});

test('these are the alarms', () => {
  expect(alarms.map(({ AlarmName }) => String(AlarmName)).toSorted()).toEqual([
    'Reverie-critical-executions-failed',
    'Reverie-critical-model-refused',
    'Reverie-critical-reconcile-down',
    'Reverie-critical-stuck-sessions',
    'Reverie-warning-api-throttles',
    'Reverie-warning-dreams-failed',
    'Reverie-warning-requests-failed',
    'Reverie-warning-sandbox-errors',
    'Reverie-warning-step-errors',
    'Reverie-warning-step-throttles',
  ]);
});

test('they watch ten metrics, as many as are free', () => {
  const metrics = alarms.map(({ Metrics }) =>
    Metrics === undefined
      ? 1
      : (Metrics as { MetricStat?: unknown }[]).filter(({ MetricStat }) => MetricStat).length,
  );
  expect(metrics.reduce((a, b) => a + b)).toBe(10);
});

test('each says what it means and what to do', () => {
  const descriptions = alarms.map(({ AlarmDescription }) => String(AlarmDescription));
  expect(descriptions.filter((text) => !/^[A-Z].{20,}[.;] ?.{20,}\.$/.test(text))).toEqual([]);
  expect(Math.max(...descriptions.map((text) => text.length))).toBeLessThan(1024);
});

test('only reconcile alarms by its silence', () => {
  const silent = alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching');
  expect(silent.map(({ AlarmName }) => AlarmName)).toEqual(['Reverie-critical-reconcile-down']);
});

test('stuck sessions are counted by the metric that reconcile sends', () => {
  const stuck = alarms.find(({ AlarmName }) => AlarmName === 'Reverie-critical-stuck-sessions');
  expect(stuck).toMatchObject({
    Namespace: 'Reverie',
    MetricName: 'StuckSessions',
    Dimensions: [{ Name: 'service', Value: 'Reverie-reconcile' }],
    Threshold: 1,
  });
});

test('a key that is not taken, or not paid for, is counted by the metric that the step sends', () => {
  const refused = alarms.find(({ AlarmName }) => AlarmName === 'Reverie-critical-model-refused');
  expect(refused).toMatchObject({
    Namespace: 'Reverie',
    MetricName: 'ModelRefusals',
    Dimensions: [{ Name: 'service', Value: 'Reverie-step' }],
    Threshold: 1,
  });
});

test('failed dreams are counted by the metric that the dream function sends', () => {
  const failed = alarms.find(({ AlarmName }) => AlarmName === 'Reverie-warning-dreams-failed');
  expect(failed).toMatchObject({
    Namespace: 'Reverie',
    MetricName: 'Dreams',
    Dimensions: [
      { Name: 'service', Value: 'Reverie-dream' },
      { Name: 'status', Value: 'failed' },
    ],
    Threshold: 1,
  });
});

test('the dashboard is of its region: names of dashboards are the whole account’s', () => {
  const { DashboardName } = only(template, 'AWS::CloudWatch::Dashboard').Properties;
  expect(plain(DashboardName)).toBe('Reverie-<AWS::Region>');
});

test('the dashboard shows every function, the machine, the API and the table', () => {
  const body = String(
    plain(only(template, 'AWS::CloudWatch::Dashboard').Properties['DashboardBody']),
  );
  for (const shown of ['Api', 'Memory', 'Stream', 'Step', 'Grade', 'Sandbox', 'Reconcile']) {
    expect(body).toContain(`<${shown}Function>`);
  }
  expect(body).toContain('<SessionMachine>');
  expect(body).toContain('<StorageTable>');
  expect(body).toContain('5XXError');
  for (const name of ['Turns', 'OutputTokens', 'ListCostDollars', 'TimeToFirstDelta']) {
    expect(body).toContain(`"Reverie","${name}","service","Reverie-step"`);
  }
  for (const name of ['Dreams', 'DreamCostDollars']) {
    expect(body).toContain(`"Reverie","${name}","service","Reverie-dream","status","completed"`);
  }
});

test('the dashboard shows no more metrics than are free, also when models fail in every way', () => {
  const { DashboardBody } = only(template, 'AWS::CloudWatch::Dashboard').Properties;
  const { widgets } = JSON.parse(String(plain(DashboardBody))) as {
    widgets: { properties: { metrics?: [string | object, ...unknown[]][] } }[];
  };
  const shown = widgets.flatMap(({ properties }) => properties.metrics ?? []);
  const [named, searches] = [
    shown.filter(([first]) => typeof first === 'string'),
    shown.filter(([first]) => typeof first === 'object'),
  ];
  expect(searches).toEqual([
    [expect.objectContaining({ expression: expect.stringMatching(/^SEARCH.*ModelErrors/) })],
  ]);
  const kinds: Record<ModelErrorKind, true> = {
    overloaded: true,
    rate_limited: true,
    failed: true,
    unauthorized: true,
    billing: true,
    context_too_long: true,
    aborted: true,
  };
  // Source: CloudWatch pricing: three dashboards of up to 50 metrics each.
  expect(named.length + Object.keys(kinds).length).toBeLessThanOrEqual(50);
});

test('the dashboard shows no metric that nobody sends', () => {
  const body = String(
    plain(only(template, 'AWS::CloudWatch::Dashboard').Properties['DashboardBody']),
  );
  const shown = [
    ...body.matchAll(/"Reverie","(\w+)","service"/g),
    ...body.matchAll(/MetricName=\\"(\w+)/g),
  ];
  const senders = ['task/observe.ts', 'dreams/measure.ts'].map((file) =>
    readFileSync(new URL(`../../shared/${file}`, import.meta.url), 'utf8'),
  );
  const sent = new Set(
    [...senders.join('').matchAll(/addMetric\('(\w+)'/g)].map(([, name]) => name),
  );
  expect(shown.length).toBeGreaterThan(6);
  expect(shown.map(([, name]) => name).filter((name) => !sent.has(name))).toEqual([]);
});
