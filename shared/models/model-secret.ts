import * as z from 'zod';
import { ModelError } from './model-error.ts';
import type { Secrets } from '../core/secrets.ts';

/** What the operator writes into the model secret, as JSON. Every provider needs another part of it. */
const ModelSecret = z.looseObject({
  /** Anthropic's key, the key of Claude Platform on AWS, or a Bedrock API key. */
  api_key: z.string().min(1).exactOptional(),
  base_url: z.url().exactOptional(),
  /** Claude Platform on AWS only: the workspace that pays. */
  workspace_id: z.string().min(1).exactOptional(),
});
export type ModelSecret = z.infer<typeof ModelSecret>;

/** Reads and parses the model secret. @throws ModelError `unauthorized`, which never quotes the secret. */
export async function readModelSecret(
  secrets: Secrets,
  arn: string,
  fresh: boolean,
): Promise<ModelSecret> {
  const text = await (fresh ? secrets.readFresh(arn) : secrets.read(arn));
  try {
    return ModelSecret.parse(JSON.parse(text));
  } catch {
    // Neither the parser's message nor its cause: both quote what they read.
    throw misconfigured('it must be JSON like {"api_key": "…"}.');
  }
}

/** @throws ModelError `unauthorized` when the field is missing, saying which one. */
export function needed(secret: ModelSecret, field: 'api_key' | 'workspace_id'): string {
  const value = secret[field];
  if (value === undefined) throw misconfigured(`it has no ${field}.`);
  return value;
}

function misconfigured(what: string): ModelError {
  const message = `The model secret is not usable: ${what}`;
  return new ModelError(message, { kind: 'unauthorized', retryable: false });
}
