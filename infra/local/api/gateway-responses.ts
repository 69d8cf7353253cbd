import type { Stack } from '../template/stack.ts';
import { record } from '../template/template.ts';

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What API Gateway says on its own, by its name for it. */
const defaults = {
  MISSING_AUTHENTICATION_TOKEN: { status: 403, message: 'Missing Authentication Token' },
  REQUEST_TOO_LARGE: { status: 413, message: 'Request Too Long' },
  INTEGRATION_TIMEOUT: { status: 504, message: 'Endpoint request timed out' },
  INTEGRATION_FAILURE: { status: 504, message: 'Internal server error' },
  /** A function that failed, or answered what is no proxy response. */
  API_CONFIGURATION_ERROR: { status: 502, message: 'Internal server error' },
} as const;

export type GatewayResponseType = keyof typeof defaults;

/** The answers of the gateway itself, with the template's own headers and bodies. */
export class GatewayResponses {
  readonly #responses: ReadonlyMap<string, Record<string, unknown>>;

  constructor(stack: Stack) {
    const all = stack.all('AWS::ApiGateway::GatewayResponse');
    this.#responses = new Map(
      all.map(({ properties }) => [String(properties['ResponseType']), properties]),
    );
  }

  answer(type: GatewayResponseType, request_id: string): GatewayAnswer {
    const { status, message } = defaults[type];
    const of_class = status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX';
    const custom = this.#responses.get(type) ?? this.#responses.get(of_class) ?? {};
    const template = record(custom['ResponseTemplates'])['application/json'];
    const variables: Readonly<Record<string, string>> = {
      'context.error.messageString': JSON.stringify(message),
      'context.error.message': message,
      'context.error.responseType': type,
      'context.requestId': request_id,
      'context.extendedRequestId': request_id,
    };
    const pattern = typeof template === 'string' ? template : defaultTemplate;
    return {
      status: Number(custom['StatusCode'] ?? status),
      headers: {
        'content-type': 'application/json',
        'x-amzn-errortype': type,
        ...headersOf(record(custom['ResponseParameters']), variables),
      },
      body: fill(pattern, variables),
    };
  }
}

const defaultTemplate = '{"message":$context.error.messageString}';

function fill(pattern: string, variables: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(
    /\$\{?([\w.]*\w)\}?/g,
    (whole, name: string) => variables[name] ?? whole,
  );
}

/** `gatewayresponse.header.Name` to `'a literal'` or to `context.…`. */
function headersOf(
  parameters: Record<string, unknown>,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers = Object.entries(parameters).map(([name, value]) => {
    const said = String(value);
    const literal = /^'(.*)'$/.exec(said)?.[1];
    return [name.replace('gatewayresponse.header.', ''), literal ?? variables[said] ?? said];
  });
  return Object.fromEntries(headers);
}
