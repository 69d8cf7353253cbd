import { AwsJson } from './aws-json.ts';
import { isRefused, type AwsPlace } from './aws-caller.ts';
import type { Executions } from './executions.ts';

/** Executions in Step Functions. Endpoint, region and credentials come from Lambda's environment. */
export class StepFunctionsExecutions implements Executions {
  readonly #sfn: AwsJson;
  readonly #machine_arn: string;

  constructor(machine_arn: string, place?: AwsPlace) {
    this.#machine_arn = machine_arn;
    this.#sfn = new AwsJson('states', place);
  }

  async start(name: string, input: object): Promise<void> {
    try {
      await this.#sfn.call('StartExecution', {
        stateMachineArn: this.#machine_arn,
        name,
        // No `traceHeader`: Step Functions goes by the header of the request, which the caller sends.
        input: JSON.stringify(input),
      });
    } catch (error) {
      // It has been started before: by us with a lost reply, or by reconcile.
      if (!isRefused(error, 'ExecutionAlreadyExists')) throw error;
    }
  }

  async alive(name: string): Promise<boolean> {
    try {
      const input = { executionArn: this.#arn(name) };
      const { status } = await this.#sfn.call<{ status: string }>('DescribeExecution', input);
      return status === 'RUNNING' || status === 'PENDING_REDRIVE';
    } catch (error) {
      if (isRefused(error, 'ExecutionDoesNotExist')) return false;
      throw error;
    }
  }

  /** arn:…:stateMachine:NAME → arn:…:execution:NAME:EXECUTION */
  #arn(execution: string): string {
    return `${this.#machine_arn.replace(':stateMachine:', ':execution:')}:${execution}`;
  }
}
