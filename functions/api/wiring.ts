import { Logger } from '@aws-lambda-powertools/logger';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { KmsCipher } from '#shared/core/cipher-kms.ts';
import { systemClock } from '#shared/core/clock.ts';
import { optional, required } from '#shared/core/env.ts';
import { newId } from '#shared/core/id.ts';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { parsePrices } from '#shared/models/prices.ts';
import { StepFunctionsRuns } from '#shared/sessions/runs-sfn.ts';
import type { ApiPorts } from './route-table.ts';
import type { Door } from '#shared/door/serve.ts';

const logger = new Logger();

export const ports: ApiPorts = {
  table: new DynamoTable(required('TABLE_NAME')),
  blobs: new S3Blobs(required('BUCKET_NAME')),
  clock: systemClock,
  newId,
  runs: new StepFunctionsRuns(required('SESSION_MACHINE_ARN')),
  prices: parsePrices(optional('PRICES')),
  cipher: new KmsCipher(required('KEY_ARN')),
  transcript_days: Number(required('TRANSCRIPT_DAYS')),
  startLost: (error) => logger.error('a run was not started', { error: error as Error }),
  transcriptLost: (error) => logger.error('transcript not written', { error: error as Error }),
  sweepLost: (error) => logger.error('a session was not swept', { error: error as Error }),
};

const secrets = new AwsSecrets();
const admin_key_arn = required('ADMIN_KEY_SECRET_ARN');

export const door: Door = {
  ports,
  keyring: new Keyring(ports.table, ports.clock, () => secrets.read(admin_key_arn)),
  logger,
};
