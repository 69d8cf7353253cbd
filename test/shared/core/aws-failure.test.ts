import { expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import { thrownBy } from '#shared/core/aws-failure.ts';

/** As the SDK throws it: an error with the service's name for it, and what HTTP said. */
const failure = (name: string, status?: number, code?: string): Error =>
  Object.assign(new Error('no'), {
    name,
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
    ...(code === undefined ? {} : { code }),
  });

test.each([
  ['ThrottlingException', 400, undefined, true],
  ['ProvisionedThroughputExceededException', 400, undefined, true],
  ['RequestLimitExceeded', 400, undefined, true],
  ['TransactionInProgressException', 400, undefined, true],
  ['TransactionCanceledException', 400, undefined, true],
  ['TooManyRequestsException', 429, undefined, true],
  ['SlowDown', 503, undefined, true],
  ['InternalServerError', 500, undefined, true],
  ['TimeoutError', undefined, undefined, true],
  ['Error', undefined, 'ECONNRESET', true],
  ['Error', undefined, 'ECONNREFUSED', true],
  ['Error', undefined, 'EPIPE', true],
  ['Error', undefined, 'ETIMEDOUT', true],
  ['Error', undefined, 'EAI_AGAIN', true],
  ['AccessDeniedException', 400, undefined, false],
  ['ValidationException', 400, undefined, false],
  ['ResourceNotFoundException', 400, undefined, false],
  ['TypeError', undefined, undefined, false],
])('%s (%s %s) is left to the machine’s patience: %s', (name, status, code, passes) => {
  const error = failure(name, status, code);
  const thrown = thrownBy(error);
  if (passes) expect(thrown).toMatchObject({ name: 'RetryableFault', cause: error });
  else expect(thrown).toBe(error);
});

test('what is ours has been judged already', () => {
  const fault = new Fault('invalid', 'no', { cause: failure('TimeoutError') });
  expect(thrownBy(fault)).toBe(fault);
  expect(thrownBy('no error')).toBe('no error');
});
