import type { NewEvent } from '#shared/events/event.ts';
import type { RequestUsage } from '#shared/models/model.ts';
import type { SetScene } from './set/fidelity-set.ts';

/** A session's events, and what its model requests would have used. */
export interface EventLog {
  readonly events: readonly NewEvent[];
  readonly requests: readonly RequestUsage[];
}

/** What every request begins with: the system prompt and the definitions of the tools. */
const PROMPT_TOKENS = 6_000;
/** What a model thinks before it acts. */
const THOUGHT_TOKENS = 200;
const CHARS_PER_TOKEN = 4;

/**
 * The events that the platform would have written for what happened, with spans and usage: each
 * request reads what came before from the cache and writes what is new to it.
 *
 * @param newId Makes the id of each event and of the outcome.
 */
export function eventLogOf(
  scenes: readonly SetScene[],
  newId: (noun: 'event' | 'outcome') => string,
): EventLog {
  const log = new Log(newId);
  log.add({ type: 'session.status_running' });
  for (const scene of scenes) log.play(scene);
  log.add({ type: 'session.status_idle', stop_reason: { type: 'end_turn' }, stop_details: null });
  return log;
}

type Fields = { readonly type: NewEvent['type']; readonly [field: string]: unknown };

class Log implements EventLog {
  readonly events: NewEvent[] = [];
  readonly requests: RequestUsage[] = [];
  readonly #newId: (noun: 'event' | 'outcome') => string;
  readonly #outcome_id: string;
  #iteration = 0;
  #context_tokens = PROMPT_TOKENS;
  #cached_tokens = 0;

  constructor(newId: (noun: 'event' | 'outcome') => string) {
    this.#newId = newId;
    this.#outcome_id = newId('outcome');
  }

  add(fields: Fields): string {
    const id = this.#newId('event');
    // The fields of each type stand where they are written; the wire's checker reads them all.
    this.events.push({ ...fields, id } as unknown as NewEvent);
    this.#context_tokens += Math.ceil(JSON.stringify(fields).length / CHARS_PER_TOKEN);
    return id;
  }

  play(scene: SetScene): void {
    switch (scene.by) {
      case 'user':
        this.add({ type: 'user.message', content: textOf(scene.text) });
        return;
      case 'agent':
        this.#asks(scene.text, () =>
          this.add({ type: 'agent.message', content: textOf(scene.text) }),
        );
        return;
      case 'tool': {
        const tool_use_id = this.#calls(scene);
        const { result, is_error } = scene;
        this.add({ type: 'agent.tool_result', tool_use_id, content: textOf(result), is_error });
        return;
      }
      case 'denial': {
        const tool_use_id = this.#calls(scene);
        const { message } = scene;
        const denial = { tool_use_id, result: 'deny', deny_message: message };
        this.add({ type: 'user.tool_confirmation', ...denial });
        const content = textOf(`The user denied this call: ${message}`);
        this.add({ type: 'agent.tool_result', tool_use_id, content, is_error: true });
        return;
      }
      case 'interrupt':
        this.add({ type: 'user.interrupt' });
        return;
      case 'outcome':
        this.add({
          type: 'user.define_outcome',
          description: scene.task,
          rubric: { type: 'text', content: scene.rubric },
          outcome_id: this.#outcome_id,
          max_iterations: 3,
        });
        return;
      case 'grader':
        this.#judges(scene.result, scene.explanation);
    }
  }

  #calls({ name, input }: { name: string; input: Readonly<Record<string, string>> }): string {
    return this.#asks(JSON.stringify({ name, input }), () =>
      this.add({ type: 'agent.tool_use', name, input }),
    );
  }

  /** A model request and what it says. */
  #asks(said: string, answer: () => string): string {
    const said_tokens = Math.ceil(said.length / CHARS_PER_TOKEN);
    const model_request_start_id = this.add({ type: 'span.model_request_start' });
    const usage: RequestUsage = {
      input_tokens: 4,
      output_tokens: THOUGHT_TOKENS + said_tokens,
      cache_read_input_tokens: this.#cached_tokens,
      cache_creation_5m_input_tokens: this.#context_tokens - this.#cached_tokens,
      cache_creation_1h_input_tokens: 0,
      web_search_requests: 0,
    };
    this.#cached_tokens = this.#context_tokens;
    this.requests.push(usage);
    this.add({
      type: 'span.model_request_end',
      model_request_start_id,
      is_error: false,
      model_usage: wireUsage(usage),
    });
    return answer();
  }

  #judges(result: string, explanation: string): void {
    const span = { outcome_id: this.#outcome_id, iteration: this.#iteration };
    this.#iteration += 1;
    const outcome_evaluation_start_id = this.add({
      type: 'span.outcome_evaluation_start',
      ...span,
    });
    const usage: RequestUsage = {
      input_tokens: 5_000,
      output_tokens: THOUGHT_TOKENS,
      cache_read_input_tokens: 0,
      cache_creation_5m_input_tokens: 0,
      cache_creation_1h_input_tokens: 0,
      web_search_requests: 0,
    };
    this.requests.push(usage);
    const model_usage = wireUsage(usage);
    const facts = { ...span, result, explanation, usage: model_usage };
    this.add({ type: 'span.outcome_evaluation_end', outcome_evaluation_start_id, ...facts });
  }
}

const textOf = (text: string) => [{ type: 'text', text }];

function wireUsage(usage: RequestUsage) {
  return {
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_input_tokens: usage.cache_read_input_tokens,
    cache_creation_input_tokens: usage.cache_creation_5m_input_tokens,
    speed: null,
  };
}
