/** Goal: an execution is of the trace of its request, and of no chain of calls that Lambda would end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { StepFunctionsExecutions } from '#shared/core/executions-sfn.ts';

afterEach(() => vi.unstubAllEnvs());

const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

/** What Step Functions is sent for one start. */
async function sent(): Promise<Record<string, unknown>> {
  const got = Promise.withResolvers<Record<string, unknown>>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.resolve(JSON.parse(body) as Record<string, unknown>);
      response.end(JSON.stringify({ executionArn: 'arn', startDate: 0 }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  };
  try {
    await new StepFunctionsExecutions('arn:machine', place).start('run', { a: 1 });
    return await got.promise;
  } finally {
    server.close();
  }
}

test.each([
  ['the trace alone', trace, trace],
  ['without how often its chain has come by', `${trace};Lineage=1:a87bd80c:15`, trace],
])('an execution is told of %s', async (_, given, traceHeader) => {
  vi.stubEnv('_X_AMZN_TRACE_ID', given);
  expect(await sent()).toEqual({
    stateMachineArn: 'arn:machine',
    name: 'run',
    input: '{"a":1}',
    traceHeader,
  });
});

test('where nothing is traced it is told of none', async () => {
  vi.stubEnv('_X_AMZN_TRACE_ID', undefined);
  expect(await sent()).not.toHaveProperty('traceHeader');
});
