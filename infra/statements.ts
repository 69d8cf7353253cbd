import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Storage } from './storage.ts';

/**
 * Statements of the functions' roles, by hand: CDK's grants would add Scan, every index and every
 * key action. Transactions are authorised by the actions of their single items.
 */
export const rowReads = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
export const rowWrites = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:BatchWriteItem',
];

export type Index = 'list' | 'running';

export function allow(
  sid: string,
  actions: string[],
  resources: string[],
  conditions?: Conditions,
): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    actions,
    resources,
    ...(conditions && { conditions }),
  });
}

type Conditions = Record<string, Record<string, string | string[]>>;

/** The table itself by `actions`, and its indexes by Query alone: there is nothing else to do with one. */
export function rows(
  storage: Storage,
  actions: string[],
  indexes: Index[] = [],
): PolicyStatement[] {
  const { tableArn } = storage.table;
  const statements = [allow('Rows', actions, [tableArn])];
  if (indexes.length > 0) {
    const arns = indexes.map((name) => `${tableArn}/index/${name}`);
    statements.push(allow('Indexes', ['dynamodb:Query'], arns));
  }
  return statements;
}

/** Objects of sessions, and nothing else that may once stand in the bucket. */
export function objects(storage: Storage, actions: string[]): PolicyStatement {
  return allow('Objects', actions, [storage.bucket.arnForObjects('sessions/*')]);
}

/** The names of a session's objects: needed to delete them with it. */
export function objectNames(storage: Storage): PolicyStatement {
  return allow('ObjectNames', ['s3:ListBucket'], [storage.bucket.bucketArn], {
    StringLike: { 's3:prefix': 'sessions/*' },
  });
}

const KEY_READS = ['kms:Decrypt', 'kms:DescribeKey'];
const KEY_WRITES = ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];

/** The key, only through the services that keep things under it. */
export function key(storage: Storage, use: 'read' | 'write'): PolicyStatement {
  const { region, urlSuffix } = Stack.of(storage);
  const services = ['dynamodb', 's3', 'secretsmanager'].map(
    (name) => `${name}.${region}.${urlSuffix}`,
  );
  return allow(
    'Key',
    use === 'read' ? KEY_READS : [...KEY_READS, ...KEY_WRITES],
    [storage.key.keyArn],
    {
      StringEquals: { 'kms:ViaService': services },
    },
  );
}

export function secrets(arns: (string | undefined)[]): PolicyStatement[] {
  const given = arns.filter((arn) => arn !== undefined);
  return given.length > 0 ? [allow('Secrets', ['secretsmanager:GetSecretValue'], given)] : [];
}
