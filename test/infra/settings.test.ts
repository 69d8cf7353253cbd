/**
 * Settings: each one changes what it says and nothing is taken silently.
 * Method: one row per setting with what the template then has; a test that no setting lacks a row.
 */
import { expect, test } from 'vitest';
import { settingsFrom, settingsShape } from '../../infra/settings.ts';
import { ofType, only, plain, synth, type Synthesized, type Template } from './stack.ts';

const topic = 'arn:aws:sns:us-east-1:111122223333:alarms';
const certificate = 'arn:aws:acm:us-east-1:111122223333:certificate/abc';
const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:search-AbCdEf';
const prices = {
  'claude-x': Object.fromEntries(
    ['input', 'output', 'cache_write_5m', 'cache_write_1h', 'cache_read'].map((rate) => [
      rate,
      '1.5',
    ]),
  ),
};

const functionOf = (template: Template, room: string) =>
  only(template, 'AWS::Lambda::Function', `${room}Function`).Properties;
const variables = (template: Template, room = 'Step') =>
  (functionOf(template, room)['Environment'] as { Variables: Record<string, unknown> }).Variables;
const stage = (template: Template) =>
  (
    only(template, 'AWS::ApiGateway::Stage').Properties['MethodSettings'] as Record<
      string,
      unknown
    >[]
  )[0];
const actions = (template: Template) =>
  ofType(template, 'AWS::CloudWatch::Alarm').map(({ Properties }) =>
    plain(Properties['AlarmActions']),
  );

interface Row {
  readonly given: Readonly<Record<string, unknown>>;
  readonly see: (template: Template, made: Synthesized) => unknown;
  readonly has: unknown;
}

const rows: Readonly<Record<string, Row>> = {
  stack_name: {
    given: { stack_name: 'Staging' },
    see: (template) => [
      variables(template)['POWERTOOLS_SERVICE_NAME'],
      only(template, 'AWS::ApiGateway::RestApi').Properties['Name'],
    ],
    has: ['Staging-step', 'Staging'],
  },
  log_level: {
    given: { log_level: 'DEBUG' },
    see: (template) => variables(template)['POWERTOOLS_LOG_LEVEL'],
    has: 'DEBUG',
  },
  log_retention_days: {
    given: { log_retention_days: '90' },
    see: (template) =>
      new Set(
        ofType(template, 'AWS::Logs::LogGroup').map(
          ({ Properties }) => Properties['RetentionInDays'],
        ),
      ),
    has: new Set([90]),
  },
  removal_policy: {
    given: { removal_policy: 'destroy' },
    see: (template) => only(template, 'AWS::DynamoDB::Table').DeletionPolicy,
    has: 'Delete',
  },
  termination_protection: {
    given: { termination_protection: 'false' },
    see: (_, { is_protected }) => is_protected,
    has: false,
  },
  restored_table: {
    given: { restored_table: 'Reverie-restored' },
    see: (template) => [variables(template)['TABLE_NAME'], template.Outputs['TableName']?.Value],
    has: ['Reverie-restored', 'Reverie-restored'],
  },
  recovery_days: {
    given: { recovery_days: '7' },
    see: (template) =>
      only(template, 'AWS::DynamoDB::Table').Properties['PointInTimeRecoverySpecification'],
    has: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 },
  },
  noncurrent_days: {
    given: { noncurrent_days: 7 },
    see: (template) => only(template, 'AWS::S3::Bucket').Properties['LifecycleConfiguration'],
    has: {
      Rules: expect.arrayContaining([
        expect.objectContaining({ NoncurrentVersionExpiration: { NoncurrentDays: 7 } }),
      ]),
    },
  },
  memories_max: {
    given: { memories_max: '10000' },
    see: (template) => [
      variables(template)['MEMORIES_MAX'],
      variables(template, 'Memory')['MEMORIES_MAX'],
    ],
    has: ['10000', '10000'],
  },
  memory_version_days: {
    given: { memory_version_days: '30' },
    see: (template) => [
      variables(template)['MEMORY_VERSION_DAYS'],
      variables(template, 'Memory')['MEMORY_VERSION_DAYS'],
    ],
    has: ['30', '30'],
  },
  transcript_days: {
    given: { transcript_days: '90' },
    see: (template) => [
      only(template, 'AWS::S3::Bucket').Properties['LifecycleConfiguration'],
      variables(template)['TRANSCRIPT_DAYS'],
      variables(template, 'Api')['TRANSCRIPT_DAYS'],
    ],
    has: [
      {
        Rules: expect.arrayContaining([
          expect.objectContaining({ Prefix: 'transcripts/', ExpirationInDays: 90 }),
        ]),
      },
      '90',
      '90',
    ],
  },
  model_provider: {
    given: { model_provider: 'bedrock' },
    see: (template) => [
      variables(template)['MODEL_PROVIDER'],
      variables(template, 'Api')['MODEL_PROVIDER'],
    ],
    has: ['bedrock', 'bedrock'],
  },
  model_ids: {
    given: { model_ids: '{"a":"b"}' },
    see: (template) => [variables(template)['MODEL_IDS'], variables(template, 'Api')['MODEL_IDS']],
    has: ['{"a":"b"}', '{"a":"b"}'],
  },
  prices: {
    given: { prices },
    see: (template) => [variables(template)['PRICES'], variables(template, 'Api')['PRICES']],
    has: [JSON.stringify(prices), JSON.stringify(prices)],
  },
  search_secret_arn: {
    given: { search_secret_arn: secret },
    see: (template) => variables(template)['SEARCH_SECRET_ARN'],
    has: secret,
  },
  otlp_endpoint: {
    given: { otlp_endpoint: 'https://otlp.example.com' },
    see: (template) => variables(template)['OTLP_ENDPOINT'],
    has: 'https://otlp.example.com',
  },
  otlp_headers_secret_arn: {
    given: { otlp_endpoint: 'https://otlp.example.com', otlp_headers_secret_arn: secret },
    see: (template) => variables(template)['OTLP_HEADERS_SECRET_ARN'],
    has: secret,
  },
  alarm_email: {
    given: { alarm_email: 'ops@example.com' },
    see: (template) => [
      only(template, 'AWS::SNS::Subscription').Properties['Endpoint'],
      new Set(actions(template).map(String)),
    ],
    has: ['ops@example.com', new Set(['<AlarmsTopic>'])],
  },
  alarm_topic_arn: {
    given: { alarm_topic_arn: topic },
    see: (template) => new Set(actions(template).map(String)),
    has: new Set([topic]),
  },
  domain_name: {
    given: { domain_name: 'agents.example.com', certificate_arn: certificate },
    see: (template) => [
      only(template, 'AWS::ApiGateway::DomainName').Properties['DomainName'],
      template.Outputs['BaseUrl']?.Value,
      template.Outputs['DomainTarget'] !== undefined,
    ],
    has: ['agents.example.com', 'https://agents.example.com', true],
  },
  certificate_arn: {
    given: { domain_name: 'agents.example.com', certificate_arn: certificate },
    see: (template) =>
      only(template, 'AWS::ApiGateway::DomainName').Properties['RegionalCertificateArn'],
    has: certificate,
  },
  throttle_rate: {
    given: { throttle_rate: '7' },
    see: (template) => stage(template)?.['ThrottlingRateLimit'],
    has: 7,
  },
  throttle_burst: {
    given: { throttle_burst: '9' },
    see: (template) => stage(template)?.['ThrottlingBurstLimit'],
    has: 9,
  },
  dashboard: {
    given: { dashboard: 'false' },
    see: (template) => ofType(template, 'AWS::CloudWatch::Dashboard'),
    has: [],
  },
  source_maps: {
    given: { source_maps: 'true' },
    see: (template) => variables(template)['NODE_OPTIONS'],
    has: '--enable-source-maps',
  },
  gateway_log_role: {
    given: { gateway_log_role: 'false' },
    see: (template) => ofType(template, 'AWS::ApiGateway::Account'),
    has: [],
  },
};

const plainly = synth();

test.each(Object.entries(rows))('%s changes what it says', (_, { given, see, has }) => {
  const made = synth(given);
  expect(see(made.template, made)).toEqual(has);
  expect(attempt(() => see(plainly.template, plainly))).not.toEqual(has);
});

/** What a default deployment lacks altogether is not there either. */
function attempt(see: () => unknown): unknown {
  try {
    return see();
  } catch {
    return 'absent';
  }
}

test('every setting has its row', () => {
  expect(Object.keys(rows).toSorted()).toEqual(Object.keys(settingsShape.shape).toSorted());
});

test('every setting says in a sentence what it is for', () => {
  const silent = Object.entries(settingsShape.shape).filter(
    ([, { description }]) => description?.endsWith('.') !== true,
  );
  expect(silent.map(([name]) => name)).toEqual([]);
});

const refused: [key: string, value: unknown, says: string][] = [
  ['reverie:log_levle', 'INFO', "'reverie:log_levle' is not a setting"],
  ['reverie:log_level', 'LOUD', "'reverie:log_level'"],
  ['reverie:log_retention_days', '31', "'reverie:log_retention_days': one of 1, 3, 5"],
  ['reverie:removal_policy', 'keep', "'reverie:removal_policy'"],
  ['reverie:termination_protection', 'maybe', "'reverie:termination_protection'"],
  ['reverie:restored_table', 'a/b', "'reverie:restored_table': not the name of a table"],
  ['reverie:model_provider', 'openai', "'reverie:model_provider'"],
  ['reverie:model_ids', 'not json', "'reverie:model_ids'"],
  [
    'reverie:model_ids',
    Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`claude-${n}`, 'x'.repeat(20)])),
    "'reverie:model_ids' and 'reverie:prices': ",
  ],
  ['reverie:prices', '{"x":{"input":5}}', "'reverie:prices': not a price table"],
  ['reverie:recovery_days', '36', "'reverie:recovery_days'"],
  ['reverie:noncurrent_days', '0', "'reverie:noncurrent_days'"],
  ['reverie:memories_max', '10001', "'reverie:memories_max'"],
  ['reverie:memory_version_days', '29', "'reverie:memory_version_days': 0, or at least 30"],
  ['reverie:transcript_days', '-1', "'reverie:transcript_days'"],
  ['reverie:throttle_rate', 'fast', "'reverie:throttle_rate'"],
  ['reverie:dashboard', 'maybe', "'reverie:dashboard'"],
  ['reverie:alarm_email', 'ops', "'reverie:alarm_email'"],
  ['reverie:alarm_topic_arn', secret, "'reverie:alarm_topic_arn': not an ARN of sns"],
  [
    'reverie:domain_name',
    'agents.example.com',
    "'reverie:domain_name' and 'reverie:certificate_arn' go together",
  ],
  ['reverie:stack_name', '2nd', "'reverie:stack_name'"],
  ['reverie:stack_name', 'x'.repeat(58), "'reverie:stack_name'"],
  ['reverie.log_level', 'INFO', "'reverie.log_level': settings are written reverie:<name>"],
  ['reverie', { log_level: 'INFO' }, "'reverie': settings are written reverie:<name>"],
];

test.each(refused)('%s = %j is refused by name', (key, value, says) => {
  expect(() => settingsFrom({ [key]: value })).toThrow(says);
});

test('the longest name of a stack makes no name that AWS refuses', () => {
  const { template } = synth({ stack_name: 'x'.repeat(57) });
  const { Name } = only(template, 'AWS::Scheduler::ScheduleGroup').Properties;
  expect(String(Name)).toHaveLength(64);
});

test.each([
  ['what outlives its stack is not taken away by a slip', {}, true],
  ['what goes with its stack may go', { removal_policy: 'destroy' }, false],
  [
    'unless somebody says otherwise',
    { removal_policy: 'destroy', termination_protection: true },
    true,
  ],
])('%s', (_, given, is_protected) => {
  expect(synth(given).is_protected).toBe(is_protected);
});

test('one topic is enough', () => {
  const both = { 'reverie:alarm_email': 'ops@example.com', 'reverie:alarm_topic_arn': topic };
  expect(() => settingsFrom(both)).toThrow('give one of them');
});

test('context of others is none of our business', () => {
  expect(settingsFrom({ 'aws:cdk:enable-path-metadata': true, 'availability-zones': [] })).toEqual(
    settingsFrom({}),
  );
});
