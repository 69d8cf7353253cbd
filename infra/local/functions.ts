import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Assembly } from './assembly.ts';
import type { HostClock } from './clock.ts';
import type { FunctionSettings } from './lambda/function.ts';
import { arn, place } from './place.ts';
import type { Stack } from './template/stack.ts';
import { record, text, type Located } from './template/template.ts';
import type { Principal } from './wire.ts';

/** A function before it is known where the services listen. */
export interface FunctionOfStack extends Omit<FunctionSettings, 'environment'> {
  readonly variables: Readonly<Record<string, string>>;
  readonly access_key: string;
  readonly principal: Principal;
}

/** The functions of the template, with the identity that each calls AWS with. */
export function functionsOf(stack: Stack, assembly: Assembly, clock: HostClock): FunctionOfStack[] {
  return stack.all('AWS::Lambda::Function').map((resource) => {
    const { id, name, properties } = resource;
    const code = record(properties['Code']);
    const [file = 'index', handler = 'handler'] = text(properties['Handler'], id).split('.');
    const folder = assembly.asset(text(code['S3Key'], `${id} Code.S3Key`));
    const role_arn = text(properties['Role'], id);
    const short_name = shortName(resource);
    return {
      short_name,
      name,
      arn: arn('lambda', `function:${name}`),
      role_arn,
      timeout_ms: Number(properties['Timeout'] ?? 3) * 1000,
      per_tenant: record(properties['TenancyConfig'])['TenantIsolationMode'] === 'PER_TENANT',
      worker: {
        module: join(folder, `${file}.mjs`),
        handler,
        memory_mib: Number(properties['MemorySize'] ?? 128),
        skew: clock.skew,
      },
      variables: record(record(properties['Environment'])['Variables']) as Record<string, string>,
      access_key: `ASIA${digest(id).toUpperCase().slice(0, 16)}`,
      principal: {
        role_arn,
        session: name,
        function_name: short_name,
        secret: digest(`key ${id}`),
      },
    };
  });
}

/** `StepFunction12077BE9` is `step`: the construct's id without what CDK adds to it. */
function shortName({ id }: Located): string {
  return id.replace(/(Function)?[0-9A-F]{8}$/, '').toLowerCase() || id.toLowerCase();
}

/** Everything that the function's `process.env` holds: the template's, and what Lambda itself sets. */
export function environmentOf(
  of_stack: FunctionOfStack,
  gateway_url: string,
): Record<string, string> {
  const { name, variables, access_key, principal, worker } = of_stack;
  return {
    ...variables,
    AWS_REGION: place.region,
    AWS_DEFAULT_REGION: place.region,
    AWS_ACCESS_KEY_ID: access_key,
    AWS_SECRET_ACCESS_KEY: principal.secret,
    AWS_SESSION_TOKEN: 'local',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(worker.memory_mib),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    // Not sampled: nothing collects spans here.
    _X_AMZN_TRACE_ID: 'Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0',
    _HANDLER: `index.${worker.handler}`,
    LAMBDA_TASK_ROOT: join(worker.module, '..'),
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...endpoints(gateway_url),
  };
}

/** Where the SDK finds each service. */
export function endpoints(url: string): Record<string, string> {
  const services = ['DYNAMODB', 'S3', 'SFN', 'LAMBDA', 'SECRETS_MANAGER', 'KMS', 'SCHEDULER'];
  return Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, url]));
}

function digest(value: string): string {
  return createHash('sha256').update(`reverie ${value}`).digest('hex');
}
