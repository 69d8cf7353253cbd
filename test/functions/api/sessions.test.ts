/** The end of a session, its threads, and its sums. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { primaryThreadId } from '#shared/core/id.ts';
import { environmentKey } from '#shared/environments/environment.ts';
import { sessionKey, sessionPrefix } from '#shared/sessions/session.ts';
import { collect } from './door.ts';
import {
  allAnswer,
  answersOf,
  endTurn,
  message,
  startSessionRig,
  type SessionRig,
} from './session-rig.ts';

let rig: SessionRig;
beforeAll(async () => {
  rig = await startSessionRig();
});
afterAll(async () => await rig.door.stop());

describe('archive', () => {
  test('is refused while it runs; then it is final, readable, and says so in the log', async () => {
    const { id } = await rig.create({ initial_events: [message] });
    await expect(rig.sessions.archive(id)).rejects.toThrow(/400.*cannot be archived/);
    await endTurn(rig, id);
    const archived = await rig.sessions.archive(id);
    expect(archived).toMatchObject({ status: 'terminated', archived_at: expect.any(String) });
    expect((await rig.sessions.archive(id)).archived_at).toBe(archived.archived_at);
    const types = (await collect(rig.sessions.events.list(id))).map(({ type }) => type);
    expect(types.slice(-2)).toEqual([
      'session.thread_status_terminated',
      'session.status_terminated',
    ]);
    await expect(rig.sessions.events.send(id, { events: [message] })).rejects.toThrow(
      /400.*archived/,
    );
    await expect(rig.sessions.update(id, { title: 'x' })).rejects.toThrow(/400.*archived/);
    const [thread] = await collect(rig.sessions.threads.list(id));
    expect(thread).toMatchObject({ status: 'terminated', archived_at: archived.archived_at });
  });
});

describe('delete', () => {
  test('is refused while it runs; then its head is left for reconcile, and nothing else', async () => {
    const environment = await rig.client.beta.environments.create({ name: 'given back' });
    const { id } = await rig.create({ environment_id: environment.id, initial_events: [message] });
    await expect(rig.sessions.delete(id)).rejects.toThrow(/400.*cannot be deleted/);
    await expect(rig.client.beta.environments.delete(environment.id)).rejects.toThrow(/409/);
    await endTurn(rig, id);
    await rig.door.ports.blobs.put(`${sessionPrefix(id)}files/1`, 'content');
    await rig.door.ports.table.transact([{ put: { pk: `FILES#${id}`, sk: 'HEAD' } }]);
    expect(await rig.sessions.delete(id)).toEqual({ id, type: 'session_deleted' });
    const partitions = [`SESSION#${id}`, `FILES#${id}`, `THREAD#${primaryThreadId(id)}`];
    const pages = partitions.map((pk) => rig.door.ports.table.query({ pk, from: ' ', to: '~' }));
    const rows = (await Promise.all(pages)).flatMap((page) => page.rows);
    expect(rows).toMatchObject([{ ...sessionKey(id), gsi2pk: 'DELETED' }]);
    expect([...rig.door.ports.blobs.objects.keys()].filter((key) => key.includes(id))).toEqual([]);
    await rig.client.beta.environments.delete(environment.id);
  });

  test('every route answers 404 from then on, whether swept or not', async () => {
    const { id } = await rig.create();
    await rig.door.ports.table.update({
      update: sessionKey(id),
      expression: 'SET deleted_at = :at',
      values: { ':at': '2026-11-20T00:00:00.000Z' },
    });
    expect(await answersOf(rig.sessions, id)).toEqual(allAnswer('404', rig.sessions));
    expect((await collect(rig.sessions.list())).map((session) => session.id)).not.toContain(id);
  });

  test('of racing deletions one deletes and gives the environment back once', async () => {
    const environment = await rig.client.beta.environments.create({ name: 'raced' });
    const { id } = await rig.create({ environment_id: environment.id });
    await rig.create({ environment_id: environment.id });
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, async () => await rig.sessions.delete(id)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await rig.door.ports.table.get(environmentKey(environment.id))).toMatchObject({
      sessions_count: 1,
    });
  });
});

describe('threads', () => {
  test('a session has its primary thread, which cannot be archived', async () => {
    const session = await rig.create({ initial_events: [message] });
    const thread_id = primaryThreadId(session.id);
    const threads = await collect(rig.sessions.threads.list(session.id));
    expect(threads).toMatchObject([
      { id: thread_id, parent_thread_id: null, status: 'running', usage: null, archived_at: null },
    ]);
    const thread = await rig.sessions.threads.retrieve(thread_id, { session_id: session.id });
    expect({ ...thread, stats: null }).toEqual({ ...threads[0], stats: null });
    expect(await collect(rig.sessions.threads.list(session.id, { statuses: ['idle'] }))).toEqual(
      [],
    );
    const path = { session_id: session.id };
    await expect(rig.sessions.threads.archive(thread_id, path)).rejects.toThrow(/400.*primary/);
    expect(await collect(rig.sessions.threads.events.list(thread_id, path))).toEqual(
      await collect(rig.sessions.events.list(session.id)),
    );
    await endTurn(rig, session.id);
    const rested = await rig.sessions.threads.retrieve(thread_id, path);
    expect(rested).toMatchObject({ status: 'idle', usage: { input_tokens: 0 } });
  });

  test('before the first turn it has neither stats nor usage', async () => {
    const { id } = await rig.create();
    const [thread] = await collect(rig.sessions.threads.list(id));
    expect(thread).toMatchObject({ stats: null, usage: null, status: 'idle' });
  });

  test("another session's thread is not found", async () => {
    const [one, two] = [await rig.create(), await rig.create()];
    await expect(
      rig.sessions.threads.retrieve(primaryThreadId(two.id), { session_id: one.id }),
    ).rejects.toThrow(/404/);
    await expect(
      rig.sessions.threads.events.list(primaryThreadId(two.id), { session_id: one.id }),
    ).rejects.toThrow(/404/);
  });
});

test('usage and stats move while it runs and stand still when it rests', async () => {
  const { id } = await rig.create({ initial_events: [message] });
  rig.door.ports.clock.shift_ms += 3_600_000;
  const running = await rig.sessions.retrieve(id);
  expect(running.usage.active_seconds).toBeGreaterThanOrEqual(10);
  expect(running.stats.active_seconds).toBe(running.usage.active_seconds);
  await endTurn(rig, id, 'end_turn', 2_400_000);
  const rested = await rig.sessions.retrieve(id);
  // An hour of running is eight cents of the session's, and of no thread's.
  expect(rested.usage.list_cost?.amount).toBe('10');
  const [thread] = (await rig.sessions.threads.list(id)).data;
  expect(thread?.usage).toMatchObject({
    active_seconds: rested.usage.active_seconds,
    list_cost: { amount: '0' },
  });
  rig.door.ports.clock.shift_ms += 10_000;
  const later = await rig.sessions.retrieve(id);
  expect(later.usage).toEqual(rested.usage);
  expect(later.usage.list_cost).toEqual({
    amount: expect.stringMatching(/^\d+(\.\d+)?$/),
    currency: 'USD',
  });
  expect(later.stats.duration_seconds).toBeGreaterThan(rested.stats.duration_seconds ?? 0);
});
