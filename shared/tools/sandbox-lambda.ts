import { quick } from '../core/aws-defaults.ts';
import {
  InvokeCommand,
  LambdaClient,
  TooManyRequestsException,
  type LambdaClientConfig,
} from '@aws-sdk/client-lambda';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { limits } from '../core/limits.ts';
import { RestedAgents } from '../core/rested-agents.ts';
import { SandboxLost, SandboxReply, type Sandbox, type SandboxRequest } from './sandbox.ts';

/** New execution environments come at a limited rate: 25 threads that start at once may wait. */
const ATTEMPTS_MAX = 10;

/**
 * The sandbox function. Each session is a tenant of its own: no execution environment ever serves
 * two. The SDK's own retries are off, because Lambda's answer may be lost after the function ran.
 */
export class LambdaSandbox implements Sandbox {
  readonly #lambda: LambdaClient;
  readonly #function_name: string;
  readonly #agents = new RestedAgents();

  constructor(function_name: string, config: LambdaClientConfig = {}) {
    this.#function_name = function_name;
    const { httpAgent, httpsAgent } = this.#agents;
    const requestHandler = { httpAgent, httpsAgent };
    this.#lambda = new LambdaClient({ maxAttempts: 1, requestHandler, ...quick, ...config });
  }

  async invoke(request: SandboxRequest, signal: AbortSignal): Promise<SandboxReply> {
    const timeout = AbortSignal.timeout(limits.bash_timeout_ms + limits.sandbox_overhead_ms);
    const until = AbortSignal.any([signal, timeout]);
    const answer = await this.#agents.use(() => this.#send(request, until));
    const text = Buffer.from(answer.Payload ?? []).toString('utf8');
    if (answer.FunctionError !== undefined) throw new SandboxLost(reasonOf(text));
    return SandboxReply.parse(JSON.parse(text));
  }

  async #send(request: SandboxRequest, signal: AbortSignal) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#lambda.send(
          new InvokeCommand({
            FunctionName: this.#function_name,
            TenantId: request.session_id,
            Payload: JSON.stringify(request),
          }),
          { abortSignal: signal },
        );
      } catch (cause) {
        // The only refusal that is sure to have run nothing.
        const is_refused = cause instanceof TooManyRequestsException && attempt < ATTEMPTS_MAX;
        if (!is_refused) throw lost(cause);
      }
      await sleep(backoffMs(attempt), undefined, { signal });
    }
  }
}

/** A request that Lambda itself refuses (no such function, no permission) is our fault, and ran nothing. */
function lost(cause: unknown): unknown {
  const { $metadata: { httpStatusCode = 500 } = {} } = cause as {
    $metadata?: { httpStatusCode?: number };
  };
  if (httpStatusCode >= 400 && httpStatusCode < 500) return cause;
  return new SandboxLost('the connection to it was lost', { cause });
}

/** Lambda says `Task timed out after 150.00 seconds`, or what the runtime died of. */
function reasonOf(text: string): string {
  const { errorMessage = '' } = JSON.parse(text) as { errorMessage?: string };
  return /timed out/i.test(errorMessage) ? 'it ran out of time' : 'it failed';
}
