import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, startDoor, type StartedDoor } from './door.ts';

/** Agents over HTTP, through the official SDK, with every answer held against its own types. */

let door: StartedDoor;
let checked: CheckedClient;

beforeAll(async () => {
  door = await startDoor();
  checked = checkedClient(door.baseURL, admin_key, { maxRetries: 0 });
});

afterAll(async () => {
  await door.stop();
});

test('an agent is created with every default filled in', async () => {
  const agent = await checked.client.beta.agents.create({
    name: 'First',
    model: 'claude-opus-5-5',
    tools: [{ type: 'agent_toolset_20260401' }],
  });
  expect(agent).toMatchObject({
    version: 1,
    model: { id: 'claude-opus-5-5', effort: { type: 'high' }, speed: 'standard' },
    execution_identity: { type: 'service_account' },
    archived_at: null,
    tools: [
      {
        default_config: { enabled: true, permission_policy: { type: 'always_allow' } },
        configs: [],
      },
    ],
  });
  expect(await checked.client.beta.agents.retrieve(agent.id)).toMatchObject({ id: agent.id });
});
