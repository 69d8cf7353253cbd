import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { systemClock } from '#shared/core/clock.ts';
import { threadKey } from '#shared/threads/thread.ts';
import type { Observation } from '#shared/turn/turn-ports.ts';
import { Writer } from '#shared/turn/writer.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';
import { aThread, THREAD_ID } from '../../samples.ts';

let started: StartedTable;

beforeAll(async () => {
  started = await startTable();
});

afterAll(async () => {
  await started.stop();
});

test('a turn that ends beside another writer is counted once', async () => {
  const { table } = started;
  const head = aThread({ status: 'running', run: 1 });
  await table.transact([{ put: head }]);
  // A client's message came in between: the first try of the append is refused.
  await table.update({
    update: threadKey(THREAD_ID),
    expression: 'ADD #version :one',
    names: { '#version': 'version' },
    values: { ':one': 1 },
  });
  const observed: Observation[] = [];
  const ports = { table, blobs: new MemoryBlobs(), clock: systemClock };
  const writer = new Writer(
    { ...ports, observe: (observation) => void observed.push(observation) },
    head,
  );
  let tries = 0;
  await writer.append(() => {
    tries += 1;
    const event = { id: newId('event'), type: 'session.status_running' as const };
    return { lines: [{ event }], settled: 'end_turn' };
  });
  expect(tries).toBe(2);
  expect(observed).toEqual([{ type: 'settled', reason: 'end_turn' }]);
});
