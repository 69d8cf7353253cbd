import Anthropic from '@anthropic-ai/sdk';
import { startHostProcess, startModelProcess } from '../bench/processes.ts';
import type { Result } from '../bench/result.ts';
import { crowd, type CrowdOptions } from './crowd.ts';
import { failedAnswers } from './failed-answers.ts';
import { growth, type GrowthOptions } from './growth.ts';

export type LoadOptions = CrowdOptions & GrowthOptions;

/**
 * A crowd, and then growth, on one host whose model answers at once. The client repeats as a user's does:
 * a busy machine may take longer than API Gateway waits.
 */
export async function load(data_dir: string, options: LoadOptions): Promise<Result[]> {
  const model = await startModelProcess();
  try {
    const host = await startHostProcess(model.url, data_dir);
    const { base_url: baseURL, api_key: apiKey } = host;
    const failed = failedAnswers();
    const client = new Anthropic({ baseURL, apiKey, timeout: 120_000, fetch: failed.fetch });
    try {
      const results = options.sessions === 0 ? [] : await crowd(client, host, options);
      results.push({ name: 'load_answers_5xx', value: failed.count(), unit: 'count' });
      if (options.signal?.aborted === true) return results;
      return [...results, ...(await growth(client, host, options))];
    } finally {
      await host.stop();
    }
  } finally {
    await model.stop();
  }
}
