import { expect, test } from 'vitest';
import { resolveModel } from '#shared/agents/model.ts';

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
