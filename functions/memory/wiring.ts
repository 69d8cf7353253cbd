import { Logger } from '@aws-lambda-powertools/logger';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { required } from '#shared/core/env.ts';
import { StepFunctionsExecutions } from '#shared/core/executions-sfn.ts';
import { newId, newName } from '#shared/core/id.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import type { Door } from '#shared/door/serve.ts';
import { LambdaFiring } from '#shared/dream-schedules/firing-lambda.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { parseProvider } from '#shared/models/provider.ts';
import type { MemoryDoorPorts } from './route-table.ts';

const logger = new Logger();

export const ports: MemoryDoorPorts = {
  table: new DynamoTable(required('TABLE_NAME')),
  blobs: new S3Blobs(required('BUCKET_NAME')),
  clock: systemClock,
  newId,
  newName,
  dreams: new StepFunctionsExecutions(required('DREAM_MACHINE_ARN')),
  startLost: (error) => logger.error('a dream was not started', { error: error as Error }),
  firing: new LambdaFiring(required('FIRE_FUNCTION_NAME')),
  firingLost: (error) => logger.error('a schedule was not seen to', { error: error as Error }),
  model_provider: parseProvider(required('MODEL_PROVIDER')),
  memories_max: Number(required('MEMORIES_MAX')),
  version_days: Number(required('MEMORY_VERSION_DAYS')),
  sweepLost: (error) => logger.error('a memory store was not swept', { error: error as Error }),
};

const secrets = new AwsSecrets();
const admin_key_arn = required('ADMIN_KEY_SECRET_ARN');

export const door: Door = {
  ports,
  keyring: new Keyring(ports.table, ports.clock, () => secrets.read(admin_key_arn)),
  logger,
};
