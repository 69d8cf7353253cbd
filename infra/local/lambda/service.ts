import { AwsError } from '../aws-error.ts';
import type { Plan, Reply, Service, WireRequest } from '../wire.ts';
import type { Outcome } from './function.ts';
import type { FunctionPool } from './pool.ts';

const path_pattern = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Lambda's Invoke, over HTTP. */
export class LambdaService implements Service {
  readonly #pools: readonly FunctionPool[];

  constructor(pools: readonly FunctionPool[]) {
    this.#pools = pools;
  }

  plan(request: WireRequest): Plan {
    const [, encoded] = path_pattern.exec(request.path) ?? [];
    if (encoded === undefined || request.method !== 'POST') {
      throw new AwsError('UnknownOperationException', 'The local host speaks only Invoke.', 404);
    }
    const name = decodeURIComponent(encoded);
    const pool = this.#pools.find(({ settings }) => [settings.name, settings.arn].includes(name));
    const resource = pool?.settings.arn ?? name;
    return {
      action: 'Invoke',
      resource,
      permissions: [{ action: 'lambda:InvokeFunction', resource, context: {} }],
      run: () => {
        if (pool === undefined) {
          throw new AwsError('ResourceNotFoundException', `Function not found: ${name}`, 404);
        }
        return run(pool, request);
      },
    };
  }

  failure(error: AwsError): Reply {
    const status = error.name === 'AccessDeniedException' ? 403 : error.status;
    return {
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.name },
      body: JSON.stringify({ Type: 'User', message: error.message }),
    };
  }
}

async function run(pool: FunctionPool, { headers, body }: WireRequest): Promise<Reply> {
  const tenant_id = headers['x-amz-tenant-id'];
  const event = body.length === 0 ? '{}' : body.toString('utf8');
  const options = typeof tenant_id === 'string' ? { tenant_id } : {};
  const { outcome } = pool.invoke(event, options);
  if (headers['x-amz-invocation-type'] === 'Event') return { status: 202, headers: {}, body: '' };
  return invoked(await outcome);
}

function invoked(outcome: Outcome): Reply {
  const type = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if (outcome.ok) return { status: 200, headers: type, body: outcome.body };
  const headers = { ...type, 'x-amz-function-error': 'Unhandled' };
  return { status: 200, headers, body: JSON.stringify(outcome.error) };
}
