import type Anthropic from '@anthropic-ai/sdk';
import pLimit from 'p-limit';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import type { Clock } from '#shared/core/clock.ts';
import { newId } from '#shared/core/id.ts';
import { load, store as storeText } from '#shared/core/stored.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import type { NewEvent } from '#shared/events/event.ts';
import type { MemoryOperation } from '#shared/memory/changes.ts';
import { storeKey, type Actor, type StoreHead } from '#shared/memory/memory.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { splitOperations } from '#shared/memory/split.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { requestCostMicrocents } from '#shared/models/prices.ts';
import { agentPlace, newConfig, newHead, newThread } from '#shared/sessions/new-session.ts';
import { configKey, type SessionAgent, type SessionConfig } from '#shared/sessions/session.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import type { Host } from '../../infra/local/host.ts';
import { eventLogOf, type EventLog } from './event-log.ts';
import type { FidelitySet, PlannedMemory, PlannedSession } from './set/fidelity-set.ts';

export interface Planted {
  readonly memory_store_id: string;
  /** In the order of time. */
  readonly session_ids: readonly string[];
  /** The logs, in the same order: what a rewrite without a dream reads. */
  readonly logs: readonly EventLog[];
  readonly sessions_cost_microcents: number;
}

const model = 'claude-sonnet-5-5';
const SESSIONS_AT_ONCE = 8;
/** Events of one append: about a turn. */
const APPEND_EVENTS = 24;

/**
 * Put a set into a platform that runs, by its own code: sessions by the append of events and
 * memories by the writer of memories, under a clock that shows when each of them was.
 */
export async function plant(client: Anthropic, host: Host, set: FidelitySet): Promise<Planted> {
  const planter = await Planter.open(client, host);
  const limit = pLimit(SESSIONS_AT_ONCE);
  const sessions = await Promise.all(
    set.sessions.map((session) => limit(async () => await planter.session(session))),
  );
  const memory_store_id = await planter.store(set.memories, sessions[0]?.session_id ?? '');
  return {
    memory_store_id,
    session_ids: sessions.map(({ session_id }) => session_id),
    logs: sessions.map(({ log }) => log),
    sessions_cost_microcents: sessions.reduce((sum, { cost }) => sum + cost, 0),
  };
}

class Planter {
  readonly #client: Anthropic;
  readonly #ports: Omit<MemoryPorts, 'clock'>;
  readonly #agents: Map<string, SessionAgent>;
  readonly #environment_id: string;
  readonly #workspace_id: string;

  private constructor(
    client: Anthropic,
    ports: Omit<MemoryPorts, 'clock'>,
    agents: Map<string, SessionAgent>,
    places: { environment_id: string; workspace_id: string },
  ) {
    this.#client = client;
    this.#ports = ports;
    this.#agents = agents;
    this.#environment_id = places.environment_id;
    this.#workspace_id = places.workspace_id;
  }

  static async open(client: Anthropic, host: Host): Promise<Planter> {
    const table = new DynamoTable(String(host.outputs['TableName']), host.aws);
    const blobs = new S3Blobs(String(host.outputs['BucketName']), host.aws);
    const ports = { table, blobs, newId, memories_max: 2_000, version_days: 0 };
    const { id: environment_id } = await client.beta.environments.create({
      name: 'fidelity',
      config: { type: 'cloud' },
    });
    const { id } = await client.beta.memoryStores.create({ name: 'probe' });
    const { workspace_id } = (await table.get(storeKey(id))) as StoreHead;
    await client.beta.memoryStores.delete(id);
    return new Planter(client, ports, new Map(), { environment_id, workspace_id });
  }

  async session(planned: PlannedSession): Promise<{
    readonly session_id: string;
    readonly log: EventLog;
    readonly cost: number;
  }> {
    const at_ms = Date.parse(planned.at);
    const session_id = newId('session', at_ms);
    const log = eventLogOf(planned.scenes, newId);
    const cost = log.requests.reduce((sum, usage) => {
      const ran = { model_id: model, speed: null };
      return sum + (requestCostMicrocents(usage, ran) ?? 0);
    }, 0);
    const agent = await this.#agent(planned.agent_name);
    const made = {
      session_id,
      workspace_id: this.#workspace_id,
      body: {
        agent: { type: 'agent' as const, id: agent.id },
        environment_id: this.#environment_id,
        title: planned.title,
      },
      agent,
      stored_agent: await storeText(this.#ports.blobs, `sessions/${session_id}/agent.json`, agent),
      environment: { networking: { type: 'unrestricted' as const } },
      resources: [],
      at: planned.at,
    };
    const head = newHead(made);
    const usage = { ...head.usage, cost_microcents: cost };
    // It has come to rest, so that a schedule takes it.
    const rested = { ...head, ...agentPlace(made), usage, ended_at: planned.at };
    const rows = [rested, newConfig(made), newThread(made)];
    await this.#ports.table.transact(rows.map((put) => ({ put })));
    await this.#append(newThread(made), log.events, at_ms);
    return { session_id, log, cost };
  }

  async #append(
    thread: ReturnType<typeof newThread>,
    events: readonly NewEvent[],
    at_ms: number,
  ): Promise<void> {
    let head = thread;
    for (let from = 0; from < events.length; from += APPEND_EVENTS) {
      const lines = events.slice(from, from + APPEND_EVENTS).map((event) => ({ event }));
      const clock = fixed(new Date(at_ms + from * 5_000));
      const appended = await prepareAppend({ ...this.#ports, clock }, head, lines);
      await this.#ports.table.transact(appended.writes);
      ({ head } = appended);
    }
  }

  /** An agent of the platform, as a session holds it. */
  async #agent(name: string): Promise<SessionAgent> {
    const known = this.#agents.get(name);
    if (known !== undefined) return known;
    const { id } = await this.#client.beta.agents.create({ name, model });
    const session = await this.#client.beta.sessions.create({
      agent: id,
      environment_id: this.#environment_id,
    });
    const config = (await this.#ports.table.get(configKey(session.id))) as SessionConfig;
    const agent = await load(this.#ports.blobs, config.agent);
    await this.#client.beta.sessions.delete(session.id);
    this.#agents.set(name, agent);
    return agent;
  }

  async store(memories: readonly PlannedMemory[], session_id: string): Promise<string> {
    const { id } = await this.#client.beta.memoryStores.create({
      name: 'Fidelity',
      description: 'The store of a fidelity set.',
    });
    const groups = Map.groupBy(memories, ({ at, by }) => JSON.stringify([at, by]));
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      await this.#write(id, group, first, session_id);
    }
    return id;
  }

  async #write(
    store_id: string,
    group: readonly PlannedMemory[],
    { at, by }: PlannedMemory,
    session_id: string,
  ): Promise<void> {
    const actor: Actor =
      by === 'hand'
        ? { type: 'api_actor', api_key_id: newId('api_key') }
        : { type: 'session_actor', session_id };
    const operations = group.map(({ path, text }): MemoryOperation => ({
      kind: 'create',
      path,
      content: text,
    }));
    const ports = { ...this.#ports, clock: fixed(new Date(at)) };
    for (const batch of splitOperations(operations)) {
      await writeMemories(ports, { store_id, operations: batch, actor });
    }
  }
}

function fixed(at: Date): Clock {
  return { now: () => at };
}
