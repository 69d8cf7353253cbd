/**
 * What each role may do, whole: an action or a resource more or less fails here.
 * Method: the policies of the template, with intrinsics as text, against one table per role.
 */
import { expect, test } from 'vitest';
import { ofType, plain, synth } from './stack.ts';

const { template } = synth();

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** `action @ resource ? condition`, sorted: statements may be cut differently and mean the same. */
function permissions(role: string, from = template): string[] {
  return ofType(from, 'AWS::IAM::Policy')
    .map(
      ({ Properties }) =>
        plain(Properties) as { Roles: string[]; PolicyDocument: { Statement: Statement[] } },
    )
    .filter(({ Roles }) => Roles.includes(`<${role}>`))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource, Condition }) =>
      list(Action).flatMap((action) =>
        list(Resource).map((resource) => {
          const condition = Condition === undefined ? '' : ` ? ${JSON.stringify(Condition)}`;
          return `${action} @ ${resource}${condition}`;
        }),
      ),
    )
    .toSorted();
}

const on = (resource: string, ...actions: string[]) =>
  actions.map((action) => `${action} @ ${resource}`);
const when = (condition: unknown, lines: string[]) =>
  lines.map((line) => `${line} ? ${JSON.stringify(condition)}`);

const rowReads = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const rowWrites = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'];
const checks = 'dynamodb:ConditionCheckItem';
const sweeps = 'dynamodb:BatchWriteItem';
const viaServices = {
  StringEquals: {
    'kms:ViaService': ['dynamodb', 's3', 'secretsmanager'].map(
      (name) => `${name}.<AWS::Region>.amazonaws.com`,
    ),
  },
};
const table = '<StorageTable.Arn>';
const bucket = '<StorageContent.Arn>';
const key = when(
  viaServices,
  on(
    '<StorageKey.Arn>',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:Encrypt',
    'kms:GenerateDataKey',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
  ),
);
const sealed = (action: string) =>
  when(
    { StringLike: { 'kms:EncryptionContext:session_id': 'sesn_*' } },
    on('<StorageKey.Arn>', action),
  );
const traces = on('*', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords');
const logs = (room: string) => on(`<${room}Logs.Arn>`, 'logs:CreateLogStream', 'logs:PutLogEvents');
const below = (action: string, prefixes: string[]) =>
  when(
    { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}/*`) } },
    on(bucket, action),
  );
const names = (...prefixes: string[]) => below('s3:ListBucket', prefixes);
const versions = (...prefixes: string[]) => below('s3:ListBucketVersions', prefixes);
const under = (prefix: string, ...actions: string[]) => on(`${bucket}/${prefix}/*`, ...actions);
const getsAndPuts = ['s3:GetObject', 's3:PutObject'];
const deletes = ['s3:DeleteObject', 's3:DeleteObjectVersion'];
const dreams = on('<DreamsMachine>', 'states:StartExecution');
const dreamRuns = [
  ...dreams,
  ...on(
    'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<DreamsMachine.Name>:*',
    'states:DescribeExecution',
  ),
];
const fires = on('<FireFunction.Arn>', 'lambda:InvokeFunction');
const runs = [
  ...on('<SessionMachine>', 'states:StartExecution'),
  ...on(
    'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<SessionMachine.Name>:*',
    'states:DescribeExecution',
  ),
];

/** What Step Functions documents for logs and traces of a machine. */
const machine = [
  ...on('*', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'),
  ...traces,
  ...on(
    '*',
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
  ),
];

const expected: Readonly<Record<string, string[]>> = {
  StepRole: [
    ...on(table, ...rowReads, ...rowWrites),
    ...under('sessions', ...getsAndPuts),
    ...under('parts', ...getsAndPuts),
    ...under('memory_stores', ...getsAndPuts, ...deletes),
    ...names('memory_stores'),
    ...versions('memory_stores'),
    ...under('files', 's3:GetObject'),
    ...under('transcripts', ...getsAndPuts),
    ...on('<SecretsModelKey>', 'secretsmanager:GetSecretValue'),
    ...on('<SandboxFunction.Arn>', 'lambda:InvokeFunction'),
    ...key,
    ...sealed('kms:Decrypt'),
    ...traces,
    ...on('<SessionMachine>', 'states:StartExecution'),
    ...logs('Step'),
  ],
  GradeRole: [
    ...on(table, ...rowReads, 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
    ...under('sessions', ...getsAndPuts),
    ...under('parts', ...getsAndPuts),
    ...under('configs', 's3:GetObject'),
    ...on('<SecretsModelKey>', 'secretsmanager:GetSecretValue'),
    ...on('<SandboxFunction.Arn>', 'lambda:InvokeFunction'),
    ...key,
    ...traces,
    ...logs('Grade'),
  ],
  DreamRole: [
    ...on(table, ...rowReads, ...rowWrites),
    ...on(`${table}/index/list`, 'dynamodb:Query'),
    ...under('dreams', ...getsAndPuts, ...deletes),
    ...under('sessions', ...getsAndPuts),
    ...under('memory_stores', ...getsAndPuts, ...deletes),
    ...names('dreams', 'memory_stores'),
    ...versions('dreams', 'memory_stores'),
    ...on('<SecretsModelKey>', 'secretsmanager:GetSecretValue'),
    ...key,
    ...traces,
    ...logs('Dream'),
  ],
  StreamRole: [
    ...on(table, ...rowReads),
    ...when(
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'LISTEN#*' } },
      on(table, 'dynamodb:UpdateItem'),
    ),
    ...under('sessions', 's3:GetObject'),
    ...under('memory_stores', 's3:GetObject'),
    ...under('dreams', 's3:GetObject'),
    ...on('<SecretsAdminKey>', 'secretsmanager:GetSecretValue'),
    ...key,
    ...traces,
    ...logs('Stream'),
  ],
  ApiRole: [
    ...on(table, ...rowReads, ...rowWrites, checks, sweeps),
    ...on(`${table}/index/list`, 'dynamodb:Query'),
    ...under('sessions', ...getsAndPuts, ...deletes),
    ...under('parts', ...deletes),
    ...under('files', ...getsAndPuts, ...deletes),
    ...under('transcripts', ...getsAndPuts, ...deletes),
    ...under('configs', ...getsAndPuts),
    ...under('idempotency', ...getsAndPuts),
    ...names('files'),
    ...versions('sessions', 'parts', 'files', 'transcripts'),
    ...on('<SecretsAdminKey>', 'secretsmanager:GetSecretValue'),
    ...on('<SessionMachine>', 'states:StartExecution'),
    ...key,
    ...sealed('kms:Encrypt'),
    ...traces,
    ...logs('Api'),
  ],
  MemoryRole: [
    ...on(table, ...rowReads, ...rowWrites, checks, sweeps),
    ...on(`${table}/index/list`, 'dynamodb:Query'),
    ...under('memory_stores', ...getsAndPuts, ...deletes),
    ...under('dreams', ...getsAndPuts, ...deletes),
    ...under('files', 's3:GetObject'),
    ...under('idempotency', ...getsAndPuts),
    ...names('memory_stores'),
    ...versions('dreams', 'memory_stores'),
    ...on('<SecretsAdminKey>', 'secretsmanager:GetSecretValue'),
    ...dreams,
    ...fires,
    ...key,
    ...traces,
    ...logs('Memory'),
  ],
  ReconcileRole: [
    ...on(table, ...rowReads, ...rowWrites, sweeps),
    ...on(`${table}/index/list`, 'dynamodb:Query'),
    ...on(`${table}/index/running`, 'dynamodb:Query'),
    ...under('sessions', ...deletes),
    ...under('dreams', ...getsAndPuts, ...deletes),
    ...under('parts', ...deletes),
    ...under('transcripts', ...deletes),
    ...under('memory_stores', ...deletes),
    ...under('files', ...deletes),
    ...versions('sessions', 'parts', 'transcripts', 'memory_stores', 'files', 'dreams'),
    ...runs,
    ...dreamRuns,
    ...fires,
    ...key,
    ...logs('Reconcile'),
  ],
  FireRole: [
    ...on(table, ...rowReads, ...rowWrites, checks),
    ...on(`${table}/index/list`, 'dynamodb:Query'),
    ...under('memory_stores', ...getsAndPuts, ...deletes),
    ...versions('memory_stores'),
    ...under('dreams', 's3:GetObject'),
    ...under('sessions', 's3:GetObject'),
    ...dreams,
    ...on(
      'arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/Reverie-dreams/*',
      'scheduler:CreateSchedule',
      'scheduler:UpdateSchedule',
      'scheduler:DeleteSchedule',
    ),
    ...when(
      { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      on('<TimerRole.Arn>', 'iam:PassRole'),
    ),
    ...key,
    ...traces,
    ...logs('Fire'),
  ],
  TimerRole: fires,
  SandboxRole: [],
  ReconcileScheduleRole: on('<ReconcileFunction.Arn>', 'lambda:InvokeFunction'),
  SessionRole: [
    ...on('<GradeFunction.Arn>', 'lambda:InvokeFunction'),
    ...on('<StepLargeFunction.Arn>', 'lambda:InvokeFunction'),
    ...on('<StepFunction.Arn>', 'lambda:InvokeFunction'),
    ...machine,
  ],
  DreamsRole: [...on('<DreamFunction.Arn>', 'lambda:InvokeFunction'), ...machine],
};

test.each(Object.entries(expected))('%s may do this and nothing else', (role, lines) => {
  expect(permissions(role)).toEqual(lines.toSorted());
});

test('the table names every role that is not of API Gateway', () => {
  const roles = Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));
  expect(roles.toSorted()).toEqual(
    [...Object.keys(expected), 'EndpointRestCloudWatchRole'].toSorted(),
  );
});

test('no role of ours has managed or inline policies, which the tables would not see', () => {
  const extra = ofType(template, 'AWS::IAM::Role').filter(
    ({ Properties }) =>
      (Properties['ManagedPolicyArns'] ?? Properties['Policies']) !== undefined &&
      !JSON.stringify(Properties).includes('AmazonAPIGatewayPushToCloudWatchLogs'),
  );
  expect(extra).toEqual([]);
});

/** Of each role: which service may act as it, and for what of it. */
const here = '<AWS::Region>:<AWS::AccountId>';
const of = (service: string, Condition?: object) => ({
  Effect: 'Allow',
  Action: 'sts:AssumeRole',
  Principal: { Service: `${service}.amazonaws.com` },
  ...(Condition && { Condition }),
});
const schedules = (group: string) =>
  of('scheduler', {
    StringEquals: {
      'aws:SourceAccount': '<AWS::AccountId>',
      'aws:SourceArn': `arn:<AWS::Partition>:scheduler:${here}:schedule-group/${group}`,
    },
  });
const machines = of('states', {
  StringEquals: { 'aws:SourceAccount': '<AWS::AccountId>' },
  ArnLike: { 'aws:SourceArn': `arn:<AWS::Partition>:states:${here}:stateMachine:*` },
});
const trusted: Readonly<Record<string, object>> = {
  ...Object.fromEntries(Object.keys(expected).map((role) => [role, of('lambda')])),
  TimerRole: schedules('Reverie-dreams'),
  ReconcileScheduleRole: schedules('default'),
  SessionRole: machines,
  DreamsRole: machines,
};

test.each(Object.entries(trusted))('%s is assumed by this service and nobody else', (role, who) => {
  const found = Object.entries(template.Resources).flatMap(([id, { Properties }]) =>
    id.replace(/[0-9A-F]{8}$/, '') === role ? [plain(Properties['AssumeRolePolicyDocument'])] : [],
  );
  expect(found).toEqual([{ Version: '2012-10-17', Statement: [who] }]);
});

test('the API may call its functions, and no other API of anybody', () => {
  const source = `arn:<AWS::Partition>:execute-api:${here}:<EndpointRest>/*/*/*`;
  const permissions = ofType(template, 'AWS::Lambda::Permission').map(({ Properties }) =>
    plain(Properties),
  );
  expect(permissions).toEqual(
    permissions.map(() =>
      expect.objectContaining({ Principal: 'apigateway.amazonaws.com', SourceArn: source }),
    ),
  );
});

test('each function runs under the role of its name', () => {
  const roles = ofType(template, 'AWS::Lambda::Function').map(({ Properties }) =>
    String(plain(Properties['Role'])),
  );
  expect(roles.toSorted()).toEqual(
    // The step has two sizes.
    [
      'Api',
      'Dream',
      'Fire',
      'Grade',
      'Memory',
      'Reconcile',
      'Sandbox',
      'Step',
      'Step',
      'Stream',
    ].map((room) => `<${room}Role.Arn>`),
  );
});

const providers: [provider: string, lines: string[]][] = [
  ['anthropic', []],
  [
    'claude-platform-aws',
    on(
      'arn:<AWS::Partition>:aws-external-anthropic:<AWS::Region>:<AWS::AccountId>:workspace/*',
      'aws-external-anthropic:CreateInference',
    ),
  ],
  [
    'bedrock',
    [
      'arn:<AWS::Partition>:bedrock:*::foundation-model/anthropic.*',
      'arn:<AWS::Partition>:bedrock:<AWS::Region>:<AWS::AccountId>:inference-profile/*anthropic.*',
      'arn:<AWS::Partition>:bedrock:<AWS::Region>:<AWS::AccountId>:application-inference-profile/*',
    ].flatMap((arn) => on(arn, 'bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream')),
  ],
];

test.each(providers)('with %s the step may reach that model and no other', (provider, lines) => {
  const reached = permissions('StepRole', synth({ model_provider: provider }).template);
  const models = reached.filter((line) => /^(bedrock|aws-external-anthropic):/.test(line));
  expect(models).toEqual(lines.toSorted());
});

test('batches are for the dream alone, where the provider has them', () => {
  const { template: platform } = synth({ model_provider: 'claude-platform-aws' });
  const batches = ['Cancel', 'Create', 'Delete', 'Get'].map(
    (what) => `aws-external-anthropic:${what}BatchInference`,
  );
  const workspace =
    'arn:<AWS::Partition>:aws-external-anthropic:<AWS::Region>:<AWS::AccountId>:workspace/*';
  const reached = (role: string): string[] =>
    permissions(role, platform).filter((line) => line.includes('BatchInference'));
  expect(reached('DreamRole')).toEqual(on(workspace, ...batches).toSorted());
  for (const role of ['StepRole', 'GradeRole']) expect(reached(role)).toEqual([]);
});

test.each([
  ['a search secret', (arn: string) => ({ search_secret_arn: arn })],
  [
    'a secret of headers',
    (arn: string) => ({ otlp_endpoint: 'https://o.example.com', otlp_headers_secret_arn: arn }),
  ],
])('%s is granted to the step alone', (_, given) => {
  const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:search-AbCdEf';
  const search = synth(given(arn)).template;
  const line = `secretsmanager:GetSecretValue @ ${arn}`;
  const holders = Object.keys(expected).filter((role) => permissions(role, search).includes(line));
  expect(holders).toEqual(['StepRole']);
});
