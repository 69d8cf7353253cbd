/** What a deployment keeps: it survives a mistake, it is encrypted, and what expires is said here. */
import { expect, test } from 'vitest';
import { ofType, only, plain, synth } from './stack.ts';

const { template } = synth();
const table = only(template, 'AWS::DynamoDB::Table');
const bucket = only(template, 'AWS::S3::Bucket');

test('the table is on demand, recoverable to any second, encrypted, and refuses to be deleted', () => {
  expect(plain(table.Properties)).toMatchObject({
    BillingMode: 'PAY_PER_REQUEST',
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: {
      PointInTimeRecoveryEnabled: true,
      RecoveryPeriodInDays: 35,
    },
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: '<StorageKey.Arn>' },
    TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
  });
});

test('the keys are those that shared/core/table-dynamo.ts speaks of', () => {
  const keys = (pk: string, sk: string) => [
    { AttributeName: pk, KeyType: 'HASH' },
    { AttributeName: sk, KeyType: 'RANGE' },
  ];
  const Projection = { ProjectionType: 'KEYS_ONLY' };
  expect(table.Properties).toMatchObject({
    KeySchema: keys('pk', 'sk'),
    GlobalSecondaryIndexes: [
      { IndexName: 'list', KeySchema: keys('gsi1pk', 'gsi1sk'), Projection },
      { IndexName: 'running', KeySchema: keys('gsi2pk', 'gsi2sk'), Projection },
    ],
  });
});

test('the bucket is private, versioned, encrypted, and lets go of what is no longer current', () => {
  expect(plain(bucket.Properties)).toMatchObject({
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    VersioningConfiguration: { Status: 'Enabled' },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms',
            KMSMasterKeyID: '<StorageKey.Arn>',
          },
        },
      ],
    },
    LifecycleConfiguration: {
      Rules: [
        { NoncurrentVersionExpiration: { NoncurrentDays: 30 }, ExpiredObjectDeleteMarker: true },
        { Prefix: 'idempotency/', ExpirationInDays: 2 },
        {
          Prefix: 'parts/',
          ExpirationInDays: 2,
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        },
        { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
    },
  });
});

test('the bucket refuses what is not TLS 1.2 or newer', () => {
  const { PolicyDocument } = only(template, 'AWS::S3::BucketPolicy').Properties;
  expect(PolicyDocument).toMatchObject({
    Statement: [
      { Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      { Effect: 'Deny', Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
    ],
  });
});

test('the key rotates, but not so often that its rotations are billed', () => {
  expect(only(template, 'AWS::KMS::Key').Properties).toMatchObject({
    EnableKeyRotation: true,
    RotationPeriodInDays: 2560,
  });
});

test('table, bucket and key outlive the stack, but a first deploy that fails leaves no key to be billed', () => {
  const kept = [table, bucket, only(template, 'AWS::KMS::Key')];
  const policies = kept.map(({ DeletionPolicy }) => DeletionPolicy);
  expect(policies).toEqual(['Retain', 'RetainExceptOnCreate', 'RetainExceptOnCreate']);
});

test('what outlives its stack can be imported into a new one: it refers to nothing that does not', () => {
  const ids = ['StorageTableB43FDCE7', 'StorageContent05955A69', 'StorageKeyBAA9457B'];
  const kept_json = JSON.stringify(ids.map((id) => template.Resources[id]));
  const others = Object.keys(template.Resources).filter((id) => !ids.includes(id));
  expect(others.filter((id) => kept_json.includes(`"${id}"`))).toEqual([]);
});

test('with removal_policy destroy all of it goes with the stack', () => {
  const gone = synth({ removal_policy: 'destroy' }).template;
  const types = ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::KMS::Key'];
  const policies = types.map((type) => only(gone, type).DeletionPolicy);
  expect(policies).toEqual(['Delete', 'Delete', 'Delete']);
  expect(only(gone, 'AWS::DynamoDB::Table').Properties['DeletionProtectionEnabled']).toBe(false);
  expect(only(gone, 'Custom::S3AutoDeleteObjects')).toBeDefined();
});

test('what CDK’s own function writes while it empties the bucket expires, and goes with the stack', () => {
  const gone = synth({ removal_policy: 'destroy', log_retention_days: 7 }).template;
  const logging = only(gone, 'AWS::Lambda::Function', 'CustomS3AutoDelete').Properties;
  expect(plain(logging['LoggingConfig'])).toEqual({ LogGroup: '<StorageEmptyingLogs>' });
  const group = only(gone, 'AWS::Logs::LogGroup', 'StorageEmptyingLogs');
  expect(group).toMatchObject({ DeletionPolicy: 'Delete', Properties: { RetentionInDays: 7 } });
});

/** As of a stack whose table was restored to an earlier time, and which works on what came of that. */
const { template: restored } = synth({ restored_table: 'Reverie-restored' });

test('with a restored table the own one, the bucket and the key stay as they are', () => {
  for (const id of ['StorageTableB43FDCE7', 'StorageContent05955A69', 'StorageKeyBAA9457B']) {
    expect(restored.Resources[id]).toEqual(template.Resources[id]);
  }
  expect(ofType(restored, 'AWS::DynamoDB::Table')).toHaveLength(1);
  expect(Object.keys(restored.Resources).toSorted()).toEqual(
    Object.keys(template.Resources).toSorted(),
  );
});

test('with a restored table nobody may, or does, touch the own one', () => {
  const others = Object.values(restored.Resources).filter(({ Type }) => !Type.endsWith('::Table'));
  expect(JSON.stringify(others)).not.toContain('StorageTableB43FDCE7');
  const granted = JSON.stringify(ofType(restored, 'AWS::IAM::Policy').map(plain));
  const arn = 'arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/Reverie-restored';
  const rows = granted.match(/"arn:[^"]*:dynamodb:[^"]*"/g);
  expect(new Set(rows)).toEqual(
    new Set([`"${arn}"`, `"${arn}/index/list"`, `"${arn}/index/running"`]),
  );
});

test('executions have names that are free with each restored table, for it counts runs again', () => {
  const names = (restored_table: string): unknown[] =>
    ofType(synth({ restored_table }).template, 'AWS::StepFunctions::StateMachine').map(
      ({ Properties }) => Properties['StateMachineName'],
    );
  const both = [...names('Reverie-a'), ...names('Reverie-b')];
  expect(both).toEqual(
    both.map(() => expect.stringMatching(/^Reverie-(session|dream)-[0-9a-f]{8}$/)),
  );
  expect(new Set(both).size).toBe(4);
  // Without one they stay those that run.
  for (const { Properties } of ofType(template, 'AWS::StepFunctions::StateMachine')) {
    expect(Properties).not.toHaveProperty('StateMachineName');
  }
});

/**
 * CloudFormation knows a resource by its logical id, which CDK makes of the names of its constructs: under
 * another one it makes an empty resource and lets the old one go. What of it stands elsewhere is lost.
 */
const kept_ids: [type: string, logical_id: string, lost: string][] = [
  ['AWS::DynamoDB::Table', 'StorageTableB43FDCE7', 'all rows'],
  ['AWS::S3::Bucket', 'StorageContent05955A69', 'all contents'],
  ['AWS::KMS::Key', 'StorageKeyBAA9457B', 'what is sealed'],
  ['AWS::SecretsManager::Secret', 'SecretsAdminKey7CD4F5F7', 'the key that clients hold'],
  ['AWS::SecretsManager::Secret', 'SecretsModelKey0DB4AAD3', 'the key of the provider'],
  ['AWS::ApiGateway::RestApi', 'EndpointRest03DC3DE6', 'the address that clients call'],
  ['AWS::StepFunctions::StateMachine', 'SessionMachine696BDB62', 'runs of sessions'],
  ['AWS::StepFunctions::StateMachine', 'DreamsMachineE87FF3F2', 'runs of dreams'],
  ['AWS::Lambda::Function', 'StepFunction12077BE9', 'what running executions call'],
  ['AWS::Lambda::Function', 'GradeFunctionB3C434CD', 'what running executions call'],
  ['AWS::Lambda::Function', 'DreamFunction8665159A', 'what running executions call'],
  ['AWS::Scheduler::ScheduleGroup', 'FireTimersAF4816E7', 'the timers of schedules'],
  ['AWS::Lambda::Function', 'FireFunctionFB25EA8C', 'what timers call'],
  ['AWS::IAM::Role', 'TimerRoleBA368C44', 'as whom timers call'],
];

test.each(kept_ids)('%s stays %s from release to release, else %s is lost', (type, logical_id) => {
  expect(template.Resources[logical_id]?.Type).toBe(type);
});

test('the admin key is made at the deploy: 48 letters and digits, in no template', () => {
  const { Properties } = only(template, 'AWS::SecretsManager::Secret', 'SecretsAdminKey');
  expect(Properties).toMatchObject({
    GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true },
  });
  expect(Properties).not.toHaveProperty('SecretString');
});

test('the model secret is empty until the operator fills it in', () => {
  const { Properties } = only(template, 'AWS::SecretsManager::Secret', 'SecretsModelKey');
  expect(Properties).toMatchObject({ SecretString: '{}', KmsKeyId: expect.anything() });
});
