/** List cost. Method: the sums in the table were made by hand from the price list. */
import { describe, expect, test } from 'vitest';
import { knownModels, modelFacts } from '#shared/models/catalogue.ts';
import type { RequestUsage } from '#shared/models/model.ts';
import {
  centsText,
  listPrice,
  microcentsOf,
  parsePrices,
  requestCostMicrocents,
  runningCostMicrocents,
  type Ran,
} from '#shared/models/prices.ts';
import { noUsage } from './samples.ts';

const M = 1_000_000;
const standard = (model_id: string): Ran => ({ model_id, speed: 'standard' });

const table: [name: string, usage: Partial<RequestUsage>, ran: Ran, cents: string][] = [
  ['a million in of Opus 5: $5', { input_tokens: M }, standard('claude-opus-5'), '500'],
  ['a million out of Opus 5: $25', { output_tokens: M }, standard('claude-opus-5'), '2500'],
  ['one token in of Opus 5', { input_tokens: 1 }, standard('claude-opus-5'), '0.0005'],
  ['cache read of Opus 5: $0.50', { cache_read_input_tokens: M }, standard('claude-opus-5'), '50'],
  [
    '5 m write of Opus 5: $6.25',
    { cache_creation_5m_input_tokens: M },
    standard('claude-opus-5'),
    '625',
  ],
  [
    '1 h write of Opus 5: $10',
    { cache_creation_1h_input_tokens: M },
    standard('claude-opus-5'),
    '1000',
  ],
  [
    'a dated id costs what its model costs',
    { input_tokens: M },
    standard('claude-haiku-4-5-20251001'),
    '100',
  ],
  [
    'everything at once of Sonnet 5.5',
    // 1,234×2 + 567×10 + 89,012×0.1 + 3,456×2.5 + 789×4 = 28,835.2 millionths of a dollar
    {
      input_tokens: 1_234,
      output_tokens: 567,
      cache_read_input_tokens: 89_012,
      cache_creation_5m_input_tokens: 3_456,
      cache_creation_1h_input_tokens: 789,
    },
    standard('claude-sonnet-5-5'),
    '2.88352',
  ],
  [
    'fast Opus 5.5: twice $4',
    { input_tokens: M },
    { model_id: 'claude-opus-5-5', speed: 'fast' },
    '800',
  ],
  ['fast that ran at standard speed', { input_tokens: M }, standard('claude-opus-5-5'), '400'],
  [
    'fast cache read: twice too',
    { cache_read_input_tokens: M },
    { model_id: 'claude-opus-5', speed: 'fast' },
    '100',
  ],
  [
    'US inference: a tenth more',
    { input_tokens: M },
    { ...standard('claude-opus-5'), inference_geo: 'us' },
    '550',
  ],
  [
    'US and fast: both',
    { output_tokens: M },
    { model_id: 'claude-opus-5', speed: 'fast', inference_geo: 'us' },
    '5500',
  ],
  [
    'US inference of a model that knows no regions',
    { input_tokens: M },
    { ...standard('claude-haiku-4-5'), inference_geo: 'us' },
    '100',
  ],
  [
    'by a batch: half of all rates, also where others multiply them',
    // (1,000,000×5 + 1,000,000×0.5 + 1,000,000×6.25) × 1.1 / 2 = $6.4625
    {
      input_tokens: M,
      cache_read_input_tokens: M,
      cache_creation_5m_input_tokens: M,
    },
    { ...standard('claude-opus-5'), inference_geo: 'us', is_batched: true },
    '646.25',
  ],
  [
    'global inference',
    { input_tokens: M },
    { ...standard('claude-opus-5'), inference_geo: 'global' },
    '500',
  ],
  [
    'Haiku 5.5, a short prompt: $0.10',
    { input_tokens: 100_000 },
    standard('claude-haiku-5-5'),
    '1',
  ],
  [
    'Haiku 5.5, one token more: $0.50',
    { input_tokens: 100_001 },
    standard('claude-haiku-5-5'),
    '5.00005',
  ],
  [
    'Haiku 5.5: the cache counts towards the prompt, and the output pays too',
    { cache_read_input_tokens: 100_001, output_tokens: M },
    standard('claude-haiku-5-5'),
    // 100,001×0.05 + 1,000,000×2.5 = 2,505,000.05 millionths of a dollar
    '250.500005',
  ],
  ['three searches: 3 cents', { web_search_requests: 3 }, standard('claude-opus-5'), '3'],
  // 12.5 microcents: half of a millionth of a cent is rounded up, once.
  [
    'one 5 m token of Haiku 5.5',
    { cache_creation_5m_input_tokens: 1 },
    standard('claude-haiku-5-5'),
    '0.000013',
  ],
];

test.each(table)('%s', (_name, usage, ran, cents) => {
  const microcents = requestCostMicrocents({ ...noUsage, ...usage }, ran);
  expect(microcents).not.toBeNull();
  expect(centsText(microcents ?? -1)).toBe(cents);
});

test('a model without a list price costs null, not nothing', () => {
  expect(requestCostMicrocents({ ...noUsage, input_tokens: 1 }, standard('my-model'))).toBeNull();
  expect(listPrice('my-model', {})).toBeNull();
  expect(listPrice('constructor', {})).toBeNull();
});

test('fast models have a price for it, and none else', () => {
  const wrong = knownModels.filter((id) => {
    const { fast, prices } = modelFacts(id);
    return prices !== null && (prices.fast !== undefined) !== fast;
  });
  expect(wrong).toEqual([]);
});

describe('PRICES', () => {
  const row = {
    input: '1',
    output: '2',
    cache_write_5m: '1.25',
    cache_write_1h: '2',
    cache_read: '0.1',
  };

  test('overrides the list, and gives a price to a model that had none', () => {
    const prices = parsePrices(JSON.stringify({ 'claude-opus-5': row, 'my-model': row }));
    const cost = (id: string) =>
      requestCostMicrocents({ ...noUsage, input_tokens: M }, standard(id), prices);
    expect(cost('claude-opus-5')).toBe(100 * M);
    expect(cost('my-model')).toBe(100 * M);
    expect(cost('claude-sonnet-5')).toBe(200 * M);
  });

  test('of a model hold for its dated ids, too, but for one that has its own', () => {
    const dear = { ...row, input: '7' };
    const prices = parsePrices(
      JSON.stringify({ 'claude-haiku-4-5': row, 'claude-haiku-4-5-20260101': dear }),
    );
    expect(listPrice('claude-haiku-4-5-20251001', prices)).toEqual(row);
    expect(listPrice('claude-haiku-4-5-20260101', prices)).toEqual(dear);
  });

  test.each([
    ['a number instead of text', { m: { ...row, input: 1 } }, 'input'],
    ['more decimals than add exactly', { m: { ...row, output: '0.00001' } }, 'output'],
    ['a missing rate', { m: { input: '1' } }, 'output'],
    ['an unknown field', { m: { ...row, inptu: '1' } }, 'inptu'],
  ])('%s stops the function at load, by its name', (_name, prices, field) => {
    expect(() => parsePrices(JSON.stringify(prices))).toThrow(field);
  });

  test('may be left out', () => {
    expect(parsePrices(undefined)).toEqual({});
  });
});

test.each([
  [0, '0'],
  [3_600_000, '8'],
  [1_800_000, '4'],
  [1_000, '0.002222'],
  [450, '0.001'],
  [90_061_001, '200.135557'],
])('running for %i ms costs %s cents', (ms, cents) => {
  expect(centsText(runningCostMicrocents(ms))).toBe(cents);
});

test.each([
  [0, '0'],
  [1, '0.000001'],
  [1_250_000, '1.25'],
  [2_500_000_000, '2500'],
])('%i microcents are written %s', (microcents, text) => {
  expect(centsText(microcents)).toBe(text);
});

test('a budget of whole cents compares with what was spent', () => {
  expect(microcentsOf('2500')).toBe(2_500_000_000);
});
