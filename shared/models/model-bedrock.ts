import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import { limits } from '../core/limits.ts';
import { modelFacts } from './catalogue.ts';
import { readModelSecret } from './model-secret.ts';
import type { ModelSettings } from './open-model.ts';
import type { Connection } from './sdk-model.ts';

/** The only version that Bedrock takes for models before 4.7. Source: API versions page. */
const LEGACY_VERSION = 'bedrock-2023-05-31';

/**
 * Amazon Bedrock through InvokeModelWithResponseStream: one door for old and new models. Signed with
 * the function's role, unless the secret holds a Bedrock API key.
 */
export function openBedrock({
  secrets,
  secret_arn,
  model_ids,
  stall_ms,
}: ModelSettings): Connection {
  return {
    dialect: { provider: 'bedrock', model_ids },
    stall_ms: stall_ms ?? limits.model_stall_bedrock_ms,
    headers: (model_id): Record<string, string> =>
      modelFacts(model_id).bedrock_legacy ? { 'anthropic-version': LEGACY_VERSION } : {},
    connect: async (fetch, fresh) => {
      const secret = await readModelSecret(secrets, secret_arn, fresh);
      return new AnthropicBedrock({
        apiKey: secret.api_key ?? null,
        ...(secret.base_url === undefined ? {} : { baseURL: secret.base_url }),
        fetch,
        maxRetries: 0,
        logLevel: 'off',
      });
    },
  };
}
