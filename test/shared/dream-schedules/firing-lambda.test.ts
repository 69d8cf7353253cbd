import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { LambdaFiring } from '#shared/dream-schedules/firing-lambda.ts';

test('a fire function that does not answer in time is not asked again by the request that waits', async () => {
  let asked_count = 0;
  const server = createServer((request) => {
    asked_count += 1;
    request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const firing = new LambdaFiring('fire', {
    answer_ms: 500,
    place: {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
  });
  await expect(firing.sync('dsch_1')).rejects.toMatchObject({ name: 'AbortError' });
  expect(asked_count).toBeLessThanOrEqual(1);
  server.closeAllConnections();
  server.close();
});
