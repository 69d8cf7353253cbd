import { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { NodeFunction } from './node-function.ts';
import type { Sandbox } from './sandbox.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { allow, key, objects, rowReads, rows, rowWrites, secrets } from './statements.ts';
import type { Storage } from './storage.ts';

export interface StepProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
  readonly sandbox: Sandbox;
}

/** Runs a session's steps: asks the model, runs its tools, writes the log. */
export class Step extends NodeFunction {
  constructor(scope: Construct, id: string, props: StepProps) {
    const { settings, storage, sandbox } = props;
    const modelSecretArn = props.secrets.model?.secretArn;
    super(scope, id, {
      room: 'step',
      description: 'Runs the steps of a session: model request, tools, log',
      settings,
      timeout_s: limits.step_timeout_s,
      memory_mib: limits.step_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        SANDBOX_FUNCTION_NAME: sandbox.function.functionName,
        MODEL_SECRET_ARN: modelSecretArn,
        SEARCH_SECRET_ARN: settings.search_secret_arn,
        MODEL_PROVIDER: settings.model_provider,
        MODEL_IDS: settings.model_ids && JSON.stringify(settings.model_ids),
        PRICES: settings.prices && JSON.stringify(settings.prices),
      },
      statements: [
        ...rows(storage, [...rowReads, ...rowWrites], ['running']),
        objects(storage, ['s3:GetObject', 's3:PutObject']),
        key(storage, 'write'),
        ...secrets([modelSecretArn, settings.search_secret_arn]),
        allow('Sandbox', ['lambda:InvokeFunction'], [sandbox.function.functionArn]),
        ...model(scope, settings),
      ],
    });
  }
}

/** What reaching the model needs of IAM, by provider. */
function model(scope: Construct, settings: Settings): PolicyStatement[] {
  const { partition, region, account } = Stack.of(scope);
  switch (settings.model_provider) {
    case 'anthropic':
      return [];
    case 'claude-platform-aws':
      return [
        allow(
          'Model',
          ['aws-external-anthropic:CreateInference'],
          [`arn:${partition}:aws-external-anthropic:${region}:${account}:workspace/*`],
        ),
      ];
    case 'bedrock':
      return [
        allow(
          'Model',
          ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
          [
            // A cross-region inference profile calls the model in whichever region it chooses.
            `arn:${partition}:bedrock:*::foundation-model/anthropic.*`,
            `arn:${partition}:bedrock:${region}:${account}:inference-profile/*anthropic.*`,
          ],
        ),
      ];
  }
}
