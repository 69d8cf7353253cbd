import type { LambdaClientConfig } from '@aws-sdk/client-lambda';
import { awsDefaults } from '../core/aws-defaults.ts';
import type { openLambda } from '../core/open-lambda.ts';
import type { Firing } from './firing.ts';

/** How long a request waits for the fire function; reconcile goes on with what is not done by then. */
const ANSWER_MS = 20_000;

/** Not the SDK's own bound: that is for each try, and three of them are longer than a request may last. */
const settings = {
  ...awsDefaults,
  requestHandler: { ...awsDefaults.requestHandler, requestTimeout: 0 },
};

export interface FiringOptions {
  /** @default 20,000 */
  readonly answer_ms?: number;
  /** Where Lambda is. @default - as its environment says */
  readonly config?: LambdaClientConfig;
}

/** The fire function in Lambda: what it does is safe to repeat. Its client is loaded when it is first called. */
export class LambdaFiring implements Firing {
  readonly #function_name: string;
  readonly #answer_ms: number;
  readonly #config: LambdaClientConfig;
  #loading: Promise<ReturnType<typeof openLambda>> | undefined;

  constructor(function_name: string, { answer_ms = ANSWER_MS, config = {} }: FiringOptions = {}) {
    this.#function_name = function_name;
    this.#answer_ms = answer_ms;
    this.#config = { ...settings, ...config };
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
      module.openLambda(this.#config),
    );
    const { lambda, InvokeCommand } = await this.#loading;
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({
        FunctionName: this.#function_name,
        InvocationType: type,
        Payload: JSON.stringify(event),
      }),
      { abortSignal: AbortSignal.timeout(this.#answer_ms) },
    );
    if (FunctionError === undefined) return;
    throw new Error(`the fire function failed: ${Buffer.from(Payload ?? []).toString('utf8')}`);
  }
}
