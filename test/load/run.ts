import Anthropic from '@anthropic-ai/sdk';
import { startHostProcess, startModelProcess } from '../bench/processes.ts';
import type { Result } from '../bench/result.ts';
import { crowd, type CrowdOptions } from './crowd.ts';
import { growth, type GrowthOptions } from './growth.ts';

export type LoadOptions = CrowdOptions & GrowthOptions;

/** A crowd, and then growth, on one host whose model answers at once. */
export async function load(data_dir: string, options: LoadOptions): Promise<Result[]> {
  const model = await startModelProcess();
  try {
    const host = await startHostProcess(model.url, data_dir);
    const { base_url: baseURL, api_key: apiKey } = host;
    const client = new Anthropic({ baseURL, apiKey, maxRetries: 0, timeout: 120_000 });
    try {
      const results = options.sessions === 0 ? [] : await crowd(client, host, options);
      if (options.signal?.aborted === true) return results;
      return [...results, ...(await growth(client, host, options))];
    } finally {
      await host.stop();
    }
  } finally {
    await model.stop();
  }
}
