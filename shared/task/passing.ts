import { Fault } from '../core/fault.ts';

/** What the AWS SDK throws when a service is busy or out of reach: its own few tries were not enough. */
interface AwsFailure {
  readonly name?: string;
  readonly code?: string;
  readonly $fault?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function isPassing(error: unknown): boolean {
  const { name = '', code = '', $fault, $metadata } = error as AwsFailure;
  const status = $metadata?.httpStatusCode ?? 0;
  return (
    $fault === 'server' ||
    status === 429 ||
    status >= 500 ||
    name === 'TransactionCanceledException' ||
    name === 'TimeoutError' ||
    /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN)/.test(code)
  );
}

/** What a task throws to its machine: what will pass as a Fault that the machine's Retry knows. */
export function thrownBy(error: unknown): unknown {
  return isPassing(error)
    ? new Fault('overloaded', 'AWS did not answer.', { cause: error })
    : error;
}
