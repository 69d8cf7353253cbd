import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Executions } from '../core/executions.ts';
import { StepFunctionsExecutions } from '../core/executions-sfn.ts';
import { limits } from '../core/limits.ts';
import type { RunInput, Runs } from './runs.ts';
import { executionName } from './session.ts';

/** Runs of sessions as executions in Step Functions. */
export class StepFunctionsRuns implements Runs {
  readonly #executions: Executions;

  constructor(machine_arn: string, client?: SFNClient) {
    this.#executions = new StepFunctionsExecutions(machine_arn, client);
  }

  async start(
    { session_id, thread_id, run, inbox = [] }: RunInput,
    restart?: number,
  ): Promise<void> {
    const hints = inbox.slice(0, limits.inbox_hints_max);
    const input: RunInput = { session_id, thread_id, run, inbox: hints };
    await this.#executions.start(executionName(session_id, run, restart), input);
  }

  async alive(session_id: string, run: number, restart?: number): Promise<boolean> {
    return await this.#executions.alive(executionName(session_id, run, restart));
  }
}
