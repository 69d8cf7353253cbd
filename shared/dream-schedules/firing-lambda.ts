import { awsDefaults } from '../core/aws-defaults.ts';
import type { openLambda } from '../core/open-lambda.ts';
import type { Firing } from './firing.ts';

/** How long a request waits for the fire function; reconcile goes on with what is not done by then. */
const ANSWER_MS = 20_000;

const settings = {
  ...awsDefaults,
  requestHandler: { ...awsDefaults.requestHandler, requestTimeout: ANSWER_MS },
};

/** The fire function in Lambda: what it does is safe to repeat. Its client is loaded when it is first called. */
export class LambdaFiring implements Firing {
  readonly #function_name: string;
  #loading: Promise<ReturnType<typeof openLambda>> | undefined;

  constructor(function_name: string) {
    this.#function_name = function_name;
  }

  async sync(dream_schedule_id: string): Promise<void> {
    await this.#invoke({ task: 'sync', dream_schedule_id }, 'RequestResponse');
  }

  async run(dream_schedule_id: string, run_id: string): Promise<void> {
    await this.#invoke({ task: 'run', dream_schedule_id, run_id }, 'RequestResponse');
  }

  async heal(dream_schedule_id: string): Promise<void> {
    await this.#invoke({ task: 'heal', dream_schedule_id }, 'Event');
  }

  async #invoke(event: object, type: 'RequestResponse' | 'Event'): Promise<void> {
    this.#loading ??= import('../core/open-lambda.ts').then((module) =>
      module.openLambda(settings),
    );
    const { lambda, InvokeCommand } = await this.#loading;
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({
        FunctionName: this.#function_name,
        InvocationType: type,
        Payload: JSON.stringify(event),
      }),
    );
    if (FunctionError === undefined) return;
    throw new Error(`the fire function failed: ${Buffer.from(Payload ?? []).toString('utf8')}`);
  }
}
