/** Functions as Lambda runs them: only their environment, their limits, their deaths; and their identity. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsError, Crash } from '../../infra/local/aws-error.ts';
import type { Call } from '../../infra/local/gateway.ts';
import type { AwsAccess } from '../../infra/local/host.ts';
import { aFunction, allow, attribute, role, startRig, storage, type Rig } from './fixture.ts';

const TABLE_NAME = { Ref: 'Rows' };

/** Does what its event says. */
const work = `import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
const db = new DynamoDBClient({ maxAttempts: 1 });
let calls = 0;
const acts = {
  env: () => Object.keys(process.env),
  count: () => ++calls,
  fail: () => { class Odd extends Error { name = 'Odd'; } throw new Odd('no'); },
  exit: () => process.exit(1),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms, 'waited')),
  large: (bytes) => 'x'.repeat(bytes),
  log: (text) => console.log(text),
  now: () => Date.now(),
  left: (_, context) => context.getRemainingTimeInMillis(),
  tenant: (_, context) => context.tenantId,
  trace: async () => {
    const sent = [];
    const watched = new DynamoDBClient({ maxAttempts: 1 });
    const watch = (next) => (args) => (sent.push(args.request.headers['X-Amzn-Trace-Id']), next(args));
    watched.middlewareStack.add(watch, { step: 'finalizeRequest' });
    for (const sk of ['1', '2']) {
      await watched.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: { pk: { S: 'trace' }, sk: { S: sk } } }));
    }
    return sent;
  },
  put: async () => {
    await db.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: { pk: { S: 'a' }, sk: { S: 'b' } } }));
    return 'put';
  },
};
export const handler = async ({ act, value }, context) => (await acts[act](value, context)) ?? null;`;

const table = allow(['dynamodb:PutItem'], attribute('Rows'));
const environment = { Environment: { Variables: { TABLE_NAME } } };
const hooks: { before?: (call: Call) => void; after?: (call: Call) => void } = {};
let rig: Rig;

beforeAll(async () => {
  process.env['OF_THE_HOST'] = 'secret';
  rig = await startRig(
    {
      ...storage,
      ...role('Work', table),
      ...aFunction('Work', work, environment),
      ...role('Poor'),
      ...aFunction('Poor', work, environment),
      ModelKey: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'model' } },
      AdminKey: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'admin' } },
      ...role('Reader', allow('secretsmanager:GetSecretValue', { Ref: 'ModelKey' })),
      ...aFunction('Reader', work, {
        Environment: {
          Variables: {
            MODEL_SECRET_ARN: { Ref: 'ModelKey' },
            ADMIN_KEY_SECRET_ARN: { Ref: 'AdminKey' },
          },
        },
      }),
      ...role('Short'),
      ...aFunction('Short', work, { Timeout: 1 }),
      ...role('Tenant'),
      ...aFunction('Tenant', work, { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }),
      ...role('Caller', allow('lambda:InvokeFunction', attribute('Work'))),
      ...aFunction('Caller', work),
    },
    {
      model: { api_key: 'sk', base_url: 'http://127.0.0.1:1' },
      hooks: { before: (call) => hooks.before?.(call), after: (call) => hooks.after?.(call) },
    },
  );
});
afterAll(async () => {
  delete process.env['OF_THE_HOST'];
  await rig.stop();
});

const run = (act: string, value?: unknown, name = 'work') => rig.host.invoke(name, { act, value });

test('each function is loaded before anybody asks for it, unless none is wanted to be', async () => {
  const loaded = (host = rig.host): string[] => Object.keys(host.counters().functions).toSorted();
  const all = ['caller', 'echo', 'poor', 'reader', 'short', 'stream', 'tenant', 'work'];
  await expect.poll(() => loaded(), { timeout: 10_000 }).toEqual(all);
  const lazy = await startRig(
    { ...role('Poor'), ...aFunction('Poor', work) },
    { is_warmed: false },
  );
  try {
    expect(loaded(lazy.host)).toEqual([]);
    expect(await lazy.host.invoke('poor', { act: 'count' })).toBe(1);
    expect(loaded(lazy.host)).toEqual(['poor']);
  } finally {
    await lazy.stop();
  }
});

test('a function sees the template’s environment and Lambda’s own variables, and nothing of the host', async () => {
  const names = await run('env');
  expect(names).toEqual(expect.arrayContaining(['TABLE_NAME', 'AWS_REGION', 'AWS_ACCESS_KEY_ID']));
  expect(names).not.toContain('OF_THE_HOST');
  expect(names).not.toContain('HOME');
});

test('a module keeps its state from one call to the next, until it is killed', async () => {
  expect([await run('count'), await run('count')]).toEqual([1, 2]);
  await rig.host.kill('work');
  expect(await run('count')).toBe(1);
});

test('what an invocation asks of AWS goes under the trace of that invocation', async () => {
  const traces = (await Promise.all([run('trace'), run('trace')])) as string[][];
  const [[one, again] = [], [other] = []] = traces;
  expect(one).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=0$/);
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

test('an error keeps its name and message', async () => {
  await expect(run('fail')).rejects.toMatchObject({ name: 'Odd', message: 'no' });
});

test('a function that exits fails with what runs beside it, and the next call starts anew', async () => {
  const beside = run('wait', 5_000);
  const both = await Promise.allSettled([run('exit'), beside]);
  const reasons = both.map((each) => each.status === 'rejected' && each.reason.name);
  expect(reasons).toEqual(['Runtime.ExitError', 'Runtime.ExitError']);
  expect(await run('count')).toBe(1);
});

test('a function over its timeout fails as Sandbox.Timedout, one under it answers', async () => {
  expect(await run('wait', 10, 'short')).toBe('waited');
  expect(await run('left', 0, 'short')).toBeLessThanOrEqual(1_000);
  await expect(run('wait', 3_000, 'short')).rejects.toMatchObject({
    name: 'Sandbox.Timedout',
    message: expect.stringContaining('timed out after 1.00 seconds'),
  });
  expect(await run('count', 0, 'short')).toBe(1);
});

test('an answer over 6 MB is refused', async () => {
  await expect(run('large', 6_291_557)).rejects.toMatchObject({
    name: 'Function.ResponseSizeTooLarge',
  });
  expect(await run('large', 6_000_000)).toHaveLength(6_000_000);
});

test('a request over 6 MB is refused', async () => {
  await expect(run('log', 'x'.repeat(6_291_556))).rejects.toMatchObject({
    name: 'RequestTooLargeException',
  });
});

test('what a function prints stands in its log', async () => {
  await run('log', 'hello log');
  await expect
    .poll(async () => await readFile(join(rig.host.logs, 'work.log'), 'utf8'))
    .toContain('hello log');
});

test('how an invocation failed stands in the log of its function', async () => {
  await expect(run('fail')).rejects.toThrow('no');
  await expect
    .poll(async () => await readFile(join(rig.host.logs, 'work.log'), 'utf8'))
    .toMatch(/"platform\.report".*"Odd"/);
});

test('each tenant has an environment of its own', async () => {
  const count = (tenant: string) => rig.host.invoke('tenant', { act: 'count' }, tenant);
  expect([await count('a'), await count('a'), await count('b')]).toEqual([1, 2, 1]);
  expect(await rig.host.invoke('tenant', { act: 'tenant' }, 'c')).toBe('c');
  await expect(run('count', 0, 'tenant')).rejects.toThrow('Add a valid tenant ID');
});

test('a crowd of tenants is loaded two at a time, and each call of them is answered', async () => {
  const cold = () => rig.host.counters().functions['tenant']?.cold_starts ?? 0;
  const tenants = ['crowd-1', 'crowd-2', 'crowd-3', 'crowd-4', 'crowd-5', 'crowd-6'];
  const before = cold();
  const calls = [...tenants, ...tenants].map(async (tenant) =>
    rig.host.invoke('tenant', { act: 'count' }, tenant),
  );
  await new Promise((resolve) => setImmediate(resolve));
  // A spare one may be among them, which was loaded before.
  expect(cold() - before).toBeLessThanOrEqual(2);
  const counts = await Promise.all(calls);
  expect(counts.filter((count) => count === 1)).toHaveLength(tenants.length);
  expect(counts.filter((count) => count === 2)).toHaveLength(tenants.length);
});

test('Invoke over the wire answers, fails as Lambda does, and asks IAM', async () => {
  const lambda = new LambdaClient(rig.host.awsAs('caller'));
  const invoke = (FunctionName: string, act: string) =>
    lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ act }) }));
  const good = await invoke('Work', 'count');
  expect([good.StatusCode, good.FunctionError]).toEqual([200, undefined]);
  const bad = await invoke('Work', 'fail');
  expect(bad.FunctionError).toBe('Unhandled');
  expect(JSON.parse(bad.Payload?.transformToString() ?? '')).toMatchObject({ errorType: 'Odd' });
  await expect(invoke('Poor', 'count')).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('a function’s clock is the host’s', async () => {
  await rig.host.advance(86_400_000);
  const now = Number(await run('now'));
  expect(Math.abs(now - rig.host.clock.now().getTime())).toBeLessThan(1_000);
});

test('a function calls AWS as its own role: without the grant it is denied', async () => {
  expect(await run('put')).toBe('put');
  await expect(run('put', 0, 'poor')).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringMatching(/PoorRole.*dynamodb:PutItem.*table\/Rows/),
  });
});

test('removing a grant from the template fails the call that needs it', async () => {
  const resources = { ...storage, ...role('Work', table), ...aFunction('Work', work, environment) };
  const without = await startRig(resources, {
    template: (template) => {
      delete template.Resources['WorkPolicy'];
      return template;
    },
  });
  try {
    const put = without.host.invoke('work', { act: 'put' });
    await expect(put).rejects.toMatchObject({ name: 'AccessDeniedException' });
  } finally {
    await without.stop();
  }
});

test('DynamoDB through a function’s own credentials answers or denies as its role says', async () => {
  const Item = { pk: { S: 'x' }, sk: { S: 'y' } };
  const as = (name: string) => new DynamoDBClient(rig.host.awsAs(name));
  const put = new PutItemCommand({ TableName: 'Rows', Item });
  expect((await as('work').send(put)).$metadata.httpStatusCode).toBe(200);
  await expect(as('poor').send(put)).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('an engine that dies is started again, and a call meanwhile is one that the SDK repeats', async () => {
  const pid = Number(await readFile(join(rig.data_dir, 'dynamodb.pid'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  const db = new DynamoDBClient({ ...rig.host.aws, maxAttempts: 10 });
  const Item = { pk: { S: 'after' }, sk: { S: 'death' } };
  const { $metadata } = await db.send(new PutItemCommand({ TableName: 'Rows', Item }));
  expect($metadata.httpStatusCode).toBe(200);
  expect($metadata.attempts).toBeGreaterThan(1);
});

test('secrets hold what the person at the terminal gave, for the roles that may read them', async () => {
  const read = async (access: AwsAccess, SecretId: string) => {
    const client = new SecretsManagerClient(access);
    return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
  };
  expect(JSON.parse((await read(rig.host.awsAs('reader'), 'model')) ?? '')).toEqual({
    api_key: 'sk',
    base_url: 'http://127.0.0.1:1',
  });
  expect(await read(rig.host.aws, 'admin')).toBe('admin');
  await expect(read(rig.host.awsAs('reader'), 'admin')).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
  await expect(read(rig.host.aws, 'none')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('a hook can refuse a call, see its number and place, and crash its function before or after it', async () => {
  const seen: Call[] = [];
  hooks.before = (call) => {
    seen.push(call);
    throw new AwsError('ThrottlingException', 'slower');
  };
  await expect(run('put')).rejects.toMatchObject({ name: 'ThrottlingException' });
  hooks.before = () => {
    throw new Crash();
  };
  await expect(run('put')).rejects.toMatchObject({ name: 'Runtime.ExitError' });
  delete hooks.before;
  hooks.after = (call) => {
    seen.push(call);
    throw new Crash();
  };
  await expect(run('put')).rejects.toMatchObject({ name: 'Runtime.ExitError' });
  delete hooks.after;
  expect(seen[0]).toMatchObject({
    function_name: 'work',
    service: 'dynamodb',
    action: 'PutItem',
    resource: 'arn:aws:dynamodb:us-east-1:123456789012:table/Rows',
    body: { TableName: 'Rows' },
  });
  expect(seen[1]?.n).toBe((seen[0]?.n ?? 0) + 2);
});

test('calls, units, invocations and their time are counted', async () => {
  rig.host.resetCounters();
  await run('put');
  expect(rig.host.counters().functions['work']).toMatchObject({
    calls: { 'dynamodb:PutItem': 1 },
    write_units: 1,
    read_units: 0,
    invocations: 1,
    milliseconds: expect.any(Number),
  });
});
