import { Anthropic } from '@anthropic-ai/sdk';
import { limits } from '../core/limits.ts';
import { needed, readModelSecret } from './model-secret.ts';
import type { ModelSettings } from './open-model.ts';
import type { BatchesClient } from './sdk-batches.ts';
import type { Connection } from './sdk-model.ts';

/** Claude through Anthropic's API, or whatever speaks it at the secret's `base_url`. */
export function openAnthropic({
  secrets,
  secret_arn,
  model_ids,
  stall_ms,
}: ModelSettings): Connection<BatchesClient> {
  return {
    dialect: { provider: 'anthropic', model_ids },
    stall_ms: stall_ms ?? limits.model_stall_ms,
    connect: async (fetch, fresh) => {
      const secret = await readModelSecret(secrets, secret_arn, fresh);
      return new Anthropic({
        apiKey: needed(secret, 'api_key'),
        authToken: null,
        // Null, not undefined, keeps the SDK from looking into the environment.
        baseURL: secret.base_url ?? null,
        fetch,
        maxRetries: 0,
        logLevel: 'off',
      });
    },
  };
}
