import { arn } from '../place.ts';
import { byName, queueUrl, secretArn, withArn, type ResourceType } from './identity.ts';

const cost = 'labels and billing have no meaning on one machine';
const watch = 'nobody watches metrics on one machine';
const durable = 'protects data in the account; the data folder is the person’s own';
const encryption = 'data at rest is not encrypted on one machine';
const name = 'only names it';

interface Known {
  /** Properties that the host acts on, with spaces between. */
  readonly implemented: string;
  readonly ignored: ResourceType['ignored'];
  readonly named_by?: string;
  readonly identity: ResourceType['identity'];
}

function inert(reason: string, properties: string): Record<string, string> {
  return Object.fromEntries(words(properties).map((property) => [property, reason]));
}

function words(properties: string): string[] {
  return properties.split(/\s+/).filter((word) => word !== '');
}

/** A type that is wholly without effect here: each of its properties, for one reason. */
function idle(reason: string, properties: string, identity = byName): Known {
  return { implemented: '', ignored: inert(reason, properties), identity };
}

const known: Readonly<Record<string, Known>> = {
  'AWS::Lambda::Function': {
    implemented: 'Code Environment FunctionName Handler MemorySize Role Timeout TenancyConfig',
    ignored: {
      ...inert('the worker runs on this machine’s processor and Node', 'Architectures Runtime'),
      ...inert('spans are not collected', 'TracingConfig'),
      ...inert('logs go to the data folder', 'LoggingConfig Layers'),
      ...inert('one machine has no account-wide concurrency', 'ReservedConcurrentExecutions'),
      ...inert('the machine’s own temporary folder is used', 'EphemeralStorage'),
      ...inert(name, 'Description'),
      ...inert(cost, 'Tags'),
      ...inert(encryption, 'KmsKeyArn'),
      ...inert('asynchronous failures are logged', 'DeadLetterConfig'),
    },
    named_by: 'FunctionName',
    identity: withArn('lambda', 'function:'),
  },
  'AWS::Lambda::Permission': {
    implemented: 'Action FunctionName Principal SourceArn SourceAccount',
    ignored: {},
    identity: byName,
  },
  'AWS::Lambda::EventInvokeConfig': idle(
    'asynchronous failures are logged, not sent on',
    `
      DestinationConfig FunctionName MaximumEventAgeInSeconds
      MaximumRetryAttempts Qualifier
    `,
  ),
  'AWS::IAM::Role': {
    implemented: 'AssumeRolePolicyDocument ManagedPolicyArns Policies RoleName',
    ignored: { ...inert(name, 'Description'), ...inert(cost, 'Tags') },
    named_by: 'RoleName',
    identity: withArn('iam', 'role/'),
  },
  'AWS::IAM::Policy': {
    implemented: 'PolicyDocument Roles',
    ignored: inert(name, 'PolicyName'),
    identity: byName,
  },
  'AWS::IAM::ManagedPolicy': {
    implemented: 'PolicyDocument Roles',
    ignored: inert(name, 'Description Path ManagedPolicyName'),
    identity: withArn('iam', 'policy/'),
  },
  'AWS::DynamoDB::Table': {
    implemented: `
      AttributeDefinitions GlobalSecondaryIndexes KeySchema TableName TimeToLiveSpecification
    `,
    ignored: {
      ...inert('one machine has no billing mode', 'BillingMode'),
      ...inert(durable, 'DeletionProtectionEnabled PointInTimeRecoverySpecification'),
      ...inert(encryption, 'SSESpecification'),
      ...inert(cost, 'Tags'),
    },
    named_by: 'TableName',
    identity: withArn('dynamodb', 'table/'),
  },
  'AWS::DynamoDB::GlobalTable': {
    implemented: `
      AttributeDefinitions GlobalSecondaryIndexes KeySchema TableName
      TimeToLiveSpecification
    `,
    ignored: {
      ...inert('one machine has no billing mode', 'BillingMode WriteOnDemandThroughputSettings'),
      ...inert(durable, 'Replicas'),
      ...inert(encryption, 'SSESpecification'),
    },
    named_by: 'TableName',
    identity: withArn('dynamodb', 'table/'),
  },
  'AWS::S3::Bucket': {
    implemented: 'BucketEncryption BucketName',
    ignored: {
      ...inert(
        'objects are private to the host',
        'PublicAccessBlockConfiguration OwnershipControls',
      ),
      ...inert('an old version is not kept on one machine', 'VersioningConfiguration'),
      ...inert('nothing expires within a local run', 'LifecycleConfiguration'),
      ...inert('no browser reaches the bucket', 'CorsConfiguration'),
      ...inert(watch, 'LoggingConfiguration MetricsConfigurations NotificationConfiguration'),
      ...inert(cost, 'Tags'),
    },
    named_by: 'BucketName',
    identity: ({ name: bucket }) => ({
      ref: bucket,
      attributes: {
        Arn: `arn:aws:s3:::${bucket}`,
        RegionalDomainName: `${bucket}.s3.us-east-1.amazonaws.com`,
        DomainName: `${bucket}.s3.amazonaws.com`,
      },
    }),
  },
  'AWS::S3::BucketPolicy': {
    implemented: 'Bucket PolicyDocument',
    ignored: {},
    identity: byName,
  },
  'AWS::KMS::Key': {
    implemented: '',
    ignored: {
      ...inert('the account’s policies decide, as the key’s own policy says', 'KeyPolicy'),
      ...inert(encryption, 'EnableKeyRotation KeySpec PendingWindowInDays Description'),
      ...inert(encryption, 'KeyUsage RotationPeriodInDays MultiRegion Enabled'),
      ...inert(cost, 'Tags'),
    },
    identity: ({ id }) => ({
      ref: id,
      attributes: { Arn: arn('kms', `key/${id}`), KeyId: id },
    }),
  },
  'AWS::KMS::Alias': idle(name, 'AliasName TargetKeyId'),
  'AWS::SecretsManager::Secret': {
    implemented: 'Name KmsKeyId',
    ignored: {
      ...inert(
        'the host serves the keys of its own environment',
        'GenerateSecretString SecretString',
      ),
      ...inert(name, 'Description'),
      ...inert(cost, 'Tags'),
    },
    named_by: 'Name',
    identity: ({ name: secret }) => ({
      ref: secretArn(secret),
      attributes: { Id: secretArn(secret) },
    }),
  },
  'AWS::SecretsManager::ResourcePolicy': idle(
    encryption,
    'ResourcePolicy SecretId BlockPublicPolicy',
  ),
  'AWS::StepFunctions::StateMachine': {
    implemented: `
      DefinitionString DefinitionSubstitutions RoleArn StateMachineName
      StateMachineType
    `,
    ignored: {
      ...inert('executions are logged in the data folder', 'LoggingConfiguration'),
      ...inert('spans are not collected', 'TracingConfiguration'),
      ...inert(encryption, 'EncryptionConfiguration'),
      ...inert(cost, 'Tags'),
    },
    named_by: 'StateMachineName',
    identity: ({ name: machine }) => {
      const machine_arn = arn('states', `stateMachine:${machine}`);
      return { ref: machine_arn, attributes: { Arn: machine_arn, Name: machine } };
    },
  },
  'AWS::ApiGateway::RestApi': {
    implemented: 'BinaryMediaTypes',
    ignored: {
      ...inert(name, 'Name Description'),
      ...inert('one machine has one kind of endpoint', 'EndpointConfiguration Policy'),
      ...inert('the front answers plain bodies', 'MinimumCompressionSize ApiKeySourceType'),
      ...inert('the front has one address', 'DisableExecuteApiEndpoint SecurityPolicy'),
      ...inert('the front has one address', 'EndpointAccessMode'),
      ...inert(cost, 'Tags'),
    },
    identity: ({ id }) => ({
      ref: id,
      attributes: { RootResourceId: `${id}-root`, RestApiId: id },
    }),
  },
  'AWS::ApiGateway::Resource': {
    implemented: 'ParentId PathPart RestApiId',
    ignored: {},
    identity: ({ id }) => ({ ref: id, attributes: { ResourceId: id } }),
  },
  'AWS::ApiGateway::Method': {
    implemented: 'HttpMethod Integration ResourceId RestApiId AuthorizationType',
    ignored: {
      ...inert('keys are the product’s own', 'ApiKeyRequired'),
      ...inert('documents the answer', 'MethodResponses OperationName'),
      ...inert('no request parameter is mapped', 'RequestParameters RequestValidatorId'),
    },
    identity: byName,
  },
  'AWS::ApiGateway::RequestValidator': idle(
    'the product validates',
    'Name RestApiId ValidateRequestBody ValidateRequestParameters',
  ),
  'AWS::ApiGateway::GatewayResponse': {
    implemented: 'ResponseParameters ResponseTemplates ResponseType RestApiId StatusCode',
    ignored: {},
    identity: byName,
  },
  'AWS::ApiGateway::Deployment': idle(
    'what the template says is deployed',
    'Description RestApiId',
  ),
  'AWS::ApiGateway::Stage': {
    implemented: 'StageName RestApiId',
    ignored: {
      ...inert('what the template says is deployed', 'DeploymentId Description'),
      ...inert(watch, 'AccessLogSetting MethodSettings TracingEnabled'),
      ...inert('the front does not cache', 'CacheClusterEnabled CacheClusterSize Variables'),
      ...inert(cost, 'Tags'),
    },
    named_by: 'StageName',
    identity: byName,
  },
  'AWS::ApiGateway::Account': idle(watch, 'CloudWatchRoleArn'),
  'AWS::ApiGateway::DomainName': idle(
    'the front has one address',
    `
      CertificateArn DomainName EndpointConfiguration RegionalCertificateArn
      SecurityPolicy Tags
    `,
  ),
  'AWS::ApiGateway::BasePathMapping': idle(
    'the front has one address',
    'BasePath DomainName RestApiId Stage',
  ),
  'AWS::Logs::LogGroup': {
    implemented: '',
    ignored: {
      ...inert('logs go to files of the data folder', 'LogGroupName RetentionInDays'),
      ...inert(encryption, 'KmsKeyId'),
      ...inert(durable, 'DataProtectionPolicy DeletionProtectionEnabled'),
      ...inert(cost, 'Tags LogGroupClass'),
    },
    named_by: 'LogGroupName',
    identity: ({ name: group }) => ({
      ref: group,
      attributes: { Arn: `${arn('logs', `log-group:${group}`)}:*` },
    }),
  },
  'AWS::Logs::ResourcePolicy': idle(watch, 'PolicyDocument PolicyName'),
  'AWS::Logs::MetricFilter': idle(
    watch,
    `
      ApplyOnTransformedLogs FilterName FilterPattern LogGroupName
      MetricTransformations
    `,
  ),
  'AWS::Logs::QueryDefinition': idle(watch, 'LogGroupNames Name QueryString'),
  'AWS::CloudWatch::Alarm': idle(
    watch,
    `
      ActionsEnabled AlarmActions AlarmDescription AlarmName
      ComparisonOperator DatapointsToAlarm Dimensions EvaluationPeriods
      ExtendedStatistic MetricName Metrics Namespace OKActions
      InsufficientDataActions Period Statistic Tags Threshold
      ThresholdMetricId TreatMissingData Unit
    `,
    withArn('cloudwatch', 'alarm:'),
  ),
  'AWS::CloudWatch::Dashboard': idle(watch, 'DashboardBody DashboardName'),
  'AWS::SNS::Topic': idle(watch, 'TopicName KmsMasterKeyId DisplayName Tags', (topic) => ({
    ref: arn('sns', topic.name),
    attributes: { TopicArn: arn('sns', topic.name), TopicName: topic.name },
  })),
  'AWS::SNS::TopicPolicy': idle(watch, 'PolicyDocument Topics'),
  'AWS::SNS::Subscription': idle(watch, 'Endpoint Protocol TopicArn'),
  'AWS::SQS::Queue': idle(
    'failed asynchronous calls are logged',
    `
      KmsDataKeyReusePeriodSeconds KmsMasterKeyId MessageRetentionPeriod
      QueueName SqsManagedSseEnabled Tags VisibilityTimeout
    `,
    (queue) => ({
      ref: queueUrl(queue.name),
      attributes: { Arn: arn('sqs', queue.name), QueueName: queue.name },
    }),
  ),
  'AWS::SQS::QueuePolicy': idle('failed asynchronous calls are logged', 'PolicyDocument Queues'),
  'AWS::Scheduler::Schedule': {
    implemented: `
      FlexibleTimeWindow GroupName Name ScheduleExpression ScheduleExpressionTimezone
      State Target StartDate EndDate
    `,
    ignored: { ...inert(name, 'Description'), ...inert(encryption, 'KmsKeyArn') },
    named_by: 'Name',
    identity: withArn('scheduler', 'schedule/default/'),
  },
  'AWS::Scheduler::ScheduleGroup': {
    implemented: 'Name',
    ignored: inert(cost, 'Tags'),
    named_by: 'Name',
    identity: withArn('scheduler', 'schedule-group/'),
  },
  'AWS::Events::Rule': {
    implemented: 'Name ScheduleExpression State Targets',
    ignored: inert(name, 'Description'),
    named_by: 'Name',
    identity: withArn('events', 'rule/'),
  },
  'AWS::CDK::Metadata': idle(cost, 'Analytics'),
  'AWS::CloudFormation::CustomResource': idle(
    'works on the stack itself when it is created or deleted',
    'ServiceToken BucketName ServiceTimeout',
  ),
};

/** Every resource type that the host takes, with every property. Anything else stops the start. */
export const resourceTypes: Readonly<Record<string, ResourceType>> = Object.fromEntries(
  Object.entries(known).map(([type, each]) => [
    type,
    { ...each, implemented: words(each.implemented) },
  ]),
);
