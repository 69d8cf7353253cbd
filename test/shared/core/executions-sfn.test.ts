/** Goal: an execution is of the trace of its request, and of no chain of calls that Lambda would end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { StepFunctionsExecutions } from '#shared/core/executions-sfn.ts';

afterEach(() => vi.unstubAllEnvs());

const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

/** What Step Functions is sent for one start: the body, and the header that it takes for the trace. */
async function sent(): Promise<{ body: unknown; header: unknown }> {
  const got = Promise.withResolvers<{ body: unknown; header: unknown }>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.resolve({ body: JSON.parse(body), header: request.headers['x-amzn-trace-id'] });
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

// Source: API reference, StartExecution: where a header and a body name a trace, the header counts.
const body = { stateMachineArn: 'arn:machine', name: 'run', input: '{"a":1}' };

test.each([
  ['of the trace alone', trace, trace],
  ['of no chain that has come by so often', `${trace};Lineage=1:a87bd80c:15`, trace],
  ['of no trace where there is none', undefined, undefined],
])('an execution is told %s', async (_, given, header) => {
  vi.stubEnv('_X_AMZN_TRACE_ID', given);
  expect(await sent()).toEqual({ body, header });
});
