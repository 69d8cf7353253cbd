import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assembly } from '../../infra/local/assembly.ts';
import { startHost, type Host, type HostOptions } from '../../infra/local/host.ts';
import { text, type Resource, type Template } from '../../infra/local/template/template.ts';

/** Modules outside a bundle are found from below the repository. */
const below = fileURLToPath(new URL('../../node_modules/.cache/reverie-tests', import.meta.url));

export interface Rig {
  readonly host: Host;
  readonly data_dir: string;
  /** Start another host on the same data, once this one has stopped. */
  again(more?: Partial<HostOptions>): Promise<Host>;
  stop(): Promise<void>;
}

/** Services that act as the roles of tests. */
const services = ['lambda', 'states', 'scheduler'].map((name) => `${name}.amazonaws.com`);

export const trusting = (Service: unknown, Condition = {}): Record<string, unknown> => ({
  AssumeRolePolicyDocument: {
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service }, Condition }],
  },
});

export const role = (id: string, ...statements: object[]): Record<string, Resource> => ({
  [`${id}Role`]: {
    Type: 'AWS::IAM::Role',
    Properties: trusting(services),
  },
  [`${id}Policy`]: {
    Type: 'AWS::IAM::Policy',
    Properties: {
      PolicyName: id,
      Roles: [{ Ref: `${id}Role` }],
      PolicyDocument: { Statement: statements },
    },
  },
});

export const allow = (
  Action: string | string[],
  Resource: unknown = '*',
  Condition = {},
): object => ({
  Effect: 'Allow',
  Action,
  Resource,
  Condition,
});

export const attribute = (id: string, name = 'Arn'): object => ({ 'Fn::GetAtt': [id, name] });

/** A function whose module is `code`, with a role of its own. Its short name is `id` in lower case. */
export function aFunction(
  id: string,
  code: string,
  properties: object = {},
): Template['Resources'] {
  return {
    [id]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: 'assets', S3Key: `${id}.zip` },
        Handler: 'index.handler',
        Role: attribute(`${id}Role`),
        Runtime: 'nodejs24.x',
        Timeout: 10,
        MemorySize: 256,
        ...properties,
      },
      Metadata: { code },
    },
  };
}

const method = (resource: object, name: string, target: string, streams = false): Resource => ({
  Type: 'AWS::ApiGateway::Method',
  Properties: {
    AuthorizationType: 'NONE',
    HttpMethod: name,
    ResourceId: resource,
    RestApiId: { Ref: 'Api' },
    Integration: {
      Type: 'AWS_PROXY',
      IntegrationHttpMethod: 'POST',
      ...(streams ? { ResponseTransferMode: 'STREAM' } : {}),
      Uri: {
        'Fn::Sub': `arn:aws:apigateway:\${AWS::Region}:lambda:path/${
          streams ? '2021-11-15' : '2015-03-31'
        }/functions/\${${target}.Arn}/${streams ? 'response-streaming-invocations' : 'invocations'}`,
      },
    },
  },
});

const resource = (parent: object, part: string): Resource => ({
  Type: 'AWS::ApiGateway::Resource',
  Properties: { ParentId: parent, PathPart: part, RestApiId: { Ref: 'Api' } },
});

const permission = (target: string): Resource => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: attribute(target),
    Principal: 'apigateway.amazonaws.com',
    SourceArn: { 'Fn::Sub': 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*/*' },
  },
});

/** An API whose `{proxy+}` calls `Echo`, and whose `/stream` streams from `Stream`. */
export const api: Template['Resources'] = {
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'test' } },
  Stage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: { StageName: 'prod', RestApiId: { Ref: 'Api' } },
  },
  Proxy: resource(attribute('Api', 'RootResourceId'), '{proxy+}'),
  StreamPath: resource(attribute('Api', 'RootResourceId'), 'stream'),
  ProxyMethod: method({ Ref: 'Proxy' }, 'ANY', 'Echo'),
  StreamMethod: method({ Ref: 'StreamPath' }, 'GET', 'Stream', true),
  EchoPermission: permission('Echo'),
  StreamPermission: permission('Stream'),
};

/** The table and the bucket of most tests. */
export const storage: Template['Resources'] = {
  Rows: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    },
  },
  Content: { Type: 'AWS::S3::Bucket', Properties: {} },
};

/** Answers with the event that it got. */
export const echo = `export const handler = async (event) => ({
  statusCode: 200, headers: { 'x-from': 'echo' }, body: JSON.stringify(event) });`;

const stream = `export const handler = awslambda.streamifyResponse(async (event, response) => {
  const out = awslambda.HttpResponseStream.from(response, { statusCode: 200, headers: { 'content-type': 'text/event-stream' } });
  out.end('data: 1\\n\\n');
});`;

/** Enough for a host to start: an API and its two functions. */
export const smallest: Template['Resources'] = {
  ...api,
  ...role('Echo'),
  ...aFunction('Echo', echo),
  ...role('Stream'),
  ...aFunction('Stream', stream),
};

/** Start a host on a template of our own. The code of its functions stands in their metadata. */
export async function startRig(
  resources: Template['Resources'],
  options: Partial<HostOptions> = {},
): Promise<Rig> {
  const data_dir = await mkdtemp(join(tmpdir(), 'reverie-local-'));
  const assets = join(below, randomUUID());
  const all = { ...smallest, ...resources };
  const start = async (more: Partial<HostOptions> = {}): Promise<Host> =>
    await startHost({
      data_dir,
      admin_key: 'admin',
      assembly: await assemblyOf(all, assets),
      ...options,
      ...more,
    });
  let host: Host;
  try {
    host = await start();
  } catch (cause) {
    await clean(data_dir, assets);
    throw cause;
  }
  return {
    host,
    data_dir,
    again: start,
    stop: async () => {
      await host.stop();
      await clean(data_dir, assets);
    },
  };
}

async function clean(...folders: string[]): Promise<void> {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
}

export async function assemblyOf(
  resources: Template['Resources'],
  assets: string,
): Promise<Assembly> {
  for (const [id, { Metadata }] of Object.entries(resources)) {
    if (Metadata?.['code'] === undefined) continue;
    await mkdir(join(assets, id), { recursive: true });
    await writeFile(join(assets, id, 'index.mjs'), text(Metadata['code'], id));
  }
  return {
    template: { Resources: resources },
    asset: (key) => join(assets, key.replace('.zip', '')),
  };
}
