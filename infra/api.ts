import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { NodeFunction } from './node-function.ts';
import type { Secrets } from './secrets.ts';
import type { SessionMachine } from './session-machine.ts';
import type { Settings } from './settings.ts';
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
  seal,
  secrets,
} from './grants.ts';
import type { Storage } from './storage.ts';

export interface ApiProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
  readonly machine: SessionMachine;
}

/** Answers every request but those of memory stores and what is streamed. */
export class Api extends NodeFunction {
  constructor(scope: Construct, id: string, props: ApiProps) {
    const { settings, storage, machine } = props;
    const adminKeyArn = props.secrets.admin.secretArn;
    super(scope, id, {
      room: 'api',
      description: 'Answers the API',
      settings,
      timeout_s: limits.api_timeout_s,
      memory_mib: limits.api_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        KEY_ARN: storage.key.keyArn,
        SESSION_MACHINE_ARN: machine.arn,
        ADMIN_KEY_SECRET_ARN: adminKeyArn,
        // The models that a session may name, and what its budget is counted in.
        MODEL_PROVIDER: settings.model_provider,
        MODEL_IDS: settings.model_ids && JSON.stringify(settings.model_ids),
        PRICES: settings.prices && JSON.stringify(settings.prices),
        TRANSCRIPT_DAYS: String(settings.transcript_days),
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites, rowChecks, rowSweeps]),
        indexes(storage, 'list'),
        objects(storage, 'sessions', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objects(storage, 'parts', objectDeletes),
        objects(storage, 'files', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objects(storage, 'transcripts', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        // Agents, environments, outcome models and remembered answers that are too large for a row.
        objects(storage, 'configs', ['s3:GetObject', 's3:PutObject']),
        objects(storage, 'idempotency', ['s3:GetObject', 's3:PutObject']),
        objectNames(storage, ['files']),
        objectVersions(storage, ['sessions', 'parts', 'files', 'transcripts']),
        key(storage, 'write'),
        seal(storage, 'kms:Encrypt'),
        ...secrets(adminKeyArn),
        machine.start(),
      ],
    });
  }
}
