import type { AwsPlace } from '../core/aws-caller.ts';
import type { Executions } from '../core/executions.ts';
import { StepFunctionsExecutions } from '../core/executions-sfn.ts';
import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { runName, type RunInput, type Runs, type ThreadsInput } from './runs.ts';

/** Runs of sessions as executions in Step Functions. */
export class StepFunctionsRuns implements Runs {
  readonly #executions: Executions;

  constructor(machine_arn: string, place?: AwsPlace) {
    this.#executions = new StepFunctionsExecutions(machine_arn, place);
  }

  async start(run: RunInput, restart?: number): Promise<void> {
    const { session_id, thread_id, inbox = [] } = run;
    const hints = inbox.slice(0, limits.inbox_hints_max);
    const input = { session_id, thread_id, run: run.run, inbox: hints, threads: [] };
    await this.#executions.start(runName(run, restart), input);
  }

  async startThreads(name: string, { session_id, threads }: ThreadsInput): Promise<void> {
    // The first state is a step for all executions; this one is told by its threads what it is for.
    const thread_id = primaryThreadId(session_id);
    await this.#executions.start(name, { session_id, thread_id, run: 1, inbox: [], threads });
  }

  async alive(name: string): Promise<boolean> {
    return await this.#executions.alive(name);
  }
}
