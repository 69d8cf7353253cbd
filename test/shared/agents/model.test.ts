import { expect, test } from 'vitest';
import { resolveModel } from '#shared/agents/model.ts';
import { knownModels } from '#shared/models/catalogue.ts';

test.each([
  'claude-3-5-sonnet-20241022',
  'claude-2.1',
  'claude-instant-1.2',
  'claude-opus-4-20250514',
  'claude-opus-4-1-20250805',
  'claude-sonnet-4-0',
  'claude-sonnet-4',
])('%s is older than agents are', (id) => {
  expect(() => resolveModel({ id })).toThrow(/is too old/);
});

test.each([
  'claude-opus-4-5',
  'claude-opus-4-5-20251101',
  'claude-haiku-4-5-20251001',
  'claude-sonnet-5',
  'claude-fable-5-1',
  'a-model-of-another-name',
])('%s is accepted', (id) => {
  expect(resolveModel({ id })).toEqual({ id, effort: { type: 'high' }, speed: 'standard' });
});

test.each([
  [
    { id: 'claude-haiku-4-5', speed: 'fast' },
    "model.speed: 'claude-haiku-4-5' has no fast mode. Use standard.",
  ],
  [{ id: 'a-model-of-another-name', speed: 'fast' }, /^model\.speed: /],
  [
    { id: 'claude-opus-4-5', effort: 'xhigh' },
    "model.effort: 'claude-opus-4-5' has no level 'xhigh'. Use low or medium or high.",
  ],
  [{ id: 'claude-sonnet-4-6', effort: 'xhigh' }, /^model\.effort: /],
  [{ id: 'claude-haiku-4-5-20251001', effort: 'low' }, /Use high\.$/],
] as const)('%o has what its model does not have', (params, message) => {
  expect(() => resolveModel(params)).toThrow(message);
});

test.each(knownModels)('%s is accepted again as it was resolved', (id) => {
  const model = resolveModel({ id });
  expect(resolveModel({ id, effort: model.effort?.type, speed: model.speed })).toEqual(model);
});
