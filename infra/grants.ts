import { Stack, Validations, type Acknowledgment } from 'aws-cdk-lib';
import { Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Storage } from './storage.ts';

/**
 * What a role may do, by hand: CDK's own grants would add Scan, every index and every key action.
 */
export interface Grant {
  readonly statement: PolicyStatement;
  /** Why a resource of the statement ends in a star, where one does. */
  readonly wildcard?: Acknowledgment;
}

type Conditions = Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;

export function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
  conditions: Conditions = {},
): Grant {
  const statement = new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    actions: [...actions],
    resources: [...resources],
    conditions,
  });
  return { statement };
}

/** Put the grants into the role's policy, and their reasons beside it. */
export function give(role: Role, grants: readonly Grant[]): void {
  for (const { statement, wildcard } of grants) {
    role.addToPrincipalPolicy(statement);
    if (wildcard) Validations.of(role).acknowledge(wildcard);
  }
}

/** The id by which cdk-nag knows a resource with a star. */
export const star = (resource: string): string => `AwsSolutions-IAM5[Resource::${resource}]`;

export const rowReads = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];

/** Transactions are authorised by the actions of their single items. */
export const rowWrites = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'];

/** Of who makes a transaction depend on a row that it leaves as it is: a memory store that must live. */
export const rowChecks = 'dynamodb:ConditionCheckItem';

/** Of who sweeps what is deleted. */
export const rowSweeps = 'dynamodb:BatchWriteItem';

export function rows({ table }: Storage, actions: readonly string[]): Grant {
  return allow('Rows', actions, [table.tableArn]);
}

/** Updates of the marks by which streams say that they listen, and of no other row. */
export function listenMarks({ table }: Storage): Grant {
  const conditions = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'LISTEN#*' } };
  return allow('Listens', ['dynamodb:UpdateItem'], [table.tableArn], conditions);
}

export function indexes({ table }: Storage, ...names: readonly ('list' | 'running')[]): Grant {
  const arns = names.map((name) => `${table.tableArn}/index/${name}`);
  return allow('Index', ['dynamodb:Query'], arns);
}

/** The prefixes of the bucket: whose objects stand below each. */
type Prefix =
  | 'sessions'
  | 'parts'
  | 'dreams'
  | 'memory_stores'
  | 'files'
  | 'transcripts'
  | 'configs'
  | 'idempotency';

const sids: Readonly<Record<Prefix, string>> = {
  sessions: 'Objects',
  parts: 'Parts',
  dreams: 'DreamObjects',
  memory_stores: 'Memories',
  files: 'Files',
  transcripts: 'Transcripts',
  configs: 'Configs',
  idempotency: 'Answers',
};

/** Objects under one prefix, and nothing else that may once stand in the bucket. */
export function objects({ bucket }: Storage, prefix: Prefix, actions: readonly string[]): Grant {
  const id = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket);
  return {
    ...allow(sids[prefix], actions, [bucket.arnForObjects(`${prefix}/*`)]),
    wildcard: {
      id: star(`<${id}.Arn>/${prefix}/*`),
      reason:
        'Objects are named by their owner and hash when they are made: their prefix is all that is known.',
    },
  };
}

/** Whether objects are there, and which. */
export function objectNames(storage: Storage, prefixes: readonly Prefix[]): Grant {
  return names(storage, 'ObjectNames', 's3:ListBucket', prefixes);
}

/** All versions of objects: needed to delete them for good. */
export function objectVersions(storage: Storage, prefixes: readonly Prefix[]): Grant {
  return names(storage, 'ObjectVersions', 's3:ListBucketVersions', prefixes);
}

function names(
  { bucket }: Storage,
  sid: string,
  action: string,
  prefixes: readonly Prefix[],
): Grant {
  const patterns = prefixes.map((prefix) => `${prefix}/*`);
  return allow(sid, [action], [bucket.bucketArn], { StringLike: { 's3:prefix': patterns } });
}

/** A version that is deleted by its id is gone; without the id it would only be hidden. */
export const objectDeletes = ['s3:DeleteObject', 's3:DeleteObjectVersion'];

const KEY_READS = ['kms:Decrypt', 'kms:DescribeKey'];
const KEY_WRITES = ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];

/** The key, and only through the services that keep things under it. */
export function key(storage: Storage, use: 'read' | 'write'): Grant {
  const { region } = Stack.of(storage);
  const services = ['dynamodb', 's3', 'secretsmanager'].map(
    (name) => `${name}.${region}.amazonaws.com`,
  );
  const actions = use === 'read' ? KEY_READS : [...KEY_READS, ...KEY_WRITES];
  const conditions = { StringEquals: { 'kms:ViaService': services } };
  return allow('Key', actions, [storage.key.keyArn], conditions);
}

/**
 * The key itself, for what a row holds sealed under its session. Data keys of the table and the
 * bucket have other contexts: whoever may open the one cannot open the other.
 */
export function seal({ key }: Storage, action: 'kms:Encrypt' | 'kms:Decrypt'): Grant {
  const conditions = { StringLike: { 'kms:EncryptionContext:session_id': 'sesn_*' } };
  return allow('Seal', [action], [key.keyArn], conditions);
}

/** Reading the secrets that there are: a deployment without one passes undefined. */
export function secrets(...arns: readonly (string | undefined)[]): Grant[] {
  const given = arns.filter((arn) => arn !== undefined);
  return given.length === 0 ? [] : [allow('Secrets', ['secretsmanager:GetSecretValue'], given)];
}
