import { escapeUri } from '@smithy/core/protocols';
import { bytesOf, type AwsAnswer, type AwsCaller } from './aws-caller.ts';

export interface Invocation {
  readonly function_name: string;
  readonly event: object;
  /** `Event` is answered before it has run. */
  readonly type: 'RequestResponse' | 'Event';
  /** Of a function that is isolated by tenant. */
  readonly tenant_id?: string;
}

export interface Invoked {
  /** Whether the function threw, was stopped or died: the payload says of what. */
  readonly failed: boolean;
  readonly payload: string;
}

/** Lambda's Invoke. Source: its API reference. @throws as {@link AwsCaller.send} does */
export async function invoke(
  lambda: AwsCaller,
  { function_name, event, type, tenant_id }: Invocation,
  signal: AbortSignal,
): Promise<Invoked> {
  const request = {
    method: 'POST',
    path: `/2015-03-31/functions/${escapeUri(function_name)}/invocations`,
    headers: {
      'content-type': 'application/json',
      'x-amz-invocation-type': type,
      ...(tenant_id !== undefined && { 'x-amz-tenant-id': tenant_id }),
    },
    body: JSON.stringify(event),
  };
  const read = async ({ headers, body }: AwsAnswer) => ({
    failed: headers['x-amz-function-error'] !== undefined,
    payload: (await bytesOf(body)).toString('utf8'),
  });
  return await lambda.send(request, read, signal);
}
