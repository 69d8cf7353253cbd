import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk';
import { operations, type Answer, type Operation } from '../compat/operations.ts';
import { listen, type Frame } from './frames.ts';
import { answerErrors, envelopeErrors, wireErrors, WireError } from './wire.ts';

export interface CheckedCall {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** `client.beta.…`, when the route is one of the SDK's. */
  readonly call: string | undefined;
}

export interface CheckedClient {
  readonly client: Anthropic;
  /** Every request that was answered, in order. */
  readonly calls: readonly CheckedCall[];
  /** Everything that was not as declared. Each has also failed the call that met it. */
  readonly violations: readonly string[];
}

const routes = operations().map((operation) => ({ operation, pattern: patternOf(operation.path) }));

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** The operation that a request is, if it is one of the SDK's; fixed segments win over parameters. */
export function operationOf(method: string, path: string): Operation | undefined {
  const found = routes.filter(
    ({ operation, pattern }) => operation.method === method && pattern.test(path),
  );
  const parameters = (operation: Operation): number => operation.path.split('{').length;
  return found
    .map(({ operation }) => operation)
    .toSorted((a, b) => parameters(a) - parameters(b))[0];
}

/**
 * The official client with every answer held against the SDK's own types: bodies, pages, errors and
 * each frame of a stream. An answer that differs fails the call: 400 `wire: …` in its place, or the
 * stream breaks with that sentence.
 */
export function checkedClient(
  baseURL: string,
  apiKey: string,
  options: Omit<ClientOptions, 'baseURL' | 'apiKey' | 'fetch'> = {},
): CheckedClient {
  const calls: CheckedCall[] = [];
  const violations: string[] = [];
  const checked: typeof fetch = async (input, init) => {
    const method = init?.method?.toUpperCase() ?? 'GET';
    const { pathname: path, protocol } = new URL(input instanceof Request ? input.url : input);
    const response = await fetch(input, init);
    // The SDK asks `data:,` what its fetch makes of forms: that is no request.
    if (protocol === 'data:') return response;
    const operation = operationOf(method, path);
    calls.push({ method, path, status: response.status, call: operation?.call });
    return await checkResponse(response, operation, `${method} ${path}`, violations);
  };
  return {
    client: new Anthropic({ ...options, baseURL, apiKey, fetch: checked }),
    calls,
    violations,
  };
}

async function checkResponse(
  response: Response,
  operation: Operation | undefined,
  request: string,
  violations: string[],
): Promise<Response> {
  const answer = response.ok ? operation?.answer : undefined;
  const errors = headerErrors(response, answer);
  if (answer?.kind === 'stream' && errors.length === 0) {
    return checkStream(response, answer.type, request, violations);
  }
  const text = answer?.kind === 'binary' ? '' : await response.clone().text();
  if (!response.ok) errors.push(...parsed(text, (body) => envelopeErrors(body, idOf(response))));
  else if (answer !== undefined && answer.kind !== 'binary') {
    errors.push(...parsed(text, (body) => answerErrors(answer, body)));
  }
  if (errors.length === 0) return response;
  const told = `${request} answered ${response.status}: ${errors.join('; ')} in ${text.slice(0, 1_500)}`;
  violations.push(told);
  return refusal(told);
}

const idOf = (response: Response): string | null => response.headers.get('request-id');

function headerErrors(response: Response, answer: Answer | undefined): string[] {
  const errors: string[] = [];
  const { headers, status } = response;
  if (!/^req_\w+/.test(idOf(response) ?? '')) errors.push('no request-id header');
  const expected = answer?.kind === 'stream' ? 'text/event-stream' : 'application/json';
  const sent = headers.get('content-type') ?? 'none';
  if (answer?.kind !== 'binary' && !sent.startsWith(expected)) {
    errors.push(`content-type is ${sent}, not ${expected}`);
  }
  // The SDK repeats these by itself, so the server must say whether that is of any use.
  const repeated = status === 409 || status >= 500;
  if (repeated && headers.get('x-should-retry') === null) errors.push('no x-should-retry header');
  return errors;
}

function parsed(text: string, check: (body: unknown) => string[]): string[] {
  try {
    return check(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof SyntaxError) return ['the body is not JSON'];
    throw cause;
  }
}

/** An error that the SDK neither repeats nor mistakes for one of the server's. */
function refusal(told: string): Response {
  const error = { type: 'invalid_request_error', message: `wire: ${told}` };
  const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' };
  return new Response(JSON.stringify({ type: 'error', error }), { status: 400, headers });
}

function checkStream(
  response: Response,
  type: string,
  request: string,
  violations: string[],
): Response {
  const hear = (frame: Frame): void => {
    const errors = frameErrors(frame, type, idOf(response));
    if (errors.length === 0) return;
    const broken = new WireError(`${request}: a frame of ${type}`, errors, frame);
    violations.push(broken.message);
    throw broken;
  };
  const body = response.body?.pipeThrough(listen(hear)) ?? null;
  return new Response(body, { status: response.status, headers: response.headers });
}

/** What is wrong with a frame. The SDK skips frames without a name, so data needs one: its type. */
export function frameErrors(frame: Frame, type: string, request_id: string | null): string[] {
  const { data, event } = frame;
  if (data === undefined || event === 'ping') return [];
  return parsed(data, (body) => {
    if (event === 'error') return envelopeErrors(body, request_id);
    const own = (body as { type?: unknown } | null)?.type;
    const name = event === own ? [] : [`event: ${event} carries data of type ${String(own)}`];
    return [...name, ...wireErrors(type, body)];
  });
}
