import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import {
  indexes,
  key,
  objectDeletes,
  objectNames,
  objects,
  objectVersions,
  rowReads,
  rows,
  rowWrites,
  secrets,
} from './grants.ts';
import { model } from './model-grants.ts';
import { NodeFunction } from './node-function.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

export interface DreamProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
}

/** The tasks of the dream machine: reads sessions, asks the model, writes the store. */
export class Dream extends NodeFunction {
  constructor(scope: Construct, id: string, props: DreamProps) {
    const { settings, storage } = props;
    const modelSecretArn = props.secrets.model.secretArn;
    super(scope, id, {
      room: 'dream',
      description: 'Does the stages of a dream, from its inputs to its report',
      settings,
      timeout_s: limits.dream_timeout_s,
      memory_mib: limits.dream_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        MODEL_SECRET_ARN: modelSecretArn,
        MODEL_PROVIDER: settings.model_provider,
        MODEL_IDS: settings.model_ids && JSON.stringify(settings.model_ids),
        PRICES: settings.prices && JSON.stringify(settings.prices),
        MEMORIES_MAX: String(settings.memories_max),
        MEMORY_VERSION_DAYS: String(settings.memory_version_days),
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites]),
        // Whether a person has written some of what it copies: by the versions of one memory.
        indexes(storage, 'list'),
        // What a batch was asked is deleted with its end: it holds what sessions have said.
        objects(storage, 'dreams', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        // Its own session's events are put there too.
        objects(storage, 'sessions', ['s3:GetObject', 's3:PutObject']),
        // What a refused write of a memory has put is taken away at once: nobody could redact it.
        objects(storage, 'memory_stores', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objectNames(storage, ['dreams', 'memory_stores']),
        objectVersions(storage, ['dreams', 'memory_stores']),
        key(storage, 'write'),
        ...secrets(modelSecretArn),
        ...model(scope, settings, { batches: true }),
      ],
    });
  }
}
