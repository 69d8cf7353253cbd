import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { failedAnswers } from './failed-answers.ts';

test('an answer that the client has repeated is counted', async () => {
  const statuses = [504, 200];
  const server = createServer((_request, response) => {
    response.writeHead(statuses.shift() ?? 500, {
      'content-type': 'application/json',
      'retry-after-ms': '1',
    });
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const failed = failedAnswers();
  const client = new Anthropic({
    baseURL: `http://127.0.0.1:${port}`,
    apiKey: 'a key',
    fetch: failed.fetch,
  });
  try {
    await client.beta.agents.retrieve('agent_1');
    expect(failed.count()).toBe(1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
