import { Logger } from '@aws-lambda-powertools/logger';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { systemClock } from '#shared/core/clock.ts';
import { optional, required } from '#shared/core/env.ts';
import { newId } from '#shared/core/id.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import {
  openBatches,
  openModel,
  parseModelIds,
  type ModelSettings,
} from '#shared/models/open-model.ts';
import { parseProvider } from '#shared/models/provider.ts';
import { parsePrices } from '#shared/models/prices.ts';
import type { Wiring } from './dream-task.ts';

const settings: ModelSettings = {
  provider: parseProvider(required('MODEL_PROVIDER')),
  secrets: new AwsSecrets(),
  secret_arn: required('MODEL_SECRET_ARN'),
  model_ids: parseModelIds(optional('MODEL_IDS')),
};

export const wiring: Wiring = {
  ports: {
    table: new DynamoTable(required('TABLE_NAME')),
    blobs: new S3Blobs(required('BUCKET_NAME')),
    clock: systemClock,
    newId,
    memories_max: Number(required('MEMORIES_MAX')),
    version_days: Number(required('MEMORY_VERSION_DAYS')),
    prices: parsePrices(optional('PRICES')),
    model: openModel(settings),
    batches: openBatches(settings),
  },
  logger: new Logger(),
};
