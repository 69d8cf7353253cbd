import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsUserMessageEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type {
  BetaManagedAgentsSession,
  SessionCreateParams,
} from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { primaryThreadId } from '#shared/core/id.ts';
import { startPatch } from '#shared/threads/start.ts';
import { changeSession } from '#shared/sessions/session-change.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import { settle } from '#shared/turn/settle.ts';
import { checkedClient } from '../../wire/checked-client.ts';
import { admin_key, startDoor, type StartedDoor } from './door.ts';

/**
 * Sessions over HTTP, through the official SDK, with every answer held against its own types. No
 * step runs: what a turn does to the rows is done by the test.
 */
export interface SessionRig {
  readonly door: StartedDoor;
  readonly client: Anthropic;
  readonly sessions: Anthropic['beta']['sessions'];
  readonly agent_id: string;
  readonly environment_id: string;
  create(params?: Partial<SessionCreateParams>): Promise<BetaManagedAgentsSession>;
}

export async function startSessionRig(): Promise<SessionRig> {
  const door = await startDoor();
  const { client } = checkedClient(door.baseURL, admin_key);
  const { sessions } = client.beta;
  const agent_id = (await client.beta.agents.create({ name: 'Ada', model: 'claude-opus-5-5' })).id;
  const environment_id = (await client.beta.environments.create({ name: 'here' })).id;
  return {
    door,
    client,
    sessions,
    agent_id,
    environment_id,
    create: async (params = {}) =>
      await sessions.create({ agent: agent_id, environment_id, ...params }),
  };
}

export const message: BetaManagedAgentsUserMessageEventParams = {
  type: 'user.message',
  content: [{ type: 'text', text: 'hello' }],
};

export async function headOf({ door }: SessionRig, session_id: string): Promise<ThreadHead> {
  return (await door.ports.table.get(threadKey(primaryThreadId(session_id)))) as ThreadHead;
}

/** What a step does at the end of a turn. */
export async function endTurn(
  rig: SessionRig,
  session_id: string,
  reason: 'end_turn' | 'budget_reached' = 'end_turn',
  cost_microcents = 0,
): Promise<void> {
  const head = await headOf(rig, session_id);
  const bill = { usage: {}, budget: null, is_used_up: false };
  const now = rig.door.ports.clock.now();
  const { lines, patch, session } = settle(head, { reason: { type: reason } }, bill, now);
  const append = await prepareAppend(rig.door.ports, head, lines, { ...patch, queue: [] });
  const usage = { ...session?.usage, cost_microcents };
  const change = changeSession(session_id, { ...session, usage }, now.toISOString());
  await rig.door.ports.table.transact([...append.writes, change]);
}

export async function startTurn(rig: SessionRig, session_id: string): Promise<void> {
  const head = await headOf(rig, session_id);
  const at = rig.door.ports.clock.now().toISOString();
  const run = head.run + 1;
  const append = await prepareAppend(rig.door.ports, head, [], startPatch(run, at));
  const change = changeSession(session_id, { status: 'running', start: { run, at } }, at);
  await rig.door.ports.table.transact([...append.writes, change]);
}

/** A file that is not there. */
const nothing = 'file_00000000000000000000000000';

/** Every route of a session, as a call: what one answers for a session that is not there, all do. */
export function everyCall(
  sessions: SessionRig['sessions'],
  session_id: string,
): readonly [name: string, call: () => PromiseLike<unknown>][] {
  const thread_id = primaryThreadId(session_id);
  const path = { session_id };
  return [
    ['retrieve', () => sessions.retrieve(session_id)],
    ['update', () => sessions.update(session_id, { title: 'x' })],
    ['archive', () => sessions.archive(session_id)],
    ['delete', () => sessions.delete(session_id)],
    ['events.list', () => sessions.events.list(session_id)],
    ['events.send', () => sessions.events.send(session_id, { events: [message] })],
    ['events.stream', () => sessions.events.stream(session_id)],
    ['resources.list', () => sessions.resources.list(session_id)],
    ['resources.add', () => sessions.resources.add(session_id, { type: 'file', file_id: nothing })],
    ['resources.retrieve', () => sessions.resources.retrieve('sesrsc_x', path)],
    [
      'resources.update',
      () => sessions.resources.update('sesrsc_x', { ...path, authorization_token: 'x' }),
    ],
    ['resources.delete', () => sessions.resources.delete('sesrsc_x', path)],
    ['threads.list', () => sessions.threads.list(session_id)],
    ['threads.retrieve', () => sessions.threads.retrieve(thread_id, path)],
    ['threads.archive', () => sessions.threads.archive(thread_id, path)],
    ['threads.events.list', () => sessions.threads.events.list(thread_id, path)],
    ['threads.events.stream', () => sessions.threads.events.stream(thread_id, path)],
  ];
}

/** What every route answers, by its name. */
export async function answersOf(
  sessions: SessionRig['sessions'],
  session_id: string,
): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const [name, call] of everyCall(sessions, session_id)) {
    answers[name] = await call().then(
      () => 'answered',
      (error: unknown) => String((error as { status?: number }).status),
    );
  }
  return answers;
}

/** Each route's name with the same answer. */
export function allAnswer(
  answer: string,
  sessions: SessionRig['sessions'],
): Record<string, string> {
  const names = everyCall(sessions, 'sesn_00000000000000000000000000').map(([name]) => name);
  return Object.fromEntries(names.map((name) => [name, answer]));
}
