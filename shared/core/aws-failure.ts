import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';

type SdkError = Parameters<typeof isThrottlingError>[0];

/**
 * Whether an AWS service was busy or out of reach, as the SDK itself tells: its own few tries were not
 * enough. Throttling is a 400 of most services.
 */
export function isPassing(error: Error): boolean {
  const failure = error as SdkError;
  return (
    isThrottlingError(failure) ||
    isTransientError(failure) ||
    isServerError(failure) ||
    error.name === 'TransactionCanceledException'
  );
}
