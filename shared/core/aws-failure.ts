import { Fault } from './fault.ts';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';

type SdkError = Parameters<typeof isThrottlingError>[0];

/**
 * An error as it is told to whoever may try again, a machine or a client: of AWS being busy or out of
 * reach a Fault `overloaded`, which says nothing of what was asked; every other is given back.
 */
export function thrownBy(error: unknown): unknown {
  // What is ours has been judged already, whatever has caused it.
  if (!(error instanceof Error) || error instanceof Fault || !isPassing(error)) return error;
  return new Fault('overloaded', 'AWS is busy. Try again in a moment.', { cause: error });
}

/** As the SDK itself tells: a few tries were not enough. Throttling is a 400 of most services. */
function isPassing(error: Error): boolean {
  const failure = error as SdkError;
  return (
    isThrottlingError(failure) ||
    isTransientError(failure) ||
    isServerError(failure) ||
    error.name === 'TransactionCanceledException'
  );
}
