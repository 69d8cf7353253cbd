import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { filesKey } from '#shared/files/entry.ts';
import { SessionFiles } from '#shared/files/session-files.ts';
import { Writer } from '#shared/turn/writer.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';
import { aThread } from '../../samples.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(() => started.stop());

const line = () => [{ event: { id: newId('event'), type: 'session.status_running' as const } }];

/**
 * Readers take files that were written more than some seconds ago for all that there are. Rule: the
 * time stands for when they were sent, however long others were written first.
 */
test('files that are written with an answer say when that is sent', async () => {
  const { table } = started;
  let now_ms = Date.parse('2026-01-01T00:00:00.000Z');
  const clock = { now: () => new Date(now_ms) };
  const head = aThread({ status: 'running', run: 1 });
  await table.transact([{ put: head }]);
  const ports = { table, blobs: new MemoryBlobs(), clock, observe: () => undefined };
  const writer = new Writer(ports, head);
  const files = new SessionFiles({ ...ports, newName: () => '01J0000000000000000000000A' });
  const folder = { kind: 'folder' as const, path: '/workspace/a', mode: 0o755 };
  await files.commit({
    session_id: 'sesn_1',
    workspace_id: 'wrkspc_1',
    base: (await files.manifests.read('sesn_1')).manifest,
    changes: [
      { path: folder.path, base: undefined, next: { ...folder, modified_at: '2026-01-01' } },
    ],
    author: { thread_id: head.thread_id, event_id: 'sevt_1' },
    on_conflict: 'refuse',
    joining: async (timedWrites) => {
      await writer.append(() => {
        // So long it waited for others.
        now_ms += 6_000;
        return { lines: line(), timedWrites };
      });
      return true;
    },
  });
  expect(await table.get({ pk: filesKey('sesn_1'), sk: 'HEAD' })).toMatchObject({
    changed_at: '2026-01-01T00:00:06.000Z',
  });
});
