import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { allow, star, type Grant } from './grants.ts';
import type { Settings } from './settings.ts';

/** Source: IAM actions of Claude Platform on AWS. */
const BATCHES = ['CreateBatch', 'GetBatch', 'CancelBatch', 'DeleteBatch'];

/**
 * What reaching the model needs of IAM. The Anthropic API is reached with the secret alone.
 *
 * @param options `batches`: also by Message Batches, where the provider has them.
 */
export function model(
  scope: Construct,
  settings: Settings,
  { batches = false }: { readonly batches?: boolean } = {},
): Grant[] {
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
      const actions = ['Create', ...(batches ? BATCHES : [])].map(
        (what) => `aws-external-anthropic:${what}Inference`,
      );
      const workspace = `${here}aws-external-anthropic:${region}:${account}:${path}`;
      return [
        {
          ...allow('Model', actions, [workspace]),
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
      // AWS names those of the account's own; a profile runs no model that is not granted beside it.
      const profiles = {
        ModelProfiles: 'inference-profile/*anthropic.*',
        OwnModelProfiles: 'application-inference-profile/*',
      };
      return [
        {
          ...allow('Model', actions, [`${here}bedrock:*::${models}`]),
          wildcard: starred(
            `bedrock:*::${models}`,
            'An inference profile calls the model in whichever region it chooses; agents name models at run time.',
          ),
        },
        ...Object.entries(profiles).map(([sid, path]) => ({
          ...allow(sid, actions, [`${here}bedrock:${region}:${account}:${path}`]),
          wildcard: starred(
            `bedrock:<AWS::Region>:<AWS::AccountId>:${path}`,
            'Agents name models at run time; models of other vendors stay out.',
          ),
        })),
      ];
    }
  }
}
