import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '#shared/core/call.ts';
import { limits } from '#shared/core/limits.ts';
import { default_workspace_id } from '#shared/keys/api-key.ts';
import { resolveAgent } from '#shared/agents/resolve-agent.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from './door.ts';

/** Agents over HTTP, through the official SDK, with every answer held against its own types. */

let door: StartedDoor;
let agents: CheckedClient['client']['beta']['agents'];

beforeAll(async () => {
  door = await startDoor();
  ({ agents } = checkedClient(door.baseURL, admin_key).client.beta);
});

afterAll(async () => {
  await door.stop();
});

const model = 'claude-opus-5-5';
const call: Call = {
  request_id: 'req_1',
  workspace_id: default_workspace_id,
  api_key_id: 'apikey_1',
  scopes: ['write'],
};

test('an agent with one of everything comes back as the SDK declares it', async () => {
  const made = await agents.create({
    name: 'Everything',
    description: 'All of it',
    system: 'Be kind.',
    model: { id: model, effort: 'xhigh', speed: 'fast', inference_geo: 'us' },
    metadata: { team: 'red' },
    mcp_servers: [{ type: 'url', name: 'docs', url: 'https://mcp.example.com' }],
    tools: [
      {
        type: 'agent_toolset_20260401',
        default_config: { permission_policy: { type: 'always_ask' } },
        configs: [
          { name: 'bash', permission_policy: { type: 'auto' } },
          {
            name: 'web_fetch',
            allowed_domains: ['example.com'],
            url_sources: { user_input: 'none' },
          },
          { name: 'web_search', user_location: { type: 'approximate', country: 'DE' } },
        ],
      },
      { type: 'mcp_toolset', mcp_server_name: 'docs', configs: [{ name: 'find', enabled: false }] },
      {
        type: 'custom',
        name: 'get_order',
        description: 'Reads an order',
        // Wider than any number of DynamoDB, deeper than any of its maps.
        input_schema: { type: 'object', maximum: 1e300, limit: 18446744073709552000, ...deep(40) },
      },
    ],
  });
  expect(made).toMatchObject({ version: 1, archived_at: null, multiagent: null, skills: [] });
  expect(await agents.retrieve(made.id)).toEqual(made);
});

function deep(levels: number): object {
  return levels === 0 ? {} : { properties: { a: deep(levels - 1) } };
}

test('versions: a change makes one, a repeat of it does not, and each stays as it was', async () => {
  const first = await agents.create({ name: 'Versions', model });
  const second = await agents.update(first.id, { system: 'Two.', version: 1 });
  expect(second).toMatchObject({ version: 2, system: 'Two.', created_at: first.created_at });
  expect(await agents.update(first.id, { system: 'Two.' })).toEqual(second);
  const third = await agents.update(first.id, { name: 'Three' });
  expect(third.version).toBe(3);

  expect(await agents.retrieve(first.id, { version: 1 })).toEqual(first);
  expect(await agents.retrieve(first.id, { version: 3 })).toEqual(third);
  await expect(agents.retrieve(first.id, { version: 4 })).rejects.toThrow(/404.*no version 4/);
  const listed = await collect(agents.versions.list(first.id, { limit: 2 }));
  expect(listed).toEqual([third, second, first]);
  const page = await agents.versions.list(first.id, { limit: 2 });
  expect(page.data).toEqual([third, second]);
});

test('a version that is not the present one is a 409 which the SDK does not repeat', async () => {
  const checked = checkedClient(door.baseURL, admin_key);
  const { id } = await agents.create({ name: 'Locked', model });
  await agents.update(id, { name: 'Moved' });
  await expect(
    checked.client.beta.agents.update(id, { name: 'Late', version: 1 }),
  ).rejects.toMatchObject({ status: 409, type: 'invalid_request_error' });
  expect(checked.calls).toHaveLength(1);
});

test('of racing updates without a version each is kept, with one each wins', async () => {
  const { id } = await agents.create({ name: 'Raced', model });
  const keys = Array.from({ length: 16 }, (_, n) => `k${n}`);
  await Promise.all(keys.map((key) => agents.update(id, { metadata: { [key]: 'v' } })));
  const after = await agents.retrieve(id);
  expect(after.version).toBe(17);
  expect(Object.keys(after.metadata).toSorted()).toEqual(keys.toSorted());

  const locked = await Promise.allSettled(
    keys.map((key) => agents.update(id, { description: key, version: 17 })),
  );
  expect(locked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await agents.retrieve(id)).version).toBe(18);
});

test('an archived agent can be read, in all its versions, but not changed or used', async () => {
  const { id } = await agents.create({ name: 'Archived', model });
  await agents.update(id, { name: 'Archived too' });
  const archived = await agents.archive(id);
  expect(archived).toMatchObject({ version: 2, archived_at: expect.any(String) });
  expect(await agents.archive(id)).toEqual(archived);
  expect(await agents.retrieve(id)).toEqual(archived);
  const old = await agents.retrieve(id, { version: 1 });
  expect(old.archived_at).toBe(archived.archived_at);
  await expect(agents.update(id, { name: 'x' })).rejects.toThrow(/400.*is archived/);
  await expect(resolveAgent(door.ports, call, { type: 'agent', id })).rejects.toThrow(
    /is archived/,
  );
});

test('a session resolves the newest or the named version', async () => {
  const { id } = await agents.create({ name: 'Resolved', model });
  await agents.update(id, { system: 'Two.' });
  const { agent: newest } = await resolveAgent(door.ports, call, { type: 'agent', id });
  expect(newest).toMatchObject({ id, version: 2, system: 'Two.' });
  const { agent: first } = await resolveAgent(door.ports, call, { type: 'agent', id, version: 1 });
  expect(first).toMatchObject({ id, version: 1, system: null });
  await expect(resolveAgent(door.ports, call, { type: 'agent', id, version: 3 })).rejects.toThrow(
    /has no version 3/,
  );
});

test('the list is newest first, in pages, by time, without what is archived unless asked', async () => {
  const before = (await collect(agents.list())).map(({ id }) => id);
  const made = [];
  for (let n = 0; n < 5; n++) {
    door.ports.clock.shift_ms += 1_000;
    made.unshift(await agents.create({ name: `List ${n}`, model }));
  }
  const [newest, , middle] = made;
  await agents.archive(middle?.id ?? '');
  const left = made.filter((agent) => agent !== middle).map(({ id }) => id);

  expect((await collect(agents.list({ limit: 2 }))).map(({ id }) => id)).toEqual([
    ...left,
    ...before,
  ]);
  const bounds = {
    'created_at[gte]': made[3]?.created_at ?? '',
    'created_at[lte]': made[1]?.created_at ?? '',
  };
  const within = await collect(agents.list({ ...bounds, include_archived: true, limit: 1 }));
  expect(within.map(({ id }) => id)).toEqual(made.slice(1, 4).map(({ id }) => id));

  const { next_page } = await agents.list({ limit: 1 });
  await expect(
    agents.list({ page: next_page, 'created_at[lte]': middle?.created_at ?? '' }),
  ).rejects.toThrow(/400.*filters leave out/);
  await expect(agents.versions.list(newest?.id ?? '', { page: next_page })).rejects.toThrow(
    /400.*not a cursor of this list/,
  );
});

test('a large agent goes through the bucket, and a page of large ones ends early', async () => {
  const system = '€'.repeat(limits.agent_system_chars_max);
  const made = await agents.create({ name: 'Large', model, system });
  expect([...door.ports.blobs.objects.keys()].some((key) => key.includes(made.id))).toBe(true);
  expect(await agents.retrieve(made.id)).toEqual(made);
  for (let n = 0; n < 8; n++) await agents.create({ name: `Large ${n}`, model, system });
  const page = await agents.list({ limit: 100 });
  expect(page.data.length).toBeLessThan(9);
  expect(page.next_page).not.toBeNull();
  expect(await collect(agents.list({ limit: 100 }))).toHaveLength(
    (await collect(agents.list({ limit: 3 }))).length,
  );
});
