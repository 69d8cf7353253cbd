import { thrownBy } from './aws-failure.ts';
import { Fault, faults } from './fault.ts';
import { parseJson } from './json.ts';
import type { QueryValues } from './parse.ts';

/** An HTTP request in our own words; the platform's event ends where this begins. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case; several lines of one header are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: QueryValues;
  /** The body's bytes, or its text where the platform has already decoded it. */
  readonly body: Uint8Array | string | undefined;
}

/** What we read of API Gateway's REST proxy event (payload format 1.0). */
export interface ProxyEvent {
  readonly httpMethod: string;
  readonly path: string;
  /** The path of the API's resource that took the request, with its `{parts}` unfilled. */
  readonly resource?: string;
  readonly pathParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, string[] | undefined>> | null;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, string[] | undefined>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

export function fromProxyEvent(event: ProxyEvent): HttpRequest {
  const { body } = event;
  return {
    method: event.httpMethod,
    path: pathOf(event),
    headers: headersOf(event),
    query: readQuery(queryEntries(event)),
    body:
      body === null || body === undefined || body === ''
        ? undefined
        : event.isBase64Encoded === true
          ? Buffer.from(body, 'base64')
          : body,
  };
}

/**
 * The resource's path with its parts filled in. Behind a custom domain with a base path, `path` has
 * that prefix and this has not; `proxy` alone is only what follows the resource's fixed parts.
 */
function pathOf({ resource, path, pathParameters }: ProxyEvent): string {
  if (resource === undefined) return path;
  return resource.replaceAll(
    /\{(\w+)\+?\}/g,
    (part, name: string) => pathParameters?.[name] ?? part,
  );
}

function headersOf(event: ProxyEvent): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = value;
  }
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    if (values !== undefined) headers[name.toLowerCase()] = values.join(',');
  }
  return headers;
}

function queryEntries(event: ProxyEvent): [string, string][] {
  const many = event.multiValueQueryStringParameters;
  if (many !== null && many !== undefined) {
    return Object.entries(many).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    );
  }
  return Object.entries(event.queryStringParameters ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  );
}

/**
 * Group a query: `statuses[]=a&statuses[]=b` and `statuses=a&statuses=b` become a list, a single bare
 * value stays a string. `beta` (older SDKs send it) is dropped, and so is an empty value: the SDK
 * writes a parameter that is null as `page=`.
 */
export function readQuery(entries: readonly (readonly [string, string])[]): QueryValues {
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, never>;
  for (const [raw, value] of entries) {
    const is_list = raw.endsWith('[]');
    const name = is_list ? raw.slice(0, -2) : raw;
    if (name === 'beta' || value === '') continue;
    const before = query[name];
    if (before === undefined) query[name] = is_list ? [value] : value;
    else query[name] = [...(typeof before === 'string' ? [before] : before), value];
  }
  return { ...query };
}

/** An HTTP answer in our own words. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A page of another origin may call us with a key of its own; API Gateway answers its preflights. */
export const cors = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'request-id, x-should-retry',
} as const;

/** The answer to a request that worked. */
export function replyOf(status: number, body: unknown, request_id: string): HttpReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'request-id': request_id, ...cors },
    body: JSON.stringify(body),
  };
}

/**
 * The error envelope of the API. What is neither a Fault nor AWS being busy is our bug. The text of
 * either may hold what the caller must not see, so it is logged and not sent.
 */
export function errorReply(thrown: unknown, request_id: string): HttpReply {
  const error = thrownBy(thrown);
  const known = error instanceof Fault;
  const { status, type, retryable } = known
    ? faults[error.kind]
    : { status: 500, type: 'api_error', retryable: true };
  const message = known
    ? error.message
    : `Internal error. Try again; if it stays, look up request ${request_id} in the logs.`;
  const details = known && error.details !== undefined ? { details: error.details } : {};
  const fields = known ? error.fields : {};
  const headers = known ? error.headers : {};
  const reply = replyOf(
    status,
    { type: 'error', error: { type, message, ...fields, ...details }, request_id },
    request_id,
  );
  return {
    ...reply,
    headers: { ...reply.headers, ...headers, 'x-should-retry': String(retryable) },
  };
}

/** Nothing that we serve differs between them. */
const versions = new Set(['2023-06-01', '2026-10-21']);

/** @throws Fault `invalid` for a version that we do not know; none at all is the newest. */
export function checkVersion(headers: HttpRequest['headers']): void {
  const version = headers['anthropic-version'];
  if (version !== undefined && !versions.has(version)) {
    throw new Fault(
      'invalid',
      `anthropic-version: '${version.slice(0, 40)}' is not known. Use ${[...versions].join(' or ')}.`,
    );
  }
}

/**
 * The JSON of a request's body; undefined when there is none.
 *
 * @throws Fault `media` for another content type or a compressed body; Fault `invalid` for another
 *   charset and for what is not JSON in UTF-8.
 */
export function readJson(http: HttpRequest): unknown {
  if (http.body === undefined) return undefined;
  const [type = '', ...parameters] = (http.headers['content-type'] ?? 'application/json').split(
    ';',
  );
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new Fault('media', 'content-type: must be application/json.');
  }
  const coding = http.headers['content-encoding'] ?? 'identity';
  if (coding.trim().toLowerCase() !== 'identity') {
    throw new Fault('media', 'content-encoding: a body must not be compressed. Send it as it is.');
  }
  const charset = parameters.map((text) => text.trim().toLowerCase()).find(isCharset);
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new Fault('invalid', 'content-type: only the charset utf-8 is supported.', {
      details: { error_code: 'unsupported_charset' },
    });
  }
  return parseJson(typeof http.body === 'string' ? http.body : decode(http.body));
}

function isCharset(parameter: string): boolean {
  return parameter.startsWith('charset=');
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Fault('invalid', 'The body is not valid UTF-8.', { cause });
  }
}
