import { Duration, RemovalPolicy, Stack, Validations, type CfnResource } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
  type GlobalSecondaryIndexProps,
  type ITable,
} from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectOwnership,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** What the platform keeps: one key, one table, one bucket. */
export class Storage extends Construct {
  readonly key: Key;
  /** What the functions work on: the stack's own, or one that was restored from it. */
  readonly table: ITable;
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const destroy = settings.removal_policy === 'destroy';
    const removalPolicy = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    // A first deploy that fails must not leave a key that is billed behind. The table's own protection
    // would hold up that rollback: it stays then, empty.
    const onceUsed = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    this.key = new Key(this, 'Key', {
      description: `${settings.stack_name}: table, bucket and secrets`,
      enableKeyRotation: true,
      // KMS bills each of the first two rotations like a key of its own: the longest period it takes.
      rotationPeriod: Duration.days(2560),
      removalPolicy: onceUsed,
    });
    // Not TableV2: with a key of its own it refuses a stack whose region only the deploy knows.
    const table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: settings.recovery_days,
      },
      timeToLiveAttribute: 'expires_at',
      deletionProtection: !destroy,
      removalPolicy,
    });
    table.addGlobalSecondaryIndex(index('list', 'gsi1'));
    table.addGlobalSecondaryIndex(index('running', 'gsi2'));
    this.table =
      settings.restored_table === undefined
        ? table
        : // Only named: the stack neither makes nor changes it, and keeps its own as it is.
          Table.fromTableName(this, 'Restored', settings.restored_table);
    this.bucket = new Bucket(this, 'Content', {
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      // One data key per bucket and while, instead of one call to KMS per object.
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [
        {
          id: 'noncurrent',
          noncurrentVersionExpiration: Duration.days(settings.noncurrent_days),
          expiredObjectDeleteMarker: true,
        },
        // Large answers of requests with an Idempotency-Key; their rows go after a day.
        { id: 'answers', prefix: 'idempotency/', expiration: Duration.days(2) },
        // What was sent to the sandbox by way of the bucket: texts of memories, which may be redacted.
        {
          id: 'parts',
          prefix: 'parts/',
          expiration: Duration.days(2),
          noncurrentVersionExpiration: Duration.days(1),
        },
        ...transcripts(settings),
        { id: 'multipart', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy: onceUsed,
      autoDeleteObjects: destroy,
    });
    if (destroy) this.#endLogsOfEmptying(settings);
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Server access logs would need a second bucket that holds session ids for ever; who reads an object is recorded by CloudTrail data events where a customer wants it.',
    });
  }

  /** CDK's own function, which empties the bucket, would leave a log behind that never expires. */
  #endLogsOfEmptying(settings: Settings): void {
    const logs = new LogGroup(this, 'EmptyingLogs', {
      retention: settings.log_retention_days,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const provider = Stack.of(this).node.findChild(EMPTYING);
    const handler = provider.node.findChild('Handler') as CfnResource;
    handler.addPropertyOverride('LoggingConfig.LogGroup', logs.logGroupName);
  }
}

/** By this name CDK has one provider in a stack. */
const EMPTYING = 'Custom::S3AutoDeleteObjectsCustomResourceProvider';

function transcripts({ transcript_days }: Settings): LifecycleRule[] {
  if (transcript_days === 0) return [];
  const expiration = Duration.days(transcript_days);
  return [{ id: 'transcripts', prefix: 'transcripts/', expiration }];
}

/** Indexes project keys only: rows are read by key afterwards, so no write is paid for twice. */
function index(indexName: string, prefix: string): GlobalSecondaryIndexProps {
  return {
    indexName,
    partitionKey: { name: `${prefix}pk`, type: AttributeType.STRING },
    sortKey: { name: `${prefix}sk`, type: AttributeType.STRING },
    projectionType: ProjectionType.KEYS_ONLY,
  };
}
