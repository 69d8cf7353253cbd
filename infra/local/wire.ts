import type { IncomingHttpHeaders } from 'node:http';
import type { AwsError } from './aws-error.ts';
import type { Caller } from './iam/authorizer.ts';
import type { Request } from './iam/statement.ts';

/** Who calls: the caller in IAM's eyes, and the function behind it. */
export interface Principal extends Caller {
  /** The function's short name, or `host` for the administrator. */
  readonly function_name: string;
  readonly secret: string;
}

/** A request to an AWS service, read whole. */
export interface WireRequest {
  readonly principal: Principal;
  readonly method: string;
  /** As it came: a URL would fold the `..` of an object's key. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Signed in its query and not in a header. */
  readonly presigned: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer | string;
}

/** What a request amounts to, before anything is done: what IAM and hooks are asked about. */
export interface Plan {
  readonly action: string;
  readonly resource: string;
  readonly permissions: readonly Request[];
  /** The parsed body, where the service speaks JSON. */
  readonly body?: unknown;
  run(): Promise<Reply>;
}

/** One AWS service behind the gateway. */
export interface Service {
  plan(request: WireRequest): Plan;
  failure(error: AwsError): Reply;
}

export function jsonReply(body: unknown, type = 'application/x-amz-json-1.0'): Reply {
  return { status: 200, headers: { 'content-type': type }, body: JSON.stringify(body) };
}

/** An error as the services that speak JSON send it. */
export function jsonFailure(error: AwsError): Reply {
  return {
    status: error.status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': error.name },
    body: JSON.stringify({ __type: error.name, message: error.message, ...error.fields }),
  };
}
