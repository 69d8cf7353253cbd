import { Policy } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import type { StepSize } from '#shared/turn/turn-ports.ts';
import { model } from './model-grants.ts';
import { NodeFunction } from './node-function.ts';
import type { Sandbox } from './sandbox.ts';
import type { Secrets } from './secrets.ts';
import type { SessionMachine } from './session-machine.ts';
import type { Settings } from './settings.ts';
import {
  allow,
  key,
  objectDeletes,
  objectNames,
  objects,
  objectVersions,
  rowReads,
  rows,
  rowWrites,
  seal,
  secrets,
} from './grants.ts';
import type { Storage } from './storage.ts';

export interface StepProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
  readonly sandbox: Sandbox;
}

/** Runs a session's steps: asks the model, runs its tools, writes the log. */
export class Step extends NodeFunction {
  /** Of the price of two: for a thread that needs its memory. */
  readonly large: IFunction;

  constructor(scope: Construct, id: string, props: StepProps) {
    const { settings, storage, sandbox } = props;
    const modelSecretArn = props.secrets.model.secretArn;
    super(scope, id, {
      room: 'step',
      description: 'Runs the steps of a session: model request, tools, log',
      settings,
      timeout_s: limits.step_timeout_s,
      memory_mib: limits.step_memory_mib,
      environment: {
        STEP_SIZE: 'small' satisfies StepSize,
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        KEY_ARN: storage.key.keyArn,
        SANDBOX_FUNCTION_NAME: sandbox.function.functionName,
        MODEL_SECRET_ARN: modelSecretArn,
        SEARCH_SECRET_ARN: settings.search_secret_arn,
        MODEL_PROVIDER: settings.model_provider,
        MODEL_IDS: settings.model_ids && JSON.stringify(settings.model_ids),
        PRICES: settings.prices && JSON.stringify(settings.prices),
        MEMORIES_MAX: String(settings.memories_max),
        MEMORY_VERSION_DAYS: String(settings.memory_version_days),
        TRANSCRIPT_DAYS: String(settings.transcript_days),
        OTLP_ENDPOINT: settings.otlp_endpoint,
        OTLP_HEADERS_SECRET_ARN: settings.otlp_headers_secret_arn,
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites]),
        objects(storage, 'sessions', ['s3:GetObject', 's3:PutObject']),
        objects(storage, 'parts', ['s3:GetObject', 's3:PutObject']),
        // What a refused write of a memory has put is taken away at once: nobody could redact it.
        objects(storage, 'memory_stores', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objectNames(storage, ['memory_stores']),
        objectVersions(storage, ['memory_stores']),
        objects(storage, 'files', ['s3:GetObject']),
        objects(storage, 'transcripts', ['s3:GetObject', 's3:PutObject']),
        key(storage, 'write'),
        seal(storage, 'kms:Decrypt'),
        ...secrets(modelSecretArn, settings.search_secret_arn, settings.otlp_headers_secret_arn),
        allow('Sandbox', ['lambda:InvokeFunction'], [sandbox.function.functionArn]),
        ...model(scope, settings),
      ],
    });
    this.large = this.sized('LargeFunction', {
      description: 'Runs those steps of a session that need more memory',
      memorySize: limits.large_step_memory_mib,
      environment: { STEP_SIZE: 'large' satisfies StepSize },
    });
  }

  /**
   * Starting runs of other threads. In a policy of its own: the role's first one must stand before
   * the function, which the machine names.
   */
  startRuns(machine: SessionMachine): void {
    const policy = new Policy(this, 'Runs', { roles: [this.role] });
    policy.addStatements(machine.start().statement);
  }
}
