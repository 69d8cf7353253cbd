/** Archiving ends a session; what its client had sent before is in its history all the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Blobs } from '#shared/core/blobs.ts';
import { newId } from '#shared/core/id.ts';
import { archiveSession } from '#shared/sessions/archive-session.ts';
import { walkLog } from '#shared/threads/log.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import {
  aCall,
  append,
  aReply,
  headOf,
  putSession,
  queue,
  testPorts,
  type TestPorts,
} from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;

beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
});
afterAll(async () => await started.stop());

test('a message that waits at a budget stands in the history of the archived session', async () => {
  const call = aCall();
  const { session_id, thread_id } = await putSession(ports, call);
  const content = [{ type: 'text' as const, text: 'still here?' }];
  const id = newId('event');
  await queue(ports, thread_id, [{ id, type: 'user.message', content, processed_at: null }]);
  await archiveSession(ports, call, session_id);
  const logged: string[] = [];
  for await (const lines of walkLog(ports.table, thread_id)) {
    logged.push(...lines.map((line) => line.type));
  }
  expect(logged).toEqual([
    'user.message',
    'session.thread_status_terminated',
    'session.status_terminated',
  ]);
  expect((await headOf(ports, thread_id)).queue).toEqual([]);
});

test('the end of an archived session stands in its transcript, and a repeat makes good what was lost', async () => {
  const call = aCall();
  const { session_id, thread_id } = await putSession(ports, call);
  await append(ports, thread_id, [aReply('the last words')]);
  const lost: unknown[] = [];
  const blobs: Blobs = Object.assign(Object.create(ports.blobs) as Blobs, {
    put: async () => await Promise.reject(new Error('S3 is away')),
  });
  const failing = { ...ports, blobs, transcriptLost: (error: unknown) => void lost.push(error) };
  const first = await archiveSession(failing, call, session_id);
  expect(lost).toHaveLength(1);
  expect(await archiveSession(ports, call, session_id)).toEqual(first);
  const key = `transcripts/${session_id}/${thread_id}/000000000001-000000000003.jsonl`;
  const text = Buffer.from(await ports.blobs.get(key)).toString('utf8');
  expect(text).toContain('the last words');
  expect(text.trimEnd().split('\n').at(-1)).toContain('session.status_terminated');
});
