import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { NodeFunction } from './node-function.ts';
import type { Sandbox } from './sandbox.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import {
  allow,
  key,
  objectDeletes,
  objectNames,
  objects,
  rowReads,
  rows,
  rowWrites,
  seal,
  secrets,
  star,
  type Grant,
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
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites]),
        objects(storage, 'sessions', ['s3:GetObject', 's3:PutObject']),
        // What a refused write of a memory has put is taken away at once: nobody could redact it.
        objects(storage, 'memory_stores', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objectNames(storage, ['memory_stores']),
        objects(storage, 'files', ['s3:GetObject']),
        objects(storage, 'transcripts', ['s3:PutObject']),
        key(storage, 'write'),
        seal(storage, 'kms:Decrypt'),
        ...secrets(modelSecretArn, settings.search_secret_arn),
        allow('Sandbox', ['lambda:InvokeFunction'], [sandbox.function.functionArn]),
        ...model(scope, settings),
      ],
    });
  }
}

/** What reaching the model needs of IAM. The Anthropic API is reached with the secret alone. */
function model(scope: Construct, settings: Settings): Grant[] {
  const { partition, region, account } = Stack.of(scope);
  const here = `arn:${partition}:`;
  const starred = (finding: string, reason: string) => ({
    id: star(`arn:<AWS::Partition>:${finding}`),
    reason,
  });
  switch (settings.model_provider) {
    case 'anthropic':
      return [];
    case 'claude-platform-aws': {
      const path = 'workspace/*';
      const workspace = `${here}aws-external-anthropic:${region}:${account}:${path}`;
      return [
        {
          ...allow('Model', ['aws-external-anthropic:CreateInference'], [workspace]),
          wildcard: starred(
            `aws-external-anthropic:<AWS::Region>:<AWS::AccountId>:${path}`,
            'The workspace stands in the secret, which is filled in after the deploy.',
          ),
        },
      ];
    }
    case 'bedrock': {
      const actions = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
      const models = 'foundation-model/anthropic.*';
      const profiles = 'inference-profile/*anthropic.*';
      return [
        {
          ...allow('Model', actions, [`${here}bedrock:*::${models}`]),
          wildcard: starred(
            `bedrock:*::${models}`,
            'An inference profile calls the model in whichever region it chooses; agents name models at run time.',
          ),
        },
        {
          ...allow('ModelProfiles', actions, [`${here}bedrock:${region}:${account}:${profiles}`]),
          wildcard: starred(
            `bedrock:<AWS::Region>:<AWS::AccountId>:${profiles}`,
            'Agents name models at run time; profiles of other vendors stay out.',
          ),
        },
      ];
    }
  }
}
