import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import * as z from 'zod';

/**
 * The JSON Schema that a model's answer is held to, of the schema that it is checked by afterwards:
 * bounds that the provider cannot enforce become words of the description. Its `title` is kept.
 */
export function answerSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return transformJSONSchema(z.toJSONSchema(schema));
}

/**
 * The JSON object that an answer consists of; undefined for anything else. The whole text must be the
 * object: one that is only quoted in a text is no answer.
 */
export function jsonAnswer(text: string): unknown {
  const bare = text.trim().replace(/^```(?:json)?\n([\s\S]*)\n```$/, '$1');
  try {
    return JSON.parse(bare) as unknown;
  } catch {
    return undefined;
  }
}
