import { awsDefaults } from '../core/aws-defaults.ts';
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { limits } from '../core/limits.ts';
import type { RunInput, Runs } from './runs.ts';
import { executionName } from './session.ts';

/** Executions in Step Functions. Endpoint, region and credentials come from Lambda's environment. */
export class StepFunctionsRuns implements Runs {
  readonly #sfn: SFNClient;
  readonly #machine_arn: string;

  constructor(machine_arn: string, client = new SFNClient(awsDefaults)) {
    this.#machine_arn = machine_arn;
    this.#sfn = client;
  }

  async start({ session_id, thread_id, run, inbox = [] }: RunInput): Promise<void> {
    try {
      await this.#sfn.send(
        new StartExecutionCommand({
          stateMachineArn: this.#machine_arn,
          name: executionName(session_id, run),
          input: JSON.stringify({
            session_id,
            thread_id,
            run,
            inbox: inbox.slice(0, limits.inbox_hints_max),
          } satisfies RunInput),
          // Joins the request's trace with the machine's; Lambda sets it, and only when it traces.
          traceHeader: process.env['_X_AMZN_TRACE_ID'],
        }),
      );
    } catch (error) {
      // The run has been started before: by us with a lost reply, or by reconcile.
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
  }

  async alive(session_id: string, run: number): Promise<boolean> {
    try {
      const { status } = await this.#sfn.send(
        new DescribeExecutionCommand({ executionArn: this.#arn(executionName(session_id, run)) }),
      );
      return status === 'RUNNING' || status === 'PENDING_REDRIVE';
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return false;
      throw error;
    }
  }

  /** arn:…:stateMachine:NAME → arn:…:execution:NAME:EXECUTION */
  #arn(execution: string): string {
    return `${this.#machine_arn.replace(':stateMachine:', ':execution:')}:${execution}`;
  }
}
