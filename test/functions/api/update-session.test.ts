/** What an update changes, what it says in the log, and when a budget lets a session go on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { primaryThreadId } from '#shared/core/id.ts';
import { collect } from './door.ts';
import {
  endTurn,
  headOf,
  message,
  startTurn,
  startSessionRig,
  type SessionRig,
} from './session-rig.ts';

let rig: SessionRig;
beforeAll(async () => {
  rig = await startSessionRig();
});
afterAll(async () => await rig.door.stop());

describe('update', () => {
  test('says in the log what changed and nothing else, and nothing when nothing did', async () => {
    const { id } = await rig.create({ title: 'a', metadata: { keep: '1', drop: '2' } });
    const updated = await rig.sessions.update(id, {
      title: 'b',
      metadata: { drop: null, add: '3' },
    });
    expect(updated).toMatchObject({ title: 'b', metadata: { keep: '1', add: '3' } });
    await rig.sessions.update(id, { title: 'b', metadata: { add: '3' } });
    await rig.sessions.update(id, {});
    await rig.sessions.update(id, { title: null });
    const events = await collect(rig.sessions.events.list(id));
    expect(events).toEqual([
      {
        id: expect.any(String),
        type: 'session.updated',
        processed_at: expect.any(String),
        title: 'b',
        metadata: { keep: '1', add: '3' },
      },
      {
        id: expect.any(String),
        type: 'session.updated',
        processed_at: expect.any(String),
        title: null,
      },
    ]);
    expect((await rig.sessions.retrieve(id)).title).toBeNull();
  });

  test('tools are replaced while it is idle, refused whole while it runs', async () => {
    const { id } = await rig.create();
    const tool = {
      type: 'custom',
      name: 'ask',
      description: 'Asks',
      input_schema: { type: 'object' },
    } as const;
    const updated = await rig.sessions.update(id, { agent: { tools: [tool] } });
    expect(updated.agent.tools).toMatchObject([{ name: 'ask' }]);
    const [event] = await collect(rig.sessions.events.list(id));
    expect(event).toMatchObject({ type: 'session.updated', agent: updated.agent });
    await startTurn(rig, id);
    await expect(rig.sessions.update(id, { title: 'x', agent: { tools: [] } })).rejects.toThrow(
      /400.*only be changed while the session is idle/,
    );
    expect((await rig.sessions.retrieve(id)).title).toBeNull();
    expect((await rig.sessions.update(id, { title: 'x' })).title).toBe('x');
  });

  test('vaults cannot be changed, and tools must fit', async () => {
    const { id } = await rig.create();
    await expect(rig.sessions.update(id, { vault_ids: [] })).rejects.toThrow(/400.*vault_ids/);
    await expect(
      rig.sessions.update(id, {
        agent: { tools: [{ type: 'mcp_toolset', mcp_server_name: 'no' }] },
      }),
    ).rejects.toThrow(/400/);
  });

  const cents = (amount: string) =>
    ({ type: 'limit', max_list_cost: { amount, currency: 'USD' } }) as const;

  test('a budget is only raised above what was spent, removed for good, never added', async () => {
    const without = await rig.create();
    await expect(rig.sessions.update(without.id, { budget: cents('100') })).rejects.toThrow(
      /budget_create_only|only be set when a session is created/,
    );
    expect((await rig.sessions.update(without.id, { budget: null })).budget).toBeNull();

    const { id } = await rig.create({ budget: cents('100'), initial_events: [message] });
    await endTurn(rig, id, 'end_turn', 50_000_000);
    await expect(rig.sessions.update(id, { budget: cents('50') })).rejects.toThrow(/above what/);
    expect((await rig.sessions.update(id, { budget: cents('51') })).budget).toEqual(cents('51'));
    expect((await rig.sessions.update(id, { budget: null })).budget).toBeNull();
    await expect(rig.sessions.update(id, { budget: cents('900') })).rejects.toThrow(/only be set/);
  });

  test.each([
    ['raised', { budget: cents('900') }],
    ['removed', { budget: null }],
  ])(
    'a session that stopped at its cap goes on by itself once that is %s',
    async (_title, params) => {
      const { id } = await rig.create({ budget: cents('10'), initial_events: [message] });
      await endTurn(rig, id, 'budget_reached', 11_000_000);
      expect((await rig.sessions.retrieve(id)).status).toBe('idle');
      const updated = await rig.sessions.update(id, params);
      expect(updated.status).toBe('running');
      const thread_id = primaryThreadId(id);
      expect(rig.door.ports.runs.started).toContainEqual({ session_id: id, thread_id, run: 2 });
      expect(await headOf(rig, id)).toMatchObject({ status: 'running', run: 2, stop_reason: null });
      expect(await rig.sessions.retrieve(id)).toMatchObject({
        status: 'running',
        budget: params.budget,
      });
    },
  );

  test('racing updates are all kept', async () => {
    const { id } = await rig.create();
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await rig.sessions.update(id, { metadata: { [`k${n}`]: String(n) } });
      }),
    );
    const { metadata } = await rig.sessions.retrieve(id);
    expect(Object.keys(metadata).toSorted()).toEqual(Array.from({ length: 8 }, (_, n) => `k${n}`));
  });
});
