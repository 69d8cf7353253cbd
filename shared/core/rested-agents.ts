import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { limits } from './limits.ts';

/**
 * Agents that begin anew after a pause. Lambda freezes a function between its invocations: a connection
 * that was closed meanwhile looks open, and the first request on it is lost. Who may not simply send
 * again, because the request may have had its effect, needs one that is known to be open.
 */
export class RestedAgents {
  readonly httpAgent = new HttpAgent({ keepAlive: true });
  readonly httpsAgent = new HttpsAgent({ keepAlive: true });
  #at_work = 0;
  #rested_at_ms = 0;

  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    // While anything is at work nothing has been frozen, and a destroyed agent would end that too.
    if (this.#at_work === 0 && Date.now() - this.#rested_at_ms >= limits.connection_rest_ms) {
      this.httpAgent.destroy();
      this.httpsAgent.destroy();
    }
    this.#at_work += 1;
    try {
      return await work();
    } finally {
      this.#at_work -= 1;
      this.#rested_at_ms = Date.now();
    }
  }
}
