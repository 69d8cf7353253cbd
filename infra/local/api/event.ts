import type { IncomingMessage } from 'node:http';
import { place } from '../place.ts';
import type { FunctionRoute } from './routes.ts';

export interface ApiRequest {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly route: FunctionRoute;
  readonly parameters: Readonly<Record<string, string>>;
  /** The path without the stage, as it came. */
  readonly path: string;
  readonly query: string;
  readonly stage: string;
  readonly api_id: string;
  readonly request_id: string;
  readonly now: Date;
  readonly binary: boolean;
}

/** The event of a Lambda proxy integration (payload 1.0), as a REST API sends it. */
export function proxyEvent(request: ApiRequest): object {
  const { incoming, body, route, parameters, path, query, stage, request_id, binary } = request;
  const headers = multi(pairsOf(incoming.rawHeaders));
  const queries = multi([...new URLSearchParams(query)]);
  return {
    resource: route.resource_path,
    path,
    httpMethod: incoming.method,
    headers: last(headers),
    multiValueHeaders: headers,
    queryStringParameters: orNull(last(queries)),
    multiValueQueryStringParameters: orNull(queries),
    pathParameters: orNull(parameters),
    stageVariables: null,
    requestContext: {
      resourceId: route.resource_id,
      resourcePath: route.resource_path,
      httpMethod: incoming.method,
      extendedRequestId: request_id,
      requestTime: requestTime(request.now),
      path: `/${stage}${path}`,
      accountId: place.account,
      protocol: `HTTP/${incoming.httpVersion}`,
      stage,
      domainPrefix: request.api_id,
      requestTimeEpoch: request.now.getTime(),
      requestId: request_id,
      identity: {
        sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
        userAgent: incoming.headers['user-agent'] ?? null,
      },
      domainName: incoming.headers.host ?? '',
      apiId: request.api_id,
    },
    body: body.length === 0 ? null : body.toString(binary ? 'base64' : 'utf8'),
    isBase64Encoded: binary && body.length > 0,
  };
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return pairs;
}

function multi(pairs: readonly [string, string][]): Record<string, string[]> {
  // Whoever asks chooses the names: `constructor` is one like any other.
  const values = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of pairs) (values[name] ??= []).push(value);
  return values;
}

function last(values: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1) ?? '']));
}

/** API Gateway sends null where there is nothing. */
function orNull<Values extends object>(values: Values): Values | null {
  return Object.keys(values).length === 0 ? null : values;
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `21/Nov/2026:00:00:00 +0000` */
function requestTime(now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${months[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
