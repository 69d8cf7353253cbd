import type Anthropic from '@anthropic-ai/sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { primaryThreadId } from '#shared/core/id.ts';
import { dreamed } from '../functions/dream/dreamer.ts';
import type { ModelRequest } from '../model/model.ts';
import { call, say, type Reply } from '../model/replies.ts';
import { message, type Rig } from '../rig.ts';

/** Something of each kind that a path can name, by the name that paths give it. */
export type Ids = Readonly<Record<string, string>>;

/** A workspace with something of everything in it. */
export interface World {
  readonly workspace_id: string;
  readonly key: string;
  readonly client: Anthropic;
  readonly own: ReverieClient;
  readonly ids: Ids;
}

/** Answers whatever a world's sessions, graders and dreams ask. */
export function worldly(request: ModelRequest): Reply {
  const grades = (request.body.tools ?? []).some(
    (tool) => 'name' in tool && tool.name === 'submit_verdict',
  );
  if (grades) return call('submit_verdict', { criteria: [] });
  return dreamed(request) ?? say('Done.');
}

/** A key of a new workspace. */
export async function newWorkspace(
  own: ReverieClient,
  name: string,
): Promise<{ readonly workspace_id: string; readonly key: string }> {
  const workspace_id = `wrkspc_${name.padEnd(20, '0')}`;
  const { secret } = await own.apiKeys.create({
    name,
    workspace_id,
    scopes: ['read', 'write', 'admin'],
  });
  if (secret === null) throw new Error('the secret of a new key is shown once');
  return { workspace_id, key: secret };
}

async function until<T>(rig: Rig, found: () => Promise<T | undefined>): Promise<T> {
  for (let look = 0; look < 2_000; look++) {
    const result = await found();
    if (result !== undefined) return result;
    await sleep(15);
    await rig.host.advance(300);
  }
  throw new Error('a world was never whole');
}

/** Fill a workspace: what a client would make in a day. */
export async function makeWorld(
  rig: Rig,
  client: Anthropic,
  { workspace_id, key }: { readonly workspace_id: string; readonly key: string },
): Promise<World> {
  const own = new ReverieClient(client);
  const { beta } = client;
  const tools = [{ type: 'agent_toolset_20260401' as const }];
  const agent = await beta.agents.create({ name: 'Ada', model: 'claude-sonnet-5-5', tools });
  await own.outcomeModels.put(agent.id, {
    success_criteria: [{ id: 'done', text: 'It is done.' }],
  });
  const environment = await beta.environments.create({ name: 'world', config: { type: 'cloud' } });
  const file = await beta.files.upload({ file: new File(['a,b\n1,2\n'], 'data.csv') });
  const store = await beta.memoryStores.create({ name: 'Notes' });
  const memory = await beta.memoryStores.memories.create(store.id, {
    path: '/notes/ports.md',
    content: 'ports: the staging port is 8080.\n',
  });
  const session = await beta.sessions.create({
    agent: agent.id,
    environment_id: environment.id,
    resources: [{ type: 'file', file_id: file.id, mount_path: '/mnt/session/uploads/data.csv' }],
  });
  const session_id = session.id;
  await beta.sessions.events.send(session_id, {
    events: [
      message('LESSON about ports: the staging port is 8443.'),
      {
        type: 'user.define_outcome',
        description: 'See that it is done.',
        rubric: { type: 'text', content: '- It is done' },
        max_iterations: 1,
      },
    ],
  });
  const evaluation = await until(
    rig,
    async () => (await own.verdicts.ofSession(session_id)).data[0],
  );
  const report = await until(rig, async () => {
    const [first] = (await own.outcomeReports.list(session_id)).data;
    return first?.state === 'pending' ? undefined : first;
  });
  const dream = await dreamIn(rig, { client, own, session_id, store_id: store.id });
  const resources = await beta.sessions.resources.list(session_id);
  const [resource] = resources.data;
  const [made_key] = (await own.apiKeys.list({ limit: 1 })).data;
  return {
    workspace_id,
    key,
    client,
    own,
    ids: {
      agent_id: agent.id,
      environment_id: environment.id,
      session_id,
      thread_id: primaryThreadId(session_id),
      resource_id: resource !== undefined && 'id' in resource ? resource.id : '',
      memory_store_id: store.id,
      memory_id: memory.id,
      memory_version_id: memory.memory_version_id,
      file_id: file.id,
      evaluation_id: evaluation.id,
      outcome_report_id: report.id,
      api_key_id: made_key?.id ?? '',
      ...dream,
    },
  };
}

async function dreamIn(
  rig: Rig,
  {
    client,
    own,
    session_id,
    store_id,
  }: {
    readonly client: Anthropic;
    readonly own: ReverieClient;
    readonly session_id: string;
    readonly store_id: string;
  },
): Promise<Ids> {
  const { id } = await client.beta.dreams.create({
    inputs: [
      { type: 'memory_store', memory_store_id: store_id },
      { type: 'sessions', session_ids: [session_id] },
    ],
    model: 'claude-sonnet-5-5',
  });
  await until(rig, async () => {
    const { status, error } = await client.beta.dreams.retrieve(id);
    if (status === 'failed') throw new Error(`a world's dream failed: ${JSON.stringify(error)}`);
    return status === 'completed' ? true : undefined;
  });
  const change = await until(rig, async () => (await own.dreams.changes(id)).data[0]);
  await own.dreams.acceptAll(id);
  const apply = await own.dreams.apply(id, { memory_store_id: store_id });
  return { dream_id: id, change_id: change.id, apply_id: apply.id };
}
