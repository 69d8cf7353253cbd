import { setTimeout as sleep } from 'node:timers/promises';
import { AwsRefused, AwsCaller, isRefused, type AwsPlace } from '../core/aws-caller.ts';
import { backoffMs } from '../core/backoff.ts';
import { invoke, type Invoked } from '../core/invoke-lambda.ts';
import { limits } from '../core/limits.ts';
import { RestedAgents } from '../core/rested-agents.ts';
import {
  SandboxBusy,
  SandboxLost,
  SandboxReply,
  type Sandbox,
  type SandboxRequest,
} from './sandbox.ts';

/** New execution environments come at a limited rate: 25 threads that start at once may wait. */
const ATTEMPTS_MAX = 10;

/**
 * The sandbox function. Each session is a tenant of its own: no execution environment ever serves
 * two. No call is repeated as others are, because Lambda's answer may be lost after the function ran.
 */
export class LambdaSandbox implements Sandbox {
  readonly #lambda: AwsCaller;
  readonly #function_name: string;
  readonly #agents = new RestedAgents();

  constructor(function_name: string, place: AwsPlace = {}) {
    this.#function_name = function_name;
    const { httpAgent, httpsAgent } = this.#agents;
    this.#lambda = new AwsCaller(
      'lambda',
      { ...place, attempts_max: 1 },
      { httpAgent, httpsAgent },
    );
  }

  async invoke(request: SandboxRequest, signal: AbortSignal): Promise<SandboxReply> {
    const timeout = AbortSignal.timeout(limits.bash_timeout_ms + limits.sandbox_overhead_ms);
    const until = AbortSignal.any([signal, timeout]);
    const { failed, payload } = await this.#agents.use(() => this.#send(request, until));
    if (failed) throw new SandboxLost(reasonOf(payload));
    return SandboxReply.parse(JSON.parse(payload));
  }

  async #send(event: SandboxRequest, signal: AbortSignal): Promise<Invoked> {
    const function_name = this.#function_name;
    const { session_id: tenant_id } = event;
    for (let attempt = 1; ; attempt++) {
      try {
        const invocation = { function_name, event, type: 'RequestResponse', tenant_id } as const;
        return await invoke(this.#lambda, invocation, signal);
      } catch (cause) {
        // The only refusal that is sure to have run nothing.
        if (!isRefused(cause, 'TooManyRequestsException')) throw lost(cause);
        if (attempt === ATTEMPTS_MAX) throw new SandboxBusy(cause.message, { cause });
      }
      await sleep(backoffMs(attempt), undefined, { signal });
    }
  }
}

/** A request that Lambda itself refuses (no such function, no permission) is our fault, and ran nothing. */
function lost(cause: unknown): unknown {
  const status = cause instanceof AwsRefused ? cause.$metadata.httpStatusCode : 500;
  if (status >= 400 && status < 500) return cause;
  return new SandboxLost('the connection to it was lost', { cause });
}

/** Lambda says `Task timed out after 150.00 seconds`, or what the runtime died of. */
function reasonOf(text: string): string {
  const { errorMessage = '' } = JSON.parse(text) as { errorMessage?: string };
  return /timed out/i.test(errorMessage) ? 'it ran out of time' : 'it failed';
}
