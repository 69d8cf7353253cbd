import type { Prices } from './prices.ts';

export const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof efforts)[number];

/** What the platform must know of a model. Sources: Anthropic's model pages, to 2026-11-20. */
export interface ModelFacts {
  readonly context_window_tokens: number;
  readonly max_output_tokens: number;
  /**
   * `adaptive`: the model decides how long it thinks. `none`: older models take only a fixed budget,
   * which breaks on tool loops that began without it, so they run without thinking.
   */
  readonly thinking: 'adaptive' | 'none';
  /** Levels the model takes; none for models without the parameter. */
  readonly efforts: readonly Effort[];
  readonly default_effort: Effort;
  /** A thought counts only after exactly the text it was thought after; else the API refuses it. */
  readonly binds_thinking: boolean;
  readonly mid_conversation_system: boolean;
  readonly fast: boolean;
  /** Whether `inference_geo` may be sent. */
  readonly geo: boolean;
  /** Bedrock's name of the model, without the prefix of an inference profile. */
  readonly bedrock_id: string;
  /** Bedrock speaks the SDK's API version only for newer models. */
  readonly bedrock_legacy: boolean;
  readonly prices: Prices | null;
}

/** A model that was not known when this was written: ask for little, so that little can be refused. */
const unknown: Omit<ModelFacts, 'bedrock_id'> = {
  context_window_tokens: 200_000,
  max_output_tokens: 64_000,
  thinking: 'none',
  efforts,
  default_effort: 'high',
  binds_thinking: false,
  mid_conversation_system: true,
  fast: false,
  geo: true,
  bedrock_legacy: false,
  prices: null,
};

/** Generation 4.5: the last with dated ids, a window of 200,000 and no thinking of its own accord. */
const gen45 = {
  ...unknown,
  efforts: [],
  mid_conversation_system: false,
  geo: false,
  bedrock_legacy: true,
} satisfies Partial<ModelFacts>;

/** Generation 4.6 and later: a window of a million and adaptive thinking. */
const gen46 = {
  ...unknown,
  context_window_tokens: 1_000_000,
  max_output_tokens: 128_000,
  thinking: 'adaptive',
  efforts: ['low', 'medium', 'high', 'max'],
  mid_conversation_system: false,
} satisfies Partial<ModelFacts>;

const gen47 = { ...gen46, efforts } satisfies Partial<ModelFacts>;
const gen48 = { ...gen47, mid_conversation_system: true } satisfies Partial<ModelFacts>;
/** From Fable 5.1 on thoughts are bound to their conversation. */
const bound = { ...gen48, binds_thinking: true } satisfies Partial<ModelFacts>;

/** Input, output, cache write for 5 minutes and 1 hour, cache read; US dollars a million tokens. */
function usd(...[input, output, write_5m, write_1h, read]: readonly string[]): Prices {
  return {
    input: input ?? '0',
    output: output ?? '0',
    cache_write_5m: write_5m ?? '0',
    cache_write_1h: write_1h ?? '0',
    cache_read: read ?? '0',
  };
}

const fable5 = usd('10', '50', '12.5', '20', '1');
const fable51 = usd('10', '50', '12.5', '20', '0.25');
const fable52 = usd('8', '40', '10', '16', '0.2');
const opus = usd('5', '25', '6.25', '10', '0.5');
const opus55 = usd('4', '20', '5', '8', '0.2');
const sonnet4 = usd('3', '15', '3.75', '6', '0.3');
const sonnet5 = usd('2', '10', '2.5', '4', '0.2');
const sonnet55 = usd('2', '10', '2.5', '4', '0.1');
const haiku45 = usd('1', '5', '1.25', '2', '0.1');
/** One price up to 100,000 tokens of prompt, another for every token of a request beyond. */
const haiku55: Prices = {
  ...usd('0.1', '0.5', '0.125', '0.2', '0.01'),
  long_prompt: { above_tokens: 100_000, ...usd('0.5', '2.5', '0.625', '1', '0.05') },
};

const known: Readonly<Record<string, Omit<ModelFacts, 'bedrock_id'> & { bedrock_id?: string }>> = {
  'claude-fable-5-2': {
    ...bound,
    fast: true,
    prices: { ...fable52, fast: '2' },
  },
  // Mythos 5.2 has no price that we could find; a PRICES override makes it budgetable.
  'claude-mythos-5-2': bound,
  'claude-fable-5-1': { ...bound, prices: fable51 },
  'claude-mythos-5-1': { ...bound, prices: fable51 },
  'claude-fable-5': { ...gen48, prices: fable5 },
  'claude-mythos-5': { ...gen48, prices: fable5 },
  'claude-mythos-preview': gen47,
  'claude-opus-5-5': {
    ...bound,
    default_effort: 'medium',
    fast: true,
    prices: { ...opus55, fast: '2' },
  },
  'claude-opus-5': { ...gen48, fast: true, prices: { ...opus, fast: '2' } },
  'claude-opus-4-8': { ...gen48, fast: true, prices: { ...opus, fast: '2' } },
  'claude-opus-4-7': { ...gen47, prices: opus },
  'claude-opus-4-6': {
    ...gen46,
    bedrock_id: 'anthropic.claude-opus-4-6-v1',
    bedrock_legacy: true,
    prices: opus,
  },
  'claude-opus-4-5': {
    ...gen45,
    efforts: ['low', 'medium', 'high'],
    bedrock_id: 'anthropic.claude-opus-4-5-20251101-v1:0',
    prices: opus,
  },
  'claude-sonnet-5-5': { ...bound, prices: sonnet55 },
  'claude-sonnet-5': { ...gen47, prices: sonnet5 },
  'claude-sonnet-4-6': {
    ...gen46,
    bedrock_id: 'anthropic.claude-sonnet-4-6',
    bedrock_legacy: true,
    prices: sonnet4,
  },
  'claude-sonnet-4-5': {
    ...gen45,
    bedrock_id: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    prices: sonnet4,
  },
  'claude-haiku-5-5': { ...bound, default_effort: 'medium', prices: haiku55 },
  'claude-haiku-4-5': {
    ...gen45,
    bedrock_id: 'anthropic.claude-haiku-4-5-20251001-v1:0',
    prices: haiku45,
  },
};

export const knownModels: readonly string[] = Object.keys(known);

/** An API id without its date: a dated one names the same model. */
export function bareId(id: string): string {
  return id.replace(/-\d{8}$/, '');
}

/** Facts of a model by its API id, with or without a date. Any id is allowed: see `unknown`. */
export function modelFacts(id: string): ModelFacts {
  const bare = bareId(id);
  // An id is a caller's text: it must not find what every object has.
  const facts = Object.hasOwn(known, bare) ? known[bare] : undefined;
  return { bedrock_id: `anthropic.${id}`, ...(facts ?? unknown) };
}

/** The effort that an agent gets when it names none, for the resolved `model` of the API. */
export function defaultEffort(id: string): Effort {
  return modelFacts(id).default_effort;
}

export function supportsMidConversationSystem(id: string): boolean {
  return modelFacts(id).mid_conversation_system;
}
