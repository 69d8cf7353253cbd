/**
 * The door: every operation of the SDK finds a method at the deepest resource that its path
 * matches, the streams stream, and what API Gateway says by itself is in the API's words.
 */
import { expect, test } from 'vitest';
import { routes } from '../../shared/routes.ts';
import { operations } from '../compat/operations.ts';
import { ofType, only, plain, synth } from './stack.ts';

const { template } = synth();

interface Node {
  readonly children: Map<string, Node>;
  readonly methods: Map<string, Record<string, unknown>>;
}

/** The tree of resources, as API Gateway walks it. */
function tree(): Node {
  const nodes = new Map<string, Node>();
  const nodeOf = (id: string): Node => {
    const node = nodes.get(id) ?? { children: new Map(), methods: new Map() };
    nodes.set(id, node);
    return node;
  };
  const idOf = (reference: unknown): string => {
    const { Ref, 'Fn::GetAtt': attribute } = reference as { Ref?: string; 'Fn::GetAtt'?: string[] };
    return Ref ?? attribute?.join('.') ?? '';
  };
  let root = '';
  for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type === 'AWS::ApiGateway::RestApi') root = `${id}.RootResourceId`;
    if (Type === 'AWS::ApiGateway::Resource') {
      nodeOf(idOf(Properties['ParentId'])).children.set(String(Properties['PathPart']), nodeOf(id));
    }
    if (Type === 'AWS::ApiGateway::Method') {
      const integration = Properties['Integration'] as Record<string, unknown>;
      nodeOf(idOf(Properties['ResourceId'])).methods.set(
        String(Properties['HttpMethod']),
        integration,
      );
    }
  }
  return nodeOf(root);
}

const root = tree();

/** Text before a parameter, a parameter before greed; and never back up again. */
function find(method: string, path: string): Record<string, unknown> | undefined {
  let node = root;
  for (const part of path.split('/').filter((each) => each !== '')) {
    const parameter = [...node.children].find(([name]) => /^\{\w+\}$/.test(name))?.[1];
    const next = node.children.get(part) ?? parameter;
    if (next === undefined) {
      const greedy = node.children.get('{proxy+}');
      return greedy?.methods.get(method) ?? greedy?.methods.get('ANY');
    }
    node = next;
  }
  return node.methods.get(method) ?? node.methods.get('ANY');
}

const filled = (path: string): string => path.replaceAll(/\{\w+\}/g, 'x');
const functionOf = (integration: Record<string, unknown> | undefined): string =>
  /<(\w+)Function\.Arn>/.exec(String(plain(integration?.['Uri'])))?.[1] ?? 'nothing';

test.each(Object.entries(routes))('%s reaches the function that serves it', (name, rule) => {
  const [method = '', path = ''] = name.split(' ');
  const wanted = { stream: 'Stream', memory: 'Memory', api: 'Api' };
  const served_by = 'served_by' in rule ? rule.served_by : 'api';
  expect(functionOf(find(method, filled(path)))).toBe(wanted[served_by]);
});

test('every operation of the SDK reaches a function, built or not', () => {
  const lost = operations().filter(
    ({ method, path }) => functionOf(find(method, filled(path))) === 'nothing',
  );
  expect(operations().length).toBeGreaterThan(100);
  expect(lost).toEqual([]);
});

const others: [method: string, path: string][] = [
  ['GET', '/'],
  ['GET', '/favicon.ico'],
  ['GET', '/v1'],
  ['POST', '/v1/nothing/here'],
  ['GET', '/v1/sessions/x/threads/y/nothing'],
  ['GET', '/v1/reverie'],
  ['GET', '/v1/reverie/api_keys/x'],
  ['POST', '/v1/sessions/x/events/stream'],
  ['PUT', '/v1/sessions/x/threads/y/stream'],
];

test.each(others)('%s %s is answered by the api, in its envelope', (method, path) => {
  expect(functionOf(find(method, path))).toBe('Api');
});

const memory_paths = [
  '/v1/memory_stores',
  '/v1/memory_stores/x',
  '/v1/memory_stores/x/memories/y',
  '/v1/reverie/memory_stores',
  '/v1/reverie/memory_stores/x',
  '/v1/reverie/memory_stores/x/nothing',
  '/v1/dreams',
  '/v1/dreams/x/cancel',
  '/v1/reverie/dreams/x/changes',
];

test.each(memory_paths)('%s is answered by the memory function', (path) => {
  expect(functionOf(find('POST', path))).toBe('Memory');
});

test('the streams of events are streamed, for as long as the function may run', () => {
  const streams = ['/v1/sessions/x/events/stream', '/v1/sessions/x/threads/y/stream'];
  for (const path of streams) {
    const integration = find('GET', path);
    expect(integration).toMatchObject({
      Type: 'AWS_PROXY',
      ResponseTransferMode: 'STREAM',
      TimeoutInMillis: 900_000,
    });
    expect(plain(integration?.['Uri'])).toContain('/2021-11-15/');
    expect(plain(integration?.['Uri'])).toContain('/response-streaming-invocations');
  }
  const { Properties } = only(template, 'AWS::Lambda::Function', 'StreamFunction');
  expect(Properties['Timeout']).toBe(900);
});

test('a browser may send whatever the SDK sends, and every method that it uses', () => {
  const preflight = find('OPTIONS', '/v1/sessions/x/events/stream') as {
    Type: string;
    IntegrationResponses: { ResponseParameters: Record<string, string> }[];
  };
  const headers = preflight.IntegrationResponses[0]?.ResponseParameters ?? {};
  const header = (name: string) => headers[`method.response.header.${name}`];
  expect(preflight.Type).toBe('MOCK');
  expect(header('Access-Control-Allow-Headers')).toBe("'*,authorization'");
  expect(header('Access-Control-Allow-Origin')).toBe("'*'");
  const allowed = header('Access-Control-Allow-Methods')?.replaceAll("'", '').split(',');
  const used = new Set(operations().map(({ method }) => method));
  expect([...used].filter((method) => !allowed?.includes(method))).toEqual([]);
});

test('what API Gateway answers by itself is an error of the API', () => {
  const responses = ofType(template, 'AWS::ApiGateway::GatewayResponse').map(
    ({ Properties }) => Properties,
  );
  const seen = responses.map(
    ({ ResponseType, StatusCode, ResponseTemplates, ResponseParameters }) => {
      const body = JSON.parse(
        (ResponseTemplates as Record<string, string>)['application/json'] ?? '',
      ) as {
        error: { type: string; message: string };
      };
      expect(body).toEqual({
        type: 'error',
        error: { type: expect.any(String), message: expect.stringMatching(/\.$/) },
        request_id: '$context.requestId',
      });
      expect(ResponseParameters).toMatchObject({
        'gatewayresponse.header.request-id': 'context.requestId',
        'gatewayresponse.header.access-control-allow-origin': "'*'",
        'gatewayresponse.header.access-control-expose-headers': expect.stringMatching(/request-id/),
      });
      const retry_after = (ResponseParameters as Record<string, string>)[
        'gatewayresponse.header.retry-after'
      ];
      expect(retry_after).toBe(StatusCode === '429' ? "'1'" : undefined);
      return `${String(ResponseType)} ${String(StatusCode)} ${body.error.type}`;
    },
  );
  expect(seen.toSorted()).toEqual([
    'ACCESS_DENIED 403 permission_error',
    'DEFAULT_4XX undefined invalid_request_error',
    'DEFAULT_5XX undefined api_error',
    'INTEGRATION_FAILURE 502 api_error',
    'INTEGRATION_TIMEOUT 504 timeout_error',
    'MISSING_AUTHENTICATION_TOKEN 404 not_found_error',
    'REQUEST_TOO_LARGE 413 invalid_request_error',
    'THROTTLED 429 rate_limit_error',
    'UNSUPPORTED_MEDIA_TYPE 415 invalid_request_error',
    'WAF_FILTERED 403 permission_error',
  ]);
});

test('forms come as bytes, and whoever sends too much is told where more can go', () => {
  const { Properties } = only(template, 'AWS::ApiGateway::RestApi');
  expect(Properties['BinaryMediaTypes']).toEqual(['multipart/form-data']);
  const [large] = ofType(template, 'AWS::ApiGateway::GatewayResponse').filter(
    (each) => each.Properties['ResponseType'] === 'REQUEST_TOO_LARGE',
  );
  expect(JSON.stringify(large)).toContain('POST /v1/reverie/files');
  expect(Object.keys(routes)).toContain('POST /v1/reverie/files');
});

test('the stage is traced, throttled, and logs one line a request without query, header or body', () => {
  const { Properties } = only(template, 'AWS::ApiGateway::Stage');
  expect(Properties).toMatchObject({
    TracingEnabled: true,
    MethodSettings: [
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        ThrottlingRateLimit: 100,
        ThrottlingBurstLimit: 200,
      },
    ],
  });
  const { Format } = Properties['AccessLogSetting'] as { Format: string };
  expect(Object.values(JSON.parse(Format) as Record<string, string>).join(' ')).not.toMatch(
    /query|header|body|apiKey|authorizer/i,
  );
});

test('baseURL carries the stage and no slash at its end', () => {
  expect(plain(template.Outputs['BaseUrl']?.Value)).toBe(
    'https://<EndpointRest>.execute-api.<AWS::Region>.<AWS::URLSuffix>/<EndpointRestDeploymentStageprod>',
  );
  expect(Object.keys(template.Outputs).toSorted()).toEqual([
    'AdminKeySecretArn',
    'BaseUrl',
    'BucketName',
    'ModelSecretArn',
    'TableName',
  ]);
});
