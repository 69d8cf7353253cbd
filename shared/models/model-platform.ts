import { AnthropicAws } from '@anthropic-ai/aws-sdk';
import { limits } from '../core/limits.ts';
import { needed, readModelSecret } from './model-secret.ts';
import type { ModelSettings } from './open-model.ts';
import type { BatchesClient } from './sdk-batches.ts';
import type { Connection } from './sdk-model.ts';

/**
 * Claude Platform on AWS: Anthropic's API behind AWS's door. Signed with the function's role, unless
 * the secret holds an API key; the secret names the workspace in either case.
 */
export function openPlatform({
  secrets,
  secret_arn,
  model_ids,
  stall_ms,
}: ModelSettings): Connection<BatchesClient> {
  return {
    dialect: { provider: 'claude-platform-aws', model_ids },
    stall_ms: stall_ms ?? limits.model_stall_ms,
    connect: async (fetch, fresh) => {
      const secret = await readModelSecret(secrets, secret_arn, fresh);
      return new AnthropicAws({
        // Null keeps the SDK from the environment and makes it sign.
        apiKey: secret.api_key ?? null,
        workspaceId: needed(secret, 'workspace_id'),
        ...(secret.base_url === undefined ? {} : { baseURL: secret.base_url }),
        fetch,
        maxRetries: 0,
        logLevel: 'off',
      });
    },
  };
}
