import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '#shared/core/backoff.ts';

/** As many as the AWS SDK makes. */
const TRIES = 3;

/**
 * Ask the store at a presigned address: reads, and puts of what is named by its hash, so a repeat
 * changes nothing. S3 answers 503 to who is to come again, and a sandbox that was frozen between two
 * calls finds the connection of the last one closed: neither is for the agent to hear of.
 */
export async function askStore(url: string, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, init).catch((cause: unknown) => {
      if (attempt === TRIES || init.signal?.aborted === true) throw cause;
      return undefined;
    });
    if (response !== undefined && (response.status < 500 || attempt === TRIES)) return response;
    await response?.body?.cancel();
    await sleep(backoffMs(attempt));
  }
}
