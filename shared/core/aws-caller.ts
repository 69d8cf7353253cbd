import { InvokeStore } from '@aws/lambda-invoke-store';
import { Sha256 } from '@smithy/core/checksum';
import { buildQueryString, HttpRequest } from '@smithy/core/protocols';
import {
  getRetryAfterHint,
  isServerError,
  isThrottlingError,
  isTransientError,
  StandardRetryStrategy,
} from '@smithy/core/retry';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import type { IncomingMessage } from 'node:http';
import { invariant } from './invariant.ts';

/** Where a service is, and who calls it. What is left out is as Lambda's environment says. */
export interface AwsPlace {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** How often a call is made at most before its failure is told. @default - as the service's own client */
  readonly attempts_max?: number;
}

/** A request as the service's API reference has it, unsigned. */
export interface AwsRequest {
  readonly method: string;
  /** With its parts escaped. @default / */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** By names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** How the SDK's own clients are set. Source: their code, which knows no more of these services than this. */
const services = {
  dynamodb: { variable: 'DYNAMODB', attempts_max: 4, delay_ms: 25 },
  states: { variable: 'SFN', attempts_max: 3, delay_ms: 50 },
  secretsmanager: { variable: 'SECRETS_MANAGER', attempts_max: 3, delay_ms: 50 },
  kms: { variable: 'KMS', attempts_max: 3, delay_ms: 50 },
  lambda: { variable: 'LAMBDA', attempts_max: 3, delay_ms: 50 },
  scheduler: { variable: 'SCHEDULER', attempts_max: 3, delay_ms: 50 },
  s3: { variable: 'S3', attempts_max: 3, delay_ms: 50 },
} as const;

type ServiceName = keyof typeof services;

/**
 * Lambda allows 1,024 open files. The SDK's own bound is 50 sockets, and it takes the time a request waits
 * for one of them for time to connect: more than 50 slow calls at once would end as lost connections.
 */
const agent = { maxSockets: 400 };

/** Left to itself a hung socket would hold a step for fifteen minutes, and all streams of a process. */
export const shortCalls: NodeHttpHandlerOptions = {
  httpAgent: agent,
  httpsAgent: agent,
  connectionTimeout: 2_000,
  requestTimeout: 10_000,
  // Without it a time-out is only a warning.
  throwOnRequestTimeout: true,
  // A body that stops in the middle.
  socketTimeout: 10_000,
};

/**
 * What a service refused. It is told apart by its name, as the SDK's own errors are. The answer is private:
 * a logger writes all that an error shows, and a refused write brings the row that stood in its way.
 */
export class AwsRefused extends Error {
  /** In the SDK's form: its own functions judge by it whether the call may be made again. */
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId?: string };
  /** When the service wants to be asked again, where it says so. */
  readonly retry_at: Date | undefined;
  readonly #answer: Readonly<Record<string, unknown>>;

  constructor({ statusCode, headers }: AwsAnswer, body: string, retry_at?: Date) {
    const answer = objectOf(body);
    const message = answer['message'] ?? answer['Message'] ?? elementOf(body, 'Message');
    super(typeof message === 'string' ? message : `AWS answered ${statusCode}`);
    const code = answer['__type'] ?? answer['code'] ?? headers['x-amzn-errortype'];
    this.name = nameOf(code ?? elementOf(body, 'Code'));
    this.retry_at = retry_at;
    this.#answer = answer;
    const requestId = headers['x-amzn-requestid'] ?? headers['x-amz-request-id'];
    this.$metadata = { httpStatusCode: statusCode, ...(requestId !== undefined && { requestId }) };
  }

  /** The body of the answer, where it is JSON. */
  get answer(): Readonly<Record<string, unknown>> {
    return this.#answer;
  }
}

export function isRefused(error: unknown, name: string): error is AwsRefused {
  return error instanceof AwsRefused && error.name === name;
}

/** What a service has answered. Who gets it reads its body to the end, or its connection serves nobody else. */
export interface AwsAnswer {
  readonly statusCode: number;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: IncomingMessage;
}

/**
 * Calls of one service, made of the SDK's own signer, transport and retries. What its clients put around
 * them, thirty steps of middleware and a schema for each shape, takes two thirds of a call's processor
 * time: most of what a step has, in a function with a sixth of a processor.
 */
export class AwsCaller {
  readonly #name: ServiceName;
  readonly #origin: URL;
  readonly #signer: SignatureV4;
  readonly #retries: StandardRetryStrategy;
  readonly #http: NodeHttpHandler;

  constructor(name: ServiceName, place: AwsPlace = {}, http = shortCalls) {
    const { attempts_max, delay_ms } = services[name];
    const region = place.region ?? lambdaVariable('AWS_REGION');
    this.#name = name;
    this.#origin = new URL(place.endpoint ?? endpointOf(name, region));
    this.#http = new NodeHttpHandler(http);
    this.#signer = new SignatureV4({
      service: name,
      region,
      credentials: place.credentials ?? credentialsOfLambda(),
      sha256: Sha256,
      // Of S3 alone a path is signed as it is sent.
      uriEscapePath: name !== 's3',
    });
    this.#retries = new StandardRetryStrategy({
      maxAttempts: place.attempts_max ?? attempts_max,
      baseDelay: delay_ms,
    });
  }

  /**
   * @param read What is made of an answer; a connection that breaks while it reads is tried again.
   * @throws AwsRefused, or what the connection failed of, after as many tries as are worth it
   */
  async send<Result>(
    request: AwsRequest,
    read: (answer: AwsAnswer) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    let token = await this.#retries.acquireInitialRetryToken('');
    for (;;) {
      try {
        const result = await read(await this.#once(request, signal));
        this.#retries.recordSuccess(token);
        return result;
      } catch (error) {
        if (signal?.aborted === true) throw error;
        token = await this.#retries.refreshRetryTokenForRetry(token, infoOf(error)).catch(() => {
          throw error;
        });
      }
    }
  }

  async #once(request: AwsRequest, signal: AbortSignal | undefined): Promise<AwsAnswer> {
    const { body } = request;
    const whole = this.#request(request, {
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      'user-agent': 'reverie',
      ...(await traceOf(this.#name)),
    });
    whole.body = body;
    whole.headers = (await this.#signer.sign(whole)).headers;
    const { response } = await this.#http.handle(whole, signal && { abortSignal: signal });
    const answer = response as AwsAnswer;
    if (answer.statusCode < 300) return answer;
    const said = await bytesOf(answer.body);
    throw new AwsRefused(answer, said.toString('utf8'), getRetryAfterHint(response));
  }

  /**
   * A URL by which anybody may make this request until `seconds` have passed.
   *
   * @param request Its headers must be sent just so; its body may be any.
   */
  async presign(request: AwsRequest, seconds: number): Promise<string> {
    const names = new Set(Object.keys(request.headers ?? {}));
    const whole = this.#request(request, { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' });
    const signed = await this.#signer.presign(whole, {
      expiresIn: seconds,
      // Else a sum would go into the URL, where nobody need send it.
      unhoistableHeaders: names,
    });
    return `${this.#origin.origin}${signed.path}?${buildQueryString(signed.query ?? {})}`;
  }

  #request(request: AwsRequest, more: Readonly<Record<string, string>>): HttpRequest {
    const { method, path = '/', query = {}, headers } = request;
    const { protocol, hostname, host, port, pathname } = this.#origin;
    return new HttpRequest({
      method,
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      path: pathname === '/' ? path : pathname + path,
      query: { ...query },
      headers: { host, ...more, ...headers },
    });
  }
}

/** A body to its end. `node:stream/consumers` makes a Blob of it first, for twice the time. */
export async function bytesOf(body: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/**
 * The trace of the invocation that calls, as the clients send it along: by it Lambda counts chains of
 * calls, and the local host tells one caller from another.
 */
async function traceOf(name: ServiceName): Promise<{ 'x-amzn-trace-id'?: string }> {
  const store = await InvokeStore.getInstanceAsync();
  const trace = store.getXRayTraceId() ?? given('_X_AMZN_TRACE_ID');
  if (trace === undefined) return {};
  return { 'x-amzn-trace-id': name === 'states' ? withoutLineage(trace) : trace };
}

/**
 * Which trace it is, and not `Lineage`, by which Lambda counts how often one chain of calls has come by a
 * function, and ends it after 16: a coordinator and its children start each other for as long as they work.
 */
function withoutLineage(trace: string): string {
  const parts = trace.split(';').filter((part) => !part.startsWith('Lineage='));
  return parts.join(';');
}

/** Source: the SDK's variables for endpoints, the one for a service before the one for all. */
export function endpointOf(name: ServiceName, region: string): string {
  return givenEndpoint(name) ?? `https://${name}.${region}.${suffixOf(region)}`;
}

export function givenEndpoint(name: ServiceName): string | undefined {
  return given(`AWS_ENDPOINT_URL_${services[name].variable}`) ?? given('AWS_ENDPOINT_URL');
}

/** Source: the SDK's table of partitions, but for those that are isolated. */
export function suffixOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn';
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com';
}

function credentialsOfLambda() {
  const sessionToken = given('AWS_SESSION_TOKEN');
  return {
    accessKeyId: lambdaVariable('AWS_ACCESS_KEY_ID'),
    secretAccessKey: lambdaVariable('AWS_SECRET_ACCESS_KEY'),
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function given(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** A variable that Lambda sets for every function. */
export function lambdaVariable(name: string): string {
  const value = given(name);
  invariant(value !== undefined, `Lambda sets ${name}`);
  return value;
}

/** com.amazonaws.dynamodb.v20120810#NAME, NAME:http://…, or the name alone. */
function nameOf(code: unknown): string {
  if (typeof code !== 'string') return 'UnknownError';
  const [name = code] = code.split(/[,:]/);
  return name.slice(name.indexOf('#') + 1);
}

/** What stands between us and the service answers in words of its own, S3 in XML. */
function objectOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function elementOf(body: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1];
}

function infoOf(error: unknown): Parameters<StandardRetryStrategy['refreshRetryTokenForRetry']>[1] {
  const retry_at = error instanceof AwsRefused ? error.retry_at : undefined;
  return { errorType: typeOf(error), ...(retry_at !== undefined && { retryAfterHint: retry_at }) };
}

function typeOf(error: unknown) {
  const failure = error as Parameters<typeof isThrottlingError>[0];
  if (isThrottlingError(failure)) return 'THROTTLING';
  if (isTransientError(failure)) return 'TRANSIENT';
  return isServerError(failure) ? 'SERVER_ERROR' : 'CLIENT_ERROR';
}
