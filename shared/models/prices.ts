import * as z from 'zod';
import type { RequestUsage } from './model.ts';
import { bareId, modelFacts } from './catalogue.ts';

/**
 * US dollars for a million tokens, as decimal text. Four decimals at most: a price times tokens is
 * then a whole number of our smallest unit, and no float ever holds money.
 */
const Usd = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,4})?$/, 'must be US dollars a million tokens, like "2.5"');

const rates = {
  input: Usd,
  output: Usd,
  cache_write_5m: Usd,
  cache_write_1h: Usd,
  cache_read: Usd,
};

const PriceRow = z.strictObject({
  ...rates,
  /** Multiplies every rate of a request that ran fast. */
  fast: Usd.exactOptional(),
  /** Rates of every token of a request whose prompt is longer. */
  long_prompt: z.strictObject({ above_tokens: z.int().positive(), ...rates }).exactOptional(),
});
export type Prices = z.infer<typeof PriceRow>;
type Rates = z.infer<z.ZodObject<typeof rates>>;

const Overrides = z.record(z.string(), PriceRow);
export type PriceOverrides = Readonly<Record<string, Prices>>;

/** The environment's PRICES, `{"<model id>": {input, output, …}}`. @throws at load, naming the field. */
export function parsePrices(text: string | undefined): PriceOverrides {
  if (text === undefined) return {};
  const overrides = Overrides.safeParse(JSON.parse(text));
  if (overrides.success) return overrides.data;
  throw new Error(`PRICES is not valid: ${z.prettifyError(overrides.error)}`);
}

/** A model's list price; null when it has none and so cannot be budgeted. One for its bare id holds for dated ones. */
export function listPrice(id: string, overrides: PriceOverrides): Prices | null {
  const own = [id, bareId(id)].find((name) => Object.hasOwn(overrides, name));
  return (own === undefined ? undefined : overrides[own]) ?? modelFacts(id).prices;
}

/** What the price of a request hangs on, beyond its tokens. */
export interface Ran {
  readonly speed: 'standard' | 'fast' | null;
  /** The agent's `inference_geo`: US-only inference costs a tenth more on newer models. */
  readonly inference_geo?: string;
  readonly model_id: string;
  /**
   * By the Message Batches API: half of every rate, those of the cache too. @default false
   * Source: batch processing guide, pricing. It multiplies with what else is cheaper or dearer.
   */
  readonly is_batched?: boolean | undefined;
}

/** USD 10 for 1,000 searches is one cent each. Source: pricing page. */
const SEARCH_MICROCENTS = 1_000_000;
/** USD 0.08 for an hour of a running session. Source: Managed Agents pricing. */
const HOUR_MICROCENTS = 8_000_000n;
const HOUR_MS = 3_600_000n;

/**
 * List cost of one request in millionths of a cent, searches included. Exact, then rounded once to
 * the nearest whole number (a two-hundred-millionth of a dollar at most).
 *
 * @returns null when the model has no list price.
 */
export function requestCostMicrocents(
  usage: RequestUsage,
  ran: Ran,
  overrides: PriceOverrides = {},
): number | null {
  const prices = listPrice(ran.model_id, overrides);
  if (prices === null) return null;
  const rate = ratesFor(usage, prices);
  // A rate in ten-thousandths of a dollar a million tokens is, by token, hundredths of a microcent.
  const standard =
    tokens(usage.input_tokens) * units(rate.input) +
    tokens(usage.output_tokens) * units(rate.output) +
    tokens(usage.cache_read_input_tokens) * units(rate.cache_read) +
    tokens(usage.cache_creation_5m_input_tokens) * units(rate.cache_write_5m) +
    tokens(usage.cache_creation_1h_input_tokens) * units(rate.cache_write_1h);
  const fast = ran.speed === 'fast' ? units(prices.fast ?? '1') : UNIT;
  const residency = ran.inference_geo === 'us' && modelFacts(ran.model_id).geo ? 11n : 10n;
  const scale = 100n * UNIT * 10n * (ran.is_batched === true ? 2n : 1n);
  const microcents = (standard * fast * residency + scale / 2n) / scale;
  return Number(microcents) + usage.web_search_requests * SEARCH_MICROCENTS;
}

/** List cost of running for so long, rounded down. */
export function runningCostMicrocents(active_ms: number): number {
  return Number((BigInt(Math.max(0, Math.floor(active_ms))) * HOUR_MICROCENTS) / HOUR_MS);
}

/** Microcents as the API's decimal text of cents, e.g. 1250000 → `1.25`. */
export function centsText(microcents: number): string {
  const digits = String(microcents).padStart(7, '0');
  const fraction = digits.slice(-6).replace(/0+$/, '');
  return digits.slice(0, -6) + (fraction === '' ? '' : `.${fraction}`);
}

/** A budget's whole cents as microcents. */
export function microcentsOf(cents: string): number {
  return Number(BigInt(cents) * 1_000_000n);
}

const DECIMALS = 4;
const UNIT = 10n ** BigInt(DECIMALS);

function units(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(whole) * UNIT + BigInt(fraction.padEnd(DECIMALS, '0'));
}

function tokens(count: number): bigint {
  return BigInt(Math.max(0, Math.trunc(count)));
}

function ratesFor(usage: RequestUsage, prices: Prices): Rates {
  const prompt_tokens =
    usage.input_tokens +
    usage.cache_read_input_tokens +
    usage.cache_creation_5m_input_tokens +
    usage.cache_creation_1h_input_tokens;
  const long = prices.long_prompt;
  return long !== undefined && prompt_tokens > long.above_tokens ? long : prices;
}
