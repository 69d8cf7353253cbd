import type { BetaToolResultBlockParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { timestamp } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import { modelFacts } from '../models/catalogue.ts';
import { ModelError } from '../models/model-error.ts';
import { ask, type ModelMessage, type ModelReply, type ModelRequest } from '../models/model.ts';
import { requestCostMicrocents } from '../models/prices.ts';
import { noUsage, type Usage } from '../threads/thread.ts';
import type { ToolDefinition } from '../tools/tools.ts';
import type { Grading, GradePorts, TranscriptLine } from './grading.ts';

type ResultContent = Exclude<NonNullable<BetaToolResultBlockParam['content']>, string>;

/** A tool's answer as it goes to the model. */
export interface ToolAnswer {
  readonly tool_use_id: string;
  readonly content: ResultContent;
  readonly is_error: boolean;
}

interface Script {
  readonly system: string;
  readonly tools: readonly ToolDefinition[];
  readonly first: string;
}

type Asker = Pick<GradePorts, 'model' | 'clock' | 'prices'>;

/** In whose name requests are made. */
type Asked = Pick<Grading, 'model' | 'thread_id'>;

/** What requests have cost and said so far, whichever conversation they belong to. */
export class Audit {
  readonly lines: TranscriptLine[] = [];
  readonly #ports: Asker;
  readonly #grading: Asked;
  readonly #spent: ((usage: Usage) => void) | undefined;
  #usage: Usage = noUsage;

  constructor(ports: Asker, grading: Asked, spent?: (usage: Usage) => void) {
    this.#ports = ports;
    this.#grading = grading;
    this.#spent = spent;
  }

  get usage(): Usage {
    return this.#usage;
  }

  note(type: TranscriptLine['type'], facts: object): void {
    const line = JSON.stringify({ at: timestamp(this.#ports.clock), type, ...facts }, shortened);
    this.lines.push(JSON.parse(line) as TranscriptLine);
  }

  /** @throws ModelError */
  async ask(
    request: Pick<ModelRequest, 'system' | 'messages' | 'tools'>,
    signal: AbortSignal,
  ): Promise<ModelReply> {
    const { model, thread_id } = this.#grading;
    const max_tokens = limits.grader_output_tokens_max;
    const whole: ModelRequest = { ...request, model, thread_id, purpose: 'grade', max_tokens };
    const reply = await ask(this.#ports.model, whole, signal);
    this.#charge(reply);
    this.#spent?.(this.#usage);
    const { content, stop_reason } = reply;
    this.note('answered', { stop_reason, content: content.filter(({ type }) => isSaid(type)) });
    return reply;
  }

  #charge({ usage, speed }: ModelReply): void {
    const { id, inference_geo } = this.#grading.model;
    const ran = { model_id: id, speed, ...(inference_geo ? { inference_geo } : {}) };
    const cost = requestCostMicrocents(usage, ran, this.#ports.prices);
    const before = this.#usage;
    const known = before.cost_microcents !== null && cost !== null;
    this.#usage = {
      ...before,
      input_tokens: before.input_tokens + usage.input_tokens,
      output_tokens: before.output_tokens + usage.output_tokens,
      cache_read_input_tokens: before.cache_read_input_tokens + usage.cache_read_input_tokens,
      cache_creation_5m_input_tokens:
        before.cache_creation_5m_input_tokens + usage.cache_creation_5m_input_tokens,
      cache_creation_1h_input_tokens:
        before.cache_creation_1h_input_tokens + usage.cache_creation_1h_input_tokens,
      web_search_requests: before.web_search_requests + usage.web_search_requests,
      cost_microcents: known ? (before.cost_microcents ?? 0) + cost : null,
    };
  }
}

/** Thoughts are the model's own; the audit keeps what was said and done. */
function isSaid(type: string): boolean {
  return type === 'text' || type === 'tool_use';
}

/** The audit keeps the beginning of a long text, and says so: files are found by their hash. */
function shortened(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= limits.grader_line_chars_max) return value;
  const left_out = value.length - limits.grader_line_chars_max;
  return `${value.slice(0, limits.grader_line_chars_max)}… [${left_out} more characters]`;
}

/** The grader's own conversation: it begins with what it may know, and nothing else comes in. */
export class Conversation {
  readonly #audit: Audit;
  readonly #script: Script;
  readonly #window_tokens: number;
  readonly #messages: ModelMessage[];
  #context_tokens = 0;

  constructor(audit: Audit, script: Script, model_id: string) {
    this.#audit = audit;
    this.#script = script;
    this.#window_tokens =
      (modelFacts(model_id).context_window_tokens * limits.grader_window_percent) / 100;
    this.#messages = [{ role: 'user', content: script.first }];
    audit.note('asked', { text: script.first });
  }

  /** Characters that may still be read; a token of any language has at least about two. */
  get room_chars(): number {
    return Math.max(0, this.#window_tokens - this.#context_tokens) * 2;
  }

  /**
   * Ask for the next answer.
   *
   * @param unshow Called when the provider does not take an image or document: it is then asked again
   *   without those that came last.
   * @throws ModelError
   */
  async next(signal: AbortSignal, unshow: () => void): Promise<ModelReply> {
    const { system, tools } = this.#script;
    const request = { system, tools, messages: this.#messages };
    const reply = await this.#audit.ask(request, signal).catch(async (error: unknown) => {
      const is_refused =
        error instanceof ModelError && (error.status === 400 || error.kind === 'context_too_long');
      if (!is_refused || !this.#dropMedia()) throw error;
      unshow();
      return await this.#audit.ask(request, signal);
    });
    const { usage, content, stop_reason } = reply;
    this.#context_tokens =
      usage.input_tokens +
      usage.cache_read_input_tokens +
      usage.cache_creation_5m_input_tokens +
      usage.cache_creation_1h_input_tokens +
      usage.output_tokens;
    // What was declined or holds nothing cannot be sent back.
    if (stop_reason !== 'refusal' && content.length > 0) {
      this.#messages.push({ role: 'assistant', content: [...content] });
    }
    return reply;
  }

  /** Answer the calls of the last reply, then say `text` if there is any. */
  tell(answers: readonly ToolAnswer[], text?: string): void {
    const results = answers.map(({ tool_use_id, content, is_error }) => ({
      type: 'tool_result' as const,
      tool_use_id,
      content,
      ...(is_error ? { is_error } : {}),
    }));
    const words = text === undefined ? [] : [{ type: 'text' as const, text }];
    this.#messages.push({ role: 'user', content: [...results, ...words] });
    this.#audit.note('told', { answers: answers.map(withoutData), ...(text ? { text } : {}) });
  }

  /** Put words in place of the images and documents of the last message. @returns whether it had any */
  #dropMedia(): boolean {
    const last = this.#messages.at(-1);
    if (last === undefined || typeof last.content === 'string') return false;
    let is_changed = false;
    const content = (last.content ?? []).map((block) => {
      if (block.type !== 'tool_result' || typeof block.content === 'string') return block;
      const inner = (block.content ?? []).map((one) => {
        if (one.type !== 'image' && one.type !== 'document') return one;
        is_changed = true;
        return { type: 'text' as const, text: NOT_TAKEN };
      });
      return { ...block, content: inner };
    });
    if (is_changed) this.#messages.splice(-1, 1, { ...last, content } as ModelMessage);
    return is_changed;
  }
}

const NOT_TAKEN =
  '[The model’s provider did not take this image or document: it may be damaged, locked or too long. It cannot be seen.]';

function withoutData({ tool_use_id, content, is_error }: ToolAnswer): object {
  const shown = content.map((block) =>
    block.type === 'text' ? block : { type: block.type, left_out: true },
  );
  return { tool_use_id, content: shown, is_error };
}
