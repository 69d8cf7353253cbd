import * as z from 'zod';
import { unreachable } from '../core/invariant.ts';
import type { Secrets } from '../core/secrets.ts';
import type { Model, ModelPart, Provider } from './model.ts';
import { providers } from './model.ts';
import type { ModelIds } from './params.ts';

export interface ModelSettings {
  readonly provider: Provider;
  readonly secrets: Secrets;
  /** Where the key is. Bedrock and Claude Platform on AWS need none in it: `{}` will do for Bedrock. */
  readonly secret_arn: string;
  readonly model_ids: ModelIds;
  /** How long no byte may come. @default - the limit of the provider */
  readonly stall_ms?: number;
}

/** The environment's MODEL_PROVIDER. @throws at load */
export function parseProvider(text: string): Provider {
  return z.enum(providers).parse(text);
}

/** The environment's MODEL_IDS. @throws at load */
export function parseModelIds(text: string | undefined): ModelIds {
  if (text === undefined) return {};
  return z.record(z.string(), z.string().min(1)).parse(JSON.parse(text));
}

/** The model of this deployment. Its SDK is loaded with the first request, and no other one is. */
export function openModel(settings: ModelSettings): Model {
  let opened: Promise<Model> | undefined;
  return {
    async *stream(request, signal): AsyncGenerator<ModelPart> {
      opened ??= load(settings);
      const model = await opened;
      yield* model.stream(request, signal);
    },
  };
}

async function load(settings: ModelSettings): Promise<Model> {
  switch (settings.provider) {
    case 'anthropic':
      return (await import('./model-anthropic.ts')).openAnthropic(settings);
    case 'claude-platform-aws':
      return (await import('./model-platform.ts')).openPlatform(settings);
    case 'bedrock':
      return (await import('./model-bedrock.ts')).openBedrock(settings);
    default:
      return unreachable(settings.provider);
  }
}
