import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { cors } from '#shared/core/http.ts';

interface ErrorResponse {
  readonly type: ResponseType;
  /** @default - the one that API Gateway has for the case */
  readonly status?: number;
  readonly error: string;
  readonly message: string;
  /** What the SDK is told: without it, it repeats every 5xx and 429 twice. @default - not said */
  readonly retry?: 'true' | 'false';
  /** @default - not said, and the SDK doubles its own wait */
  readonly retry_after_s?: number;
}

/** What API Gateway itself answers, before or after our functions, in the words of the API. */
const responses: readonly ErrorResponse[] = [
  {
    type: ResponseType.DEFAULT_4XX,
    error: 'invalid_request_error',
    message: 'The request could not be read.',
  },
  {
    type: ResponseType.MISSING_AUTHENTICATION_TOKEN,
    status: 404,
    error: 'not_found_error',
    message: 'There is nothing at this path.',
  },
  {
    type: ResponseType.ACCESS_DENIED,
    status: 403,
    error: 'permission_error',
    message: 'The request was refused before it reached the API.',
  },
  {
    type: ResponseType.WAF_FILTERED,
    status: 403,
    error: 'permission_error',
    message: 'The request was refused by the firewall of this deployment.',
  },
  {
    type: ResponseType.REQUEST_TOO_LARGE,
    status: 413,
    error: 'invalid_request_error',
    // Above 10 MB API Gateway says so of itself, above 6 MB because Lambda refuses the event: in it
    // a form is base64, a third larger.
    message:
      'The request is too large: at most 6 MB reach the API, and at most 4.5 MB as a form. Send larger files, up to 500 MB, with POST /v1/reverie/files.',
  },
  {
    type: ResponseType.UNSUPPORTED_MEDIA_TYPE,
    status: 415,
    error: 'invalid_request_error',
    message: 'The content type is not supported.',
  },
  {
    type: ResponseType.THROTTLED,
    status: 429,
    error: 'rate_limit_error',
    message: 'This deployment takes no more requests a second. Try again shortly.',
    retry: 'true',
    // Its bucket is filled anew all the time: a second later there is room.
    retry_after_s: 1,
  },
  {
    type: ResponseType.DEFAULT_5XX,
    error: 'api_error',
    message: 'Something went wrong on our side.',
  },
  {
    type: ResponseType.INTEGRATION_FAILURE,
    status: 502,
    error: 'api_error',
    message: 'The API could not be reached.',
    retry: 'true',
  },
  {
    type: ResponseType.INTEGRATION_TIMEOUT,
    status: 504,
    error: 'timeout_error',
    message: 'The API did not answer in time. What was asked for may have been done.',
  },
];

/** Give API Gateway's own errors the envelope that the SDK turns into its error classes. */
export function addErrorResponses(rest: RestApi): void {
  for (const { type, status, error, message, retry, retry_after_s } of responses) {
    rest.addGatewayResponse(type.responseType, {
      type,
      ...(status !== undefined && { statusCode: String(status) }),
      responseHeaders: {
        'request-id': 'context.requestId',
        'access-control-allow-origin': "'*'",
        'access-control-expose-headers': `'${cors['access-control-expose-headers']}'`,
        ...(retry && { 'x-should-retry': `'${retry}'` }),
        ...(retry_after_s && { 'retry-after': `'${retry_after_s}'` }),
      },
      templates: {
        'application/json': JSON.stringify({
          type: 'error',
          error: { type: error, message },
          request_id: '$context.requestId',
        }),
      },
    });
  }
}
