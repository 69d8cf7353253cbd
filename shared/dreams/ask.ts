import type * as z from 'zod';
import { limits } from '../core/limits.ts';
import { answerSchema, jsonAnswer } from '../models/json-answer.ts';
import { ModelError } from '../models/model-error.ts';
import { addRequestUsage, ask, noRequestUsage, textOf, type ModelReply } from '../models/model.ts';
import { requestCostMicrocents } from '../models/prices.ts';
import type { ThinkPorts, ThinkUsage } from './thinking.ts';

export const noThinking: ThinkUsage = { ...noRequestUsage, requests_count: 0, cost_microcents: 0 };

export function addThinking(a: ThinkUsage, b: ThinkUsage): ThinkUsage {
  const is_known = a.cost_microcents !== null && b.cost_microcents !== null;
  return {
    ...addRequestUsage(a, b),
    requests_count: a.requests_count + b.requests_count,
    cost_microcents: is_known ? (a.cost_microcents ?? 0) + (b.cost_microcents ?? 0) : null,
  };
}

/** One question to the model, answered by one JSON object. */
export interface Question<Schema extends z.ZodType> {
  readonly system: string;
  readonly content: string;
  /** Of the answer; what the provider holds the model to is made of it. */
  readonly schema: Schema;
}

export type Asked<Value> = {
  readonly usage: ThinkUsage;
} & ({ readonly value: Value } | { readonly fault: string });

/**
 * Ask for a structured answer: `output_config.format`, which goes together with thinking where a
 * forced tool does not ("Thinking may not be enabled when tool_choice forces tool use"). Where the
 * provider cannot hold the model to it the schema stands in the prompt; and the answer is checked all
 * the same. What cannot be used is asked for again, `limits.dream_tries_max` requests in all.
 *
 * @throws ModelError when the provider fails; a request that it will never take is a fault instead
 */
export async function askFor<Schema extends z.ZodType>(
  ports: ThinkPorts,
  question: Question<Schema>,
  signal: AbortSignal,
): Promise<Asked<z.output<Schema>>> {
  let usage = noThinking;
  let fault = '';
  for (let attempt = 1; attempt <= limits.dream_tries_max; attempt++) {
    let reply: ModelReply;
    try {
      reply = await request(ports, question, fault, signal);
    } catch (error) {
      const is_final = error instanceof ModelError && (error.status === 400 || isTooLong(error));
      if (!is_final) throw error;
      return { usage, fault: error.message };
    }
    usage = addThinking(usage, usageOf(ports, reply));
    const read = readReply(question, reply);
    if ('value' in read) return { usage, value: read.value };
    fault = read.fault;
  }
  return { usage, fault };
}

function isTooLong({ kind }: ModelError): boolean {
  return kind === 'context_too_long';
}

async function request(
  { model, config, thread_id }: ThinkPorts,
  { system, content, schema }: Question<z.ZodType>,
  fault: string,
  signal: AbortSignal,
): Promise<ModelReply> {
  const again =
    fault === ''
      ? ''
      : `\n\nYour last answer could not be used: ${fault} Give the whole answer again.`;
  const output_schema = answerSchema(schema);
  return await ask(
    model,
    {
      model: config,
      system,
      messages: [{ role: 'user', content: content + again }],
      tools: [],
      purpose: 'dream',
      thread_id,
      max_tokens: limits.dream_output_tokens_max,
      output_schema,
    },
    signal,
  );
}

function usageOf(
  { config, prices }: ThinkPorts,
  { usage, speed, is_batched }: ModelReply,
): ThinkUsage {
  const { id, inference_geo } = config;
  const ran = { model_id: id, speed, is_batched, ...(inference_geo ? { inference_geo } : {}) };
  return {
    ...usage,
    requests_count: 1,
    cost_microcents: requestCostMicrocents(usage, ran, prices),
  };
}

function readReply<Schema extends z.ZodType>(
  { schema }: Question<Schema>,
  { content, stop_reason }: ModelReply,
): { readonly value: z.output<Schema> } | { readonly fault: string } {
  if (stop_reason === 'max_tokens') return { fault: 'the answer was too long.' };
  if (stop_reason === 'refusal') return { fault: 'the model declined.' };
  const answer = jsonAnswer(textOf(content));
  if (answer === undefined) return { fault: 'it was not one JSON object and nothing else.' };
  const read = schema.safeParse(withoutNulls(answer));
  if (read.success) return { value: read.data };
  const [issue] = read.error.issues;
  return { fault: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}.` };
}

/** A field that says null says nothing: models write it where a field may be left out. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(said.map(([name, field]) => [name, withoutNulls(field)]));
}
