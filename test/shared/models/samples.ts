import type { Secrets } from '#shared/core/secrets.ts';
import type {
  Model,
  ModelPart,
  ModelRequest,
  Provider,
  RequestUsage,
} from '#shared/models/model.ts';
import { openModel } from '#shared/models/open-model.ts';

/** A secret that changes when it is asked for afresh, as a rotation does. */
export class FakeSecrets implements Secrets {
  reads = 0;
  fresh_reads = 0;
  #values: readonly object[];

  constructor(...values: readonly object[]) {
    this.#values = values;
  }

  async read(): Promise<string> {
    this.reads += 1;
    return JSON.stringify(this.#values[0]);
  }

  async readFresh(): Promise<string> {
    this.fresh_reads += 1;
    this.#values = this.#values.length > 1 ? this.#values.slice(1) : this.#values;
    return JSON.stringify(this.#values[0]);
  }
}

export function modelAt(
  base_url: string,
  { provider = 'anthropic' as Provider, stall_ms = 5_000, secret = {} as object } = {},
): Model {
  const secrets = new FakeSecrets({ api_key: 'sk-test-key', base_url, ...secret });
  return openModel({ provider, secrets, secret_arn: 'arn', model_ids: {}, stall_ms });
}

export function aRequest(over: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: { id: 'claude-opus-5', effort: { type: 'high' }, speed: 'standard' },
    system: 'You work.',
    messages: [{ role: 'user', content: 'hello' }],
    tools: [],
    purpose: 'turn',
    thread_id: 'sthr_1',
    ...over,
  };
}

export const noUsage: RequestUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  web_search_requests: 0,
};

export const never = (): AbortSignal => new AbortController().signal;

export async function partsOf(parts: AsyncIterable<ModelPart>): Promise<ModelPart[]> {
  const heard: ModelPart[] = [];
  for await (const part of parts) heard.push(part);
  return heard;
}

/** What a stream said before it threw, and what it threw. */
export async function failureOf(
  parts: AsyncIterable<ModelPart>,
): Promise<{ said: ModelPart[]; error: unknown }> {
  const said: ModelPart[] = [];
  try {
    for await (const part of parts) said.push(part);
  } catch (error) {
    return { said, error };
  }
  return { said, error: undefined };
}
