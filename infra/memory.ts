import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import {
  indexes,
  key,
  objectDeletes,
  objectNames,
  objects,
  objectVersions,
  rowChecks,
  rowReads,
  rows,
  rowSweeps,
  rowWrites,
  secrets,
} from './grants.ts';
import type { DreamMachine } from './dream-machine.ts';
import type { Fire } from './fire.ts';
import { NodeFunction } from './node-function.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

export interface MemoryProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
  readonly dreams: DreamMachine;
  readonly fire: Fire;
}

/** Answers every request about memory stores and dreams: whole stores are searched, diffed and imported here. */
export class Memory extends NodeFunction {
  constructor(scope: Construct, id: string, props: MemoryProps) {
    const { settings, storage } = props;
    const adminKeyArn = props.secrets.admin.secretArn;
    super(scope, id, {
      room: 'memory',
      description: 'Answers the API of memory stores and dreams',
      settings,
      timeout_s: limits.api_timeout_s,
      memory_mib: limits.memory_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        ADMIN_KEY_SECRET_ARN: adminKeyArn,
        DREAM_MACHINE_ARN: props.dreams.arn,
        FIRE_FUNCTION_NAME: props.fire.function.functionName,
        MODEL_PROVIDER: settings.model_provider,
        MEMORIES_MAX: String(settings.memories_max),
        MEMORY_VERSION_DAYS: String(settings.memory_version_days),
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites, rowChecks, rowSweeps]),
        indexes(storage, 'list'),
        objects(storage, 'memory_stores', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        // A redaction takes from dreams what they have read.
        objects(storage, 'dreams', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        // What a store is imported from.
        objects(storage, 'files', ['s3:GetObject']),
        // What a repeated decision is answered with, when it is too large for a row.
        objects(storage, 'idempotency', ['s3:GetObject', 's3:PutObject']),
        objectNames(storage, ['memory_stores']),
        objectVersions(storage, ['dreams', 'memory_stores']),
        key(storage, 'write'),
        ...secrets(adminKeyArn),
        props.dreams.start(),
        props.fire.invoke(),
      ],
    });
  }
}
