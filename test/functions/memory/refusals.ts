import Anthropic from '@anthropic-ai/sdk';

/** The distinct statuses with which requests are refused; 200 for one that is not. */
export async function statusesOf(requests: readonly PromiseLike<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(requests);
  const statuses = settled.map((one): unknown => {
    if (one.status === 'fulfilled') return 200;
    return one.reason instanceof Anthropic.APIError ? one.reason.status : one.reason;
  });
  return [...new Set(statuses)];
}
