import { Logger } from '@aws-lambda-powertools/logger';
import { expect, test, vi } from 'vitest';
import { observer } from '#shared/task/observe.ts';

test('why something failed stands in its log line', () => {
  const logger = new Logger();
  const warned = vi.spyOn(logger, 'warn').mockImplementation(() => undefined);
  const failed = vi.spyOn(logger, 'error').mockImplementation(() => undefined);
  const { observe } = observer(logger, { session_id: 'sesn_1' });
  observe({ type: 'start_lost', message: 'Rate exceeded' });
  observe({ type: 'transcript_lost', message: 'Slow down' });
  // A `message` of our own is dropped by the logger.
  expect(warned).toHaveBeenCalledWith('start lost', {
    session_id: 'sesn_1',
    reason: 'Rate exceeded',
  });
  expect(failed).toHaveBeenCalledWith('transcript not written', {
    session_id: 'sesn_1',
    reason: 'Slow down',
  });
});
