/**
 * How long a stream stays with a session that rests: Lambda never says that a reader has left.
 * Method: performance.now() is put forward; nothing is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { StopReason, ThreadHead } from '#shared/threads/thread.ts';
import { append, reply, run, startStreamRig, type StreamRig } from './rig.ts';

let rig: StreamRig;
beforeAll(async () => void (rig = await startStreamRig()));
afterAll(async () => await rig.door.stop());

/** Whether the stream of a session has ended, when nothing has moved in it for so long. */
async function later(patch: Partial<ThreadHead>, quiet_ms: number) {
  const id = await rig.aSession();
  await append(rig, id, [reply('x')], patch);
  const running = await run(rig, id, 600_000);
  while (running.text() === '') await sleep(5);
  const now = performance.now.bind(performance);
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + quiet_ms);
  await expect.poll(running.text).toContain(': ping');
  await sleep(50);
  spy.mockRestore();
  const has_ended = running.out.writableEnded;
  running.out.destroy();
  await running.ended;
  return has_ended;
}

const asks: StopReason = { type: 'requires_action', event_ids: ['sevt_1'] };
const member = { thread_id: 'sthr_1', agent_name: 'Bo', stop_reason: null };
const team = { is_announced: true, running_since: null, sent_count: 1 };
const rows: [says: string, patch: Partial<ThreadHead>, quiet_ms: number, ends: boolean][] = [
  ['does not hold its stream for longer than two minutes', {}, limits.stream_rest_ms, true],
  ['holds it for less', {}, limits.stream_rest_ms / 2, false],
  ['holds it while a turn runs', { status: 'running' }, limits.stream_rest_ms, false],
  ['holds it while it waits for a client', { stop_reason: asks }, limits.stream_rest_ms, false],
  [
    'holds it while a child works',
    { team: { ...team, members: [{ ...member, status: 'running' }] } },
    limits.stream_rest_ms,
    false,
  ],
  [
    'holds it while a child waits for a client',
    { team: { ...team, members: [{ ...member, status: 'idle', stop_reason: asks }] } },
    limits.stream_rest_ms,
    false,
  ],
];

test.each(rows)('a session that rests %s', async (_says, patch, quiet_ms, ends) => {
  expect(await later(patch, quiet_ms)).toBe(ends);
});
