import { isPassing } from '../core/aws-failure.ts';
import { Fault } from '../core/fault.ts';

/** What a task throws to its machine: what will pass as a Fault that the machine's Retry knows. */
export function thrownBy(error: unknown): unknown {
  // What is ours has been judged already, whatever has caused it.
  if (!(error instanceof Error) || error instanceof Fault || !isPassing(error)) return error;
  return new Fault('overloaded', 'AWS did not answer.', { cause: error });
}
