import * as z from 'zod';
import { unreachable } from '../core/invariant.ts';
import type { Secrets } from '../core/secrets.ts';
import { providerBatches, type Batches, type BatchProvider } from './batches.ts';
import type { Model, ModelPart, Provider } from './model.ts';
import type { ModelIds } from './params.ts';
import type { BatchesClient } from './sdk-batches.ts';
import type { Connection } from './sdk-model.ts';

export interface ModelSettings {
  readonly provider: Provider;
  readonly secrets: Secrets;
  /** Where the key is. Bedrock and Claude Platform on AWS need none in it: `{}` will do for Bedrock. */
  readonly secret_arn: string;
  readonly model_ids: ModelIds;
  /** How long no byte may come. @default - the limit of the provider */
  readonly stall_ms?: number;
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

/** The batches of this deployment, loaded likewise; undefined where its provider has none. */
export function openBatches(settings: ModelSettings): Batches | undefined {
  const { provider } = settings;
  if (!providerBatches(provider)) return undefined;
  let opened: Promise<Batches> | undefined;
  const batches = async (): Promise<Batches> => await (opened ??= loadBatches(settings, provider));
  return {
    submit: async (...asked) => await (await batches()).submit(...asked),
    state: async (...asked) => await (await batches()).state(...asked),
    async *answers(...asked) {
      yield* (await batches()).answers(...asked);
    },
    cancel: async (...asked) => await (await batches()).cancel(...asked),
    forget: async (...asked) => await (await batches()).forget(...asked),
  };
}

async function load(settings: ModelSettings): Promise<Model> {
  const { SdkModel } = await import('./sdk-model.ts');
  const { provider } = settings;
  if (providerBatches(provider)) return new SdkModel(await connectionOf(settings, provider));
  return new SdkModel((await import('./model-bedrock.ts')).openBedrock(settings));
}

async function loadBatches(settings: ModelSettings, provider: BatchProvider): Promise<Batches> {
  const { SdkBatches } = await import('./sdk-batches.ts');
  return new SdkBatches(await connectionOf(settings, provider));
}

async function connectionOf(
  settings: ModelSettings,
  provider: BatchProvider,
): Promise<Connection<BatchesClient>> {
  switch (provider) {
    case 'anthropic':
      return (await import('./model-anthropic.ts')).openAnthropic(settings);
    case 'claude-platform-aws':
      return (await import('./model-platform.ts')).openPlatform(settings);
    default:
      return unreachable(provider);
  }
}
