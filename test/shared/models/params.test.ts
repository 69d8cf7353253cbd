import { describe, expect, test } from 'vitest';
import { knownModels, modelFacts, type Effort } from '#shared/models/catalogue.ts';
import { providers, type ModelRequest, type Provider } from '#shared/models/model.ts';
import { providerModelId, toParams } from '#shared/models/params.ts';
import { aRequest } from './samples.ts';

interface Asked {
  readonly effort?: Effort;
  readonly provider?: Provider;
  readonly speed?: 'standard' | 'fast';
  readonly inference_geo?: string;
}

function sent(id: string, { effort = 'high', provider = 'anthropic', ...over }: Asked = {}) {
  const request: ModelRequest = aRequest({ model: { id, effort: { type: effort }, ...over } });
  return toParams(request, { provider, model_ids: {} });
}

describe('effort is sent where the model takes it and it is not its default', () => {
  const table: [id: string, effort: Effort, sent: string | undefined][] = [
    ['claude-opus-5', 'high', undefined],
    ['claude-opus-5', 'low', 'low'],
    ['claude-opus-5-5', 'high', 'high'],
    ['claude-opus-5-5', 'medium', undefined],
    ['claude-opus-4-6', 'xhigh', undefined],
    ['claude-opus-4-6', 'max', 'max'],
    ['claude-opus-4-5', 'low', 'low'],
    ['claude-haiku-4-5', 'low', undefined],
    ['some-later-model', 'low', 'low'],
    ['some-later-model', 'high', undefined],
  ];
  test.each(table)('%s at %s', (id, effort, expected) => {
    expect(sent(id, { effort }).output_config?.effort).toBe(expected);
  });
});

describe('thinking', () => {
  const table: [id: string, thinking: object | undefined, betas: string[] | undefined][] = [
    ['claude-haiku-4-5', undefined, undefined],
    ['some-later-model', undefined, undefined],
    ['claude-opus-5', { type: 'adaptive' }, undefined],
    [
      'claude-haiku-5-5',
      { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
      ['thinking-binding-controls-2026-08-01'],
    ],
    [
      'claude-sonnet-5-5',
      {
        type: 'adaptive',
        block_binding: { prefix_mismatch_behavior: 'drop_block' },
      },
      ['thinking-binding-controls-2026-08-01'],
    ],
  ];
  test.each(table)('of %s is asked for as it takes it', (id, thinking, betas) => {
    const params = sent(id);
    expect(params.thinking).toEqual(thinking);
    expect(params.betas).toEqual(betas);
  });

  test('on Bedrock goes without betas, which it may refuse', () => {
    const params = sent('claude-sonnet-5-5', { provider: 'bedrock' });
    expect(params.thinking).toEqual({ type: 'adaptive' });
    expect(params.betas).toBeUndefined();
  });
});

test.each([
  ['claude-opus-5-5', 'anthropic', 'fast'],
  ['claude-sonnet-5', 'anthropic', undefined],
  ['claude-opus-5-5', 'claude-platform-aws', undefined],
  ['claude-opus-5-5', 'bedrock', undefined],
] as const)('fast %s on %s', (id, provider, speed) => {
  const params = sent(id, { provider, speed: 'fast' });
  expect(params.speed).toBe(speed);
  expect(params.betas?.includes('fast-mode-2026-02-01') ?? false).toBe(speed === 'fast');
});

test.each([
  ['claude-opus-5', 'anthropic', 'us'],
  ['claude-opus-5', 'claude-platform-aws', 'us'],
  ['claude-opus-5', 'bedrock', undefined],
  ['claude-haiku-4-5', 'anthropic', 'us'],
  ['claude-haiku-4-5', 'bedrock', undefined],
] as const)('US inference of %s on %s', (id, provider, inference_geo) => {
  expect(sent(id, { provider, inference_geo: 'us' }).inference_geo).toBe(inference_geo);
});

test.each([
  ['anthropic', 'claude-opus-5', undefined, {}, 'claude-opus-5'],
  ['anthropic', 'claude-opus-5', undefined, { 'claude-opus-5': 'my-opus' }, 'my-opus'],
  ['anthropic', 'constructor', undefined, {}, 'constructor'],
  ['claude-platform-aws', 'claude-opus-5', 'us', {}, 'claude-opus-5'],
  ['bedrock', 'claude-opus-5', undefined, {}, 'global.anthropic.claude-opus-5'],
  ['bedrock', 'claude-opus-5', 'us', {}, 'us.anthropic.claude-opus-5'],
  ['bedrock', 'claude-opus-4-6', 'global', {}, 'global.anthropic.claude-opus-4-6-v1'],
  [
    'bedrock',
    'claude-haiku-4-5-20251001',
    undefined,
    {},
    'global.anthropic.claude-haiku-4-5-20251001-v1:0',
  ],
  ['bedrock', 'eu.anthropic.claude-opus-5', undefined, {}, 'eu.anthropic.claude-opus-5'],
  [
    'bedrock',
    'arn:aws:bedrock:x:1:inference-profile/y',
    'us',
    {},
    'arn:aws:bedrock:x:1:inference-profile/y',
  ],
  ['bedrock', 'claude-opus-5', 'us', { 'claude-opus-5': 'arn:mine' }, 'arn:mine'],
] as const)('%s calls %s (%s, %o) %s', (...[provider, id, geo, model_ids, expected]) => {
  expect(providerModelId(id, geo, { provider, model_ids })).toBe(expected);
});

test('an answer by schema is asked for where the provider can hold the model to it', () => {
  const output_schema = { type: 'object' };
  const format = (id: string, provider: Provider) =>
    toParams(aRequest({ model: { id }, output_schema }), { provider, model_ids: {} }).output_config
      ?.format;
  expect(format('claude-opus-5', 'anthropic')).toEqual({
    type: 'json_schema',
    schema: output_schema,
  });
  expect(format('claude-haiku-4-5', 'bedrock')).toBeDefined();
  expect(format('claude-opus-5', 'bedrock')).toBeUndefined();
});

test('no answer may be longer than the model’s own limit, or ours', () => {
  const max = (id: string, max_tokens?: number) =>
    toParams(aRequest({ model: { id }, ...(max_tokens === undefined ? {} : { max_tokens }) }), {
      provider: 'anthropic',
      model_ids: {},
    }).max_tokens;
  expect(max('claude-opus-5')).toBe(64_000);
  expect(max('claude-opus-5', 100)).toBe(100);
  expect(max('claude-opus-5', 999_999)).toBe(128_000);
});

test('every model of the catalogue can be asked on every provider', () => {
  for (const id of knownModels) {
    for (const provider of providers) {
      const params = sent(id, { provider, effort: 'xhigh', speed: 'fast', inference_geo: 'us' });
      expect(params.model).toContain(id);
      const effort = params.output_config?.effort ?? undefined;
      expect(effort === undefined || modelFacts(id).efforts.includes(effort)).toBe(true);
    }
  }
});

test('the thread’s id is all that the provider learns of who asks', () => {
  expect(sent('claude-opus-5').metadata).toEqual({ user_id: 'sthr_1' });
});

test('a dream’s question is never written into the cache, but for its rules', () => {
  const marks = (purpose: 'dream' | 'turn') =>
    JSON.stringify(
      toParams(aRequest({ purpose, system: 'Rules.' }), { provider: 'anthropic', model_ids: {} }),
    ).split('cache_control').length - 1;
  expect(marks('turn')).toBe(2);
  expect(marks('dream')).toBe(1);
});

test('where the provider cannot hold a dream to its schema, the prompt tells it', () => {
  const system = (provider: 'anthropic' | 'bedrock') =>
    JSON.stringify(
      toParams(
        aRequest({ purpose: 'dream', system: 'Rules.', output_schema: { title: 'lessons' } }),
        { provider, model_ids: {} },
      ).system,
    );
  expect(system('anthropic')).not.toContain('lessons');
  expect(system('bedrock')).toContain('JSON Schema');
});

test('half of a character, which no provider takes, is sent as its replacement', () => {
  const half = '\u{1F600}'.slice(0, 1);
  const of = (text: string) => {
    const content = [{ type: 'text' as const, text }];
    const request = aRequest({ system: text, messages: [{ role: 'user', content }] });
    return toParams(request, { provider: 'bedrock', model_ids: {} });
  };
  const sent = JSON.stringify(of(`printed ${half}`));
  expect(sent).not.toContain('\\ud83d');
  expect(sent.match(/printed \ufffd/g)).toHaveLength(2);
  expect(JSON.stringify(of('printed \u{1F600}'))).toContain('printed \u{1F600}');
});
