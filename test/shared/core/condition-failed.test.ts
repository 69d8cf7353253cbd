import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import { ConditionFailed } from '#shared/core/table.ts';

test('the rows in the way are there for whoever decides, and not for a log', () => {
  const row = { pk: 'THREAD#1', sk: 'E#1', lines: [{ event: 'what somebody said' }] };
  const error = new ConditionFailed([0], [row]);
  expect(error.rows).toEqual([row]);
  expect(Object.keys(error)).toEqual(['name', 'failed']);
  expect(inspect(new Fault('busy', 'Try again.', { cause: error }))).not.toContain('said');
});
