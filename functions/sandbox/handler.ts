import { systemDialer } from '#shared/tools/public-fetch.ts';
import type { SandboxReply } from '#shared/tools/sandbox.ts';
import { serve } from './serve.ts';

/**
 * The sandbox: bash and the file tools, for one session per execution environment. It has no AWS
 * permission and gets no credentials; everything comes in the request and goes in the reply.
 */
export async function handler(event: unknown): Promise<SandboxReply> {
  return await serve({ dialer: systemDialer, nowMs: Date.now }, event);
}
