import type * as z from 'zod';
import { limits } from '../core/limits.ts';
import { ModelError } from '../models/model-error.ts';
import { addRequestUsage, ask, noRequestUsage, type ModelReply } from '../models/model.ts';
import { requestCostMicrocents } from '../models/prices.ts';
import type { ToolDefinition } from '../tools/tools.ts';
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

/** One question to the model, answered by a call of one tool. */
export interface Question<Schema extends z.ZodType> {
  readonly system: string;
  readonly content: string;
  readonly tool: ToolDefinition;
  readonly schema: Schema;
}

export type Asked<Value> = {
  readonly usage: ThinkUsage;
} & ({ readonly value: Value } | { readonly fault: string });

/**
 * Ask for a structured answer. The tool is named and not forced: models that think refuse to be
 * forced. What cannot be used is asked for again, `limits.dream_tries_max` requests in all.
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
  { system, content, tool }: Question<z.ZodType>,
  fault: string,
  signal: AbortSignal,
): Promise<ModelReply> {
  const again =
    fault === '' ? '' : `\n\nYour last answer could not be used: ${fault} Call ${tool.name} again.`;
  return await ask(
    model,
    {
      model: config,
      system,
      messages: [{ role: 'user', content: content + again }],
      tools: [tool],
      purpose: 'dream',
      thread_id,
      max_tokens: limits.dream_output_tokens_max,
    },
    signal,
  );
}

function usageOf({ config, prices }: ThinkPorts, { usage, speed }: ModelReply): ThinkUsage {
  const { id, inference_geo } = config;
  const ran = { model_id: id, speed, ...(inference_geo ? { inference_geo } : {}) };
  return {
    ...usage,
    requests_count: 1,
    cost_microcents: requestCostMicrocents(usage, ran, prices),
  };
}

function readReply<Schema extends z.ZodType>(
  { tool, schema }: Question<Schema>,
  { content, stop_reason }: ModelReply,
): { readonly value: z.output<Schema> } | { readonly fault: string } {
  if (stop_reason === 'max_tokens') return { fault: 'the answer was too long.' };
  if (stop_reason === 'refusal') return { fault: 'the model declined.' };
  const call = content.find((block) => block.type === 'tool_use' && block.name === tool.name);
  if (call?.type !== 'tool_use') return { fault: `${tool.name} was not called.` };
  const read = schema.safeParse(call.input);
  if (read.success) return { value: read.data };
  const [issue] = read.error.issues;
  return { fault: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}.` };
}
