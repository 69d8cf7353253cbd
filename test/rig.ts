import type Anthropic from '@anthropic-ai/sdk';
import type { AgentCreateParams } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { BetaManagedAgentsSessionEvent } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { Host, HostOptions } from '../infra/local/host.ts';
import { lookUntil } from './look.ts';
import type { ModelOptions, ScriptedModel } from './model/model.ts';
import { ADMIN_KEY, MODEL_KEY, openHost } from './spare-host.ts';
import { checkedClient, type CheckedClient } from './wire/checked-client.ts';

export type Event = BetaManagedAgentsSessionEvent;
export type SendEvents = Parameters<Anthropic['beta']['sessions']['events']['send']>[1]['events'];

export { ADMIN_KEY, MODEL_KEY };

/** The whole platform on this machine, with a scripted model, behind the official SDK. */
export interface Rig {
  readonly host: Host;
  readonly model: ScriptedModel;
  readonly checked: CheckedClient;
  readonly client: Anthropic;
  readonly environment_id: string;
  /** A new agent with the whole toolset, unless `params` say otherwise. */
  agent(params?: Partial<AgentCreateParams>): Promise<string>;
  /** A new session of a new agent. */
  session(
    params?: Partial<AgentCreateParams>,
    session?: Partial<SessionCreateParams>,
  ): Promise<string>;
  send(session_id: string, ...events: SendEvents): Promise<Event[]>;
  /** The log so far, in order; queued events are left out. */
  events(session_id: string): Promise<Event[]>;
  /** Wait until the session has come to rest `count` times, while machine waits pass quickly. */
  rested(session_id: string, count?: number): Promise<Event[]>;
  /** Wait until the log satisfies `found`. */
  until(session_id: string, found: (events: Event[]) => boolean): Promise<Event[]>;
  close(): Promise<void>;
}

export async function startRig(
  options: Partial<HostOptions> = {},
  modelOptions: ModelOptions = {},
): Promise<Rig> {
  const opened = await openHost(options, modelOptions);
  const { host, model } = opened;
  const checked = checkedClient(host.base_url, ADMIN_KEY, { maxRetries: 0 });
  const { client } = checked;
  const environment = await client.beta.environments.create({
    name: 'test',
    config: { type: 'cloud' },
  });

  const events = async (session_id: string): Promise<Event[]> => {
    const all: Event[] = [];
    for await (const event of client.beta.sessions.events.list(session_id)) all.push(event);
    return all.filter(({ processed_at }) => processed_at !== null);
  };
  const until: Rig['until'] = async (session_id, found) =>
    await lookUntil(
      host,
      async () => {
        const now = await events(session_id);
        return found(now) ? now : undefined;
      },
      {
        stuck: async () =>
          `${session_id} never got there: ${typesOf(await events(session_id)).join(' ')}`,
      },
    );
  const agent: Rig['agent'] = async (params = {}) => {
    const { id } = await client.beta.agents.create({
      name: 'Ada',
      model: 'claude-sonnet-5-5',
      tools: [{ type: 'agent_toolset_20260401' }],
      ...params,
    });
    return id;
  };
  return {
    host,
    model,
    checked,
    client,
    environment_id: environment.id,
    agent,
    session: async (params, session = {}) => {
      const { id } = await client.beta.sessions.create({
        agent: await agent(params),
        environment_id: environment.id,
        ...session,
      });
      return id;
    },
    send: async (session_id, ...sent) => {
      const { data } = await client.beta.sessions.events.send(session_id, { events: sent });
      return (data ?? []) as Event[];
    },
    events,
    until,
    rested: async (session_id, count = 1) => await until(session_id, (now) => rests(now) >= count),
    close: async () => await opened.close(),
  };
}

function rests(events: readonly Event[]): number {
  return events.filter(
    ({ type }) => type === 'session.status_idle' || type === 'session.status_terminated',
  ).length;
}

/** A user's message. */
export function message(text: string): SendEvents[number] {
  return { type: 'user.message', content: [{ type: 'text', text }] };
}

export function typesOf(events: readonly Event[]): string[] {
  return events.map(({ type }) => type);
}

/** The only event of a type. @throws Error when there is none or more than one */
export function only<T extends Event['type']>(
  events: readonly Event[],
  type: T,
): Extract<Event, { type: T }> {
  const found = all(events, type);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} events of type ${type}: ${typesOf(events).join(' ')}`);
  }
  return first;
}

export function all<T extends Event['type']>(
  events: readonly Event[],
  type: T,
): Extract<Event, { type: T }>[] {
  return events.filter((event): event is Extract<Event, { type: T }> => event.type === type);
}
