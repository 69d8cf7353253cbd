import type { Sandbox, SandboxReply, SandboxRequest } from './sandbox.ts';

/** The sandbox function for who may never need it: Lambda's client is loaded by the first call, and is no part of a cold start. */
export class LaterSandbox implements Sandbox {
  readonly #function_name: string;
  #loading: Promise<Sandbox> | undefined;

  constructor(function_name: string) {
    this.#function_name = function_name;
  }

  async invoke(request: SandboxRequest, signal: AbortSignal): Promise<SandboxReply> {
    this.#loading ??= import('./sandbox-lambda.ts').then(
      ({ LambdaSandbox }) => new LambdaSandbox(this.#function_name),
    );
    return await (await this.#loading).invoke(request, signal);
  }
}
