import Anthropic from '@anthropic-ai/sdk';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { DreamScheduleCreateParams } from '#shared/client/dream-schedules.ts';
import { deliverDream } from '#shared/dream-schedules/deliver.ts';
import { scheduleKey, type ScheduleHead } from '#shared/dream-schedules/schedule.ts';
import type { DreamScheduleRun } from '#shared/dream-schedules/show-run.ts';
import { dreamKey, dreamObject, type DreamHead } from '#shared/dreams/dream.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { agentKey } from '#shared/agents/agent.ts';
import { newId } from '#shared/core/id.ts';
import { agentPlace, newConfig, newHead, type NewSession } from '#shared/sessions/new-session.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { admin_key, startDoor, type StartedDoor } from '../../functions/api/door.ts';
import { anAgent } from '../../sessions.ts';
import { snapshotOf } from '../reviews/review-rig.ts';

/** The API over a real table, a Scheduler that calls when it is told to, and dreams that end as a test says. */
export interface ScheduleRig {
  readonly door: StartedDoor;
  readonly client: Anthropic;
  readonly own: ReverieClient;
  readonly agent_id: string;
  /** Move the clock to this moment. */
  at(iso: string): void;
  store(memories?: Readonly<Record<string, string>>): Promise<string>;
  texts(store_id: string): Promise<Record<string, string>>;
  /** A nightly schedule at three in Berlin, unless `params` say otherwise. */
  schedule(store_id: string, params?: Partial<DreamScheduleCreateParams>): Promise<string>;
  /** A schedule whose dream has begun. */
  begun(
    store_id: string,
    params?: Partial<DreamScheduleCreateParams>,
  ): Promise<{ id: string; dream_id: string }>;
  /** A session that has worked and come to rest. */
  session(metadata?: Readonly<Record<string, string>>): Promise<string>;
  /** Many of them, of one agent, the oldest first: as rows. */
  restedSessions(agent_id: string, count: number): Promise<string[]>;
  /** Something that a turn or an operator would have left of a session. */
  change(session_id: string, fields: Readonly<Record<string, unknown>>): Promise<void>;
  head(schedule_id: string): Promise<ScheduleHead>;
  newest(schedule_id: string): Promise<DreamScheduleRun>;
  /** Let a dream end as its machine would have it, with these operations, and be delivered. */
  end(dream_id: string | null, ends: DreamEnd): Promise<void>;
  stop(): Promise<void>;
}

export interface DreamEnd {
  readonly status?: DreamHead['status'];
  readonly operations?: readonly Operation[];
  readonly recommended?: boolean | null;
  /** How often it is delivered. @default 1 */
  readonly times?: number;
}

export async function startScheduleRig(): Promise<ScheduleRig> {
  const door = await startDoor();
  const client = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, maxRetries: 0 });
  const own = new ReverieClient(client);
  const agent = await client.beta.agents.create({ name: 'a', model: 'claude-sonnet-5-5' });
  const environment = await client.beta.environments.create({
    name: 'e',
    config: { type: 'cloud' },
  });
  const { table, blobs, clock } = door.ports;
  const agent_workspace = String((await table.get(agentKey(agent.id)))?.['workspace_id']);
  const change: ScheduleRig['change'] = async (session_id, fields) => {
    const entries = Object.entries(fields);
    await table.update({
      update: sessionKey(session_id),
      expression: `SET ${entries.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      names: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
      values: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
    });
  };
  const self: ScheduleRig = {
    door,
    client,
    own,
    agent_id: agent.id,
    at: (iso) => {
      clock.shift_ms = Date.parse(iso) - Date.now();
    },
    store: async (memories = {}) => {
      const { id } = await client.beta.memoryStores.create({ name: 'store' });
      for (const [path, content] of Object.entries(memories)) {
        await client.beta.memoryStores.memories.create(id, { path, content });
      }
      return id;
    },
    texts: async (store_id) => {
      const texts: Record<string, string> = {};
      const list = client.beta.memoryStores.memories.list(store_id, { view: 'full' });
      for await (const item of list) {
        if (item.type === 'memory') texts[item.path] = item.content ?? '';
      }
      return texts;
    },
    schedule: async (memory_store_id, params = {}) => {
      const { id } = await own.dreamSchedules.create({
        name: 'nightly',
        schedule: { type: 'cron', expression: '0 3 * * *', timezone: 'Europe/Berlin' },
        memory_store_id,
        model: 'claude-sonnet-5-5',
        ...params,
      });
      return id;
    },
    begun: async (store_id, params) => {
      const id = await self.schedule(store_id, params);
      await self.session();
      const { dream_id } = await own.dreamSchedules.run(id);
      return { id, dream_id: dream_id ?? '' };
    },
    session: async (metadata = {}) => {
      const { id } = await client.beta.sessions.create({
        agent: agent.id,
        environment_id: environment.id,
        metadata,
      });
      await change(id, { ended_at: clock.now().toISOString() });
      return id;
    },
    restedSessions: async (id, count) => {
      // The last one ends now: one that ended behind a run's own moment would be new to the next.
      const first_ms = clock.now().getTime() - count;
      const made = Array.from({ length: count }, (_, n): NewSession => ({
        session_id: newId('session', first_ms + n),
        workspace_id: agent_workspace,
        body: { agent: { type: 'agent', id }, environment_id: environment.id },
        agent: { ...anAgent, id },
        stored_agent: { json: JSON.stringify({ ...anAgent, id }) },
        environment: { networking: { type: 'unrestricted' } },
        resources: [],
        at: new Date(first_ms + n).toISOString(),
      }));
      const rows = made.map((one) => [
        { ...newHead(one), ...agentPlace(one), ended_at: one.at },
        newConfig(one),
      ]);
      for (let from = 0; from < rows.length; from += 33) {
        const some = rows.slice(from, from + 33).flat();
        await table.transact(some.map((put) => ({ put })));
      }
      return made.map(({ session_id }) => session_id);
    },
    change,
    head: async (id) => (await table.get(scheduleKey(id))) as ScheduleHead,
    newest: async (id) => {
      const { data } = await own.dreamSchedules.runs(id, { limit: 1 });
      const [run] = data;
      if (run === undefined) throw new Error('it has not run');
      return run;
    },
    end: async (dream_id, ends) => {
      const { status = 'completed', operations = [], recommended = true, times = 1 } = ends;
      const key = dreamKey(dream_id ?? '');
      const dream = (await table.get(key)) as DreamHead;
      const json = async (name: string, value: unknown) =>
        await blobs.put(
          dreamObject(dream.dream_id, name),
          JSON.stringify(value),
          'application/json',
        );
      await json('snapshot.json', await snapshotOf(door.ports, dream.memory_store_id));
      await json('verified.json', { operations });
      await json('gate.json', { recommended, reason: 'Of five answers one fell.', scores: [] });
      const head = (await table.update({
        update: key,
        expression: 'SET #status = :status, ended_at = :at, recommended = :is, #error = :error',
        names: { '#status': 'status', '#error': 'error' },
        values: {
          ':status': status,
          ':at': clock.now().toISOString(),
          ':is': operations.length === 0 ? null : recommended,
          ':error': status === 'failed' ? { type: 'internal_error', message: 'It broke.' } : null,
        },
      })) as DreamHead;
      for (let time = 0; time < times; time++) await deliverDream(door.ports, head, () => false);
    },
    stop: async () => await door.stop(),
  };
  return self;
}
