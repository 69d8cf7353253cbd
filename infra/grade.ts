import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { allow, key, objects, rowReads, rows, secrets } from './grants.ts';
import { model } from './model-grants.ts';
import { NodeFunction } from './node-function.ts';
import type { Sandbox } from './sandbox.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

export interface GradeProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
  readonly sandbox: Sandbox;
}

/** Judges what a session has handed over: reads its files, asks the model, writes verdict or report. */
export class Grade extends NodeFunction {
  constructor(scope: Construct, id: string, props: GradeProps) {
    const { settings, storage, sandbox } = props;
    const modelSecretArn = props.secrets.model.secretArn;
    super(scope, id, {
      room: 'grade',
      description: 'Judges the outcome of a session in a context of its own',
      settings,
      timeout_s: limits.step_timeout_s,
      memory_mib: limits.grade_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        SANDBOX_FUNCTION_NAME: sandbox.function.functionName,
        MODEL_SECRET_ARN: modelSecretArn,
        MODEL_PROVIDER: settings.model_provider,
        MODEL_IDS: settings.model_ids && JSON.stringify(settings.model_ids),
        PRICES: settings.prices && JSON.stringify(settings.prices),
      },
      grants: [
        // It appends to the log and never removes.
        rows(storage, [...rowReads, 'dynamodb:PutItem', 'dynamodb:UpdateItem']),
        objects(storage, 'sessions', ['s3:GetObject', 's3:PutObject']),
        objects(storage, 'parts', ['s3:GetObject', 's3:PutObject']),
        // A large outcome model.
        objects(storage, 'configs', ['s3:GetObject']),
        key(storage, 'write'),
        ...secrets(modelSecretArn),
        allow('Sandbox', ['lambda:InvokeFunction'], [sandbox.function.functionArn]),
        ...model(scope, settings),
      ],
    });
  }
}
