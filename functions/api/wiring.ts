import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Logger } from '@aws-lambda-powertools/logger';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { required } from '#shared/core/env.ts';
import { newId } from '#shared/core/id.ts';
import type { Ports } from '#shared/core/ports.ts';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import type { Door } from './serve.ts';

const ports: Ports = {
  table: new DynamoTable(required('TABLE_NAME')),
  blobs: new S3Blobs(required('BUCKET_NAME')),
  clock: systemClock,
  newId,
};

const secrets = new AwsSecrets(new SecretsManagerClient());
const admin_key_arn = required('ADMIN_KEY_SECRET_ARN');

export const door: Door = {
  ports,
  keyring: new Keyring(ports.table, ports.clock, () => secrets.read(admin_key_arn)),
  logger: new Logger(),
};
