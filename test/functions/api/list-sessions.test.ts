/** Lists of sessions: pages, filters, and who sees them. */
import type Anthropic from '@anthropic-ai/sdk';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkedClient } from '../../wire/checked-client.ts';
import { admin_key, collect } from './door.ts';
import { allAnswer, answersOf, message, startSessionRig, type SessionRig } from './session-rig.ts';

let rig: SessionRig;
beforeAll(async () => {
  rig = await startSessionRig();
});
afterAll(async () => await rig.door.stop());

describe('list', () => {
  const ids: string[] = [];
  let workspace: Anthropic;
  let other_agent: string;

  beforeAll(async () => {
    const workspace_id = 'wrkspc_listlistlistlistlistlist';
    ({ client: workspace } = checkedClient(rig.door.baseURL, admin_key, {
      defaultHeaders: { 'anthropic-workspace-id': workspace_id },
    }));
    const made = { name: 'L', model: 'claude-opus-5-5' };
    const agent = (await workspace.beta.agents.create(made)).id;
    other_agent = (await workspace.beta.agents.create(made)).id;
    const environment = (await workspace.beta.environments.create({ name: 'L' })).id;
    for (let n = 0; n < 12; n++) {
      const session = await workspace.beta.sessions.create({
        agent: n % 4 === 0 ? other_agent : agent,
        environment_id: environment,
        ...(n % 3 === 0 ? { initial_events: [message] } : {}),
      });
      ids.push(session.id);
      rig.door.ports.clock.shift_ms += 10;
    }
    await workspace.beta.agents.update(other_agent, { system: 'two' });
    const { id } = await workspace.beta.sessions.create({
      agent: other_agent,
      environment_id: environment,
    });
    ids.push(id);
    await workspace.beta.sessions.archive(ids[1] ?? '');
  });

  const visible = () => ids.filter((id) => id !== ids[1]);

  test('pages put together are the whole list, for any limit and order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 14 }),
        fc.constantFrom('asc' as const, 'desc' as const),
        async (limit, order) => {
          const listed = await collect(workspace.beta.sessions.list({ limit, order }));
          const expected = order === 'asc' ? visible() : visible().toReversed();
          expect(listed.map(({ id }) => id)).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });

  test('prev_page leads back over the same pages, and is null on the first', async () => {
    const first = await workspace.beta.sessions.list({ limit: 4 });
    expect(first.prev_page).toBeNull();
    const second = await first.getNextPage();
    const third = await second.getNextPage();
    const back = await workspace.beta.sessions.list({ limit: 4, page: third.prev_page });
    expect(back.data.map(({ id }) => id)).toEqual(second.data.map(({ id }) => id));
    const start = await workspace.beta.sessions.list({ limit: 4, page: back.prev_page });
    expect(start.data.map(({ id }) => id)).toEqual(first.data.map(({ id }) => id));
    expect(start.prev_page).toBeNull();
  });

  test('filters by agent, version, status, time and what is archived', async () => {
    const list = async (query: Parameters<typeof workspace.beta.sessions.list>[0]) =>
      (await collect(workspace.beta.sessions.list({ order: 'asc', limit: 2, ...query }))).map(
        ({ id }) => id,
      );
    const pick = (...numbers: number[]) => numbers.map((n) => ids[n]);
    expect(await list({ agent_id: other_agent })).toEqual(pick(0, 4, 8, 12));
    expect(await list({ agent_id: other_agent, agent_version: 2 })).toEqual(pick(12));
    expect(await list({ statuses: ['running'] })).toEqual(pick(0, 3, 6, 9));
    expect(await list({ statuses: ['running', 'idle'] })).toEqual(visible());
    expect(await list({ statuses: ['terminated'] })).toEqual([]);
    expect(await list({ statuses: ['terminated'], include_archived: true })).toEqual(pick(1));
    expect(await list({ include_archived: true })).toEqual(ids);
    expect(await list({ agent_id: 'agent_00000000000000000000000000' })).toEqual([]);
    expect(await list({ agent_id: `agent_${'0'.repeat(3_000)}` })).toEqual([]);
    expect(await list({ deployment_id: 'depl_1' })).toEqual([]);
    expect(await list({ memory_store_id: 'memstore_1' })).toEqual([]);
    const { created_at } = await workspace.beta.sessions.retrieve(ids[5] ?? '');
    expect(await list({ 'created_at[gt]': created_at })).toEqual(ids.slice(6));
    expect(await list({ 'created_at[gte]': created_at })).toEqual(ids.slice(5));
    expect(await list({ 'created_at[lt]': created_at })).toEqual(pick(0, 2, 3, 4));
    expect(await list({ 'created_at[lte]': created_at })).toEqual(pick(0, 2, 3, 4, 5));
    await expect(list({ agent_version: 2 })).rejects.toThrow(/400.*agent_id/);
  });

  test('another workspace sees none of it, on any route', async () => {
    const id = ids[0] ?? '';
    expect((await collect(rig.sessions.list({ agent_id: other_agent }))).length).toBe(0);
    expect(await answersOf(rig.sessions, id)).toEqual(allAnswer('404', rig.sessions));
  });
});
