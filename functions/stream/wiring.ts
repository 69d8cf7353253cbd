import { Logger } from '@aws-lambda-powertools/logger';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { required } from '#shared/core/env.ts';
import { newId } from '#shared/core/id.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import type { Door } from '#shared/door/serve.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { Tail } from '#shared/threads/tail.ts';
import type { StreamPorts } from './stream-route.ts';

const table = new DynamoTable(required('TABLE_NAME'));
const secrets = new AwsSecrets();
const admin_key_arn = required('ADMIN_KEY_SECRET_ARN');

export const ports: StreamPorts = {
  table,
  blobs: new S3Blobs(required('BUCKET_NAME')),
  clock: systemClock,
  newId,
  tail: new Tail(table),
};

export const door: Door = {
  ports,
  keyring: new Keyring(table, systemClock, () => secrets.read(admin_key_arn)),
  logger: new Logger(),
};
