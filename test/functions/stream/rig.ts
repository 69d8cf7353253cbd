import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsUserMessageEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, primaryThreadId } from '#shared/core/id.ts';
import { ConditionFailed } from '#shared/core/table.ts';
import type { NewEvent } from '#shared/events/event.ts';
import type { StreamEvent } from '#shared/events/frame.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { changeSession } from '#shared/sessions/session-change.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { Tail } from '#shared/threads/tail.ts';
import { threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import { settle } from '#shared/turn/settle.ts';
import { routeTable } from '../../../functions/stream/route-table.ts';
import { serveStreams } from '../../../functions/stream/serve-streams.ts';
import { checkedClient } from '../../wire/checked-client.ts';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';

/** Streams over HTTP through the official SDK. No step runs: a test appends what a step would. */
export interface StreamRig {
  readonly door: StartedDoor;
  readonly sessions: Anthropic['beta']['sessions'];
  aSession(): Promise<string>;
}

export async function startStreamRig(): Promise<StreamRig> {
  const door = await startDoor();
  const { client } = checkedClient(door.baseURL, admin_key);
  const { sessions } = client.beta;
  const agent = (await client.beta.agents.create({ name: 'Ada', model: 'claude-opus-5-5' })).id;
  const environment_id = (await client.beta.environments.create({ name: 'here' })).id;
  return {
    door,
    sessions,
    aSession: async () => (await sessions.create({ agent, environment_id })).id,
  };
}

export const message: BetaManagedAgentsUserMessageEventParams = {
  type: 'user.message',
  content: [{ type: 'text', text: 'hello' }],
};

export async function headOf({ door }: StreamRig, session_id: string): Promise<ThreadHead> {
  return (await door.ports.table.get(threadKey(primaryThreadId(session_id)))) as ThreadHead;
}

/** Append as a step does, taking turns with clients. @returns the ids */
export async function append(
  rig: StreamRig,
  session_id: string,
  events: readonly NewEvent[],
  patch: Partial<ThreadHead> = {},
): Promise<string[]> {
  for (;;) {
    const head = await headOf(rig, session_id);
    const lines = events.map((event) => ({ event }));
    const { writes } = await prepareAppend(rig.door.ports, head, lines, patch);
    try {
      await rig.door.ports.table.transact(writes);
      return events.map(({ id }) => id);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}

export function reply(text: string, id = newId('event')): NewEvent {
  return { id, type: 'agent.message', content: [{ type: 'text', text }] };
}

/** Take everything that waits into the log, and end the turn, as a step does. */
export async function endTurn(rig: StreamRig, session_id: string): Promise<void> {
  const head = await headOf(rig, session_id);
  const taken = head.queue.map(({ id }): NewEvent => ({ ...message, id }));
  const now = rig.door.ports.clock.now();
  const bill = { usage: {}, budget: null, is_used_up: false };
  const end = settle(head, { reason: { type: 'end_turn' } }, bill, now);
  const lines = [...taken.map((event) => ({ event })), ...end.lines];
  const { writes } = await prepareAppend(rig.door.ports, head, lines, { ...end.patch, queue: [] });
  const change = changeSession(session_id, end.session ?? {}, now.toISOString());
  await rig.door.ports.table.transact([...writes, change]);
}

export interface Reading {
  readonly frames: StreamEvent[];
  readonly ended: Promise<void>;
  close(): void;
  until(done: (frames: StreamEvent[]) => boolean): Promise<void>;
}

/** Open a stream, and read it in the background. */
export async function open(
  { sessions }: StreamRig,
  session_id: string,
  params: Parameters<StreamRig['sessions']['events']['stream']>[1] = {},
  headers: Record<string, string> = {},
): Promise<Reading> {
  const stream = await sessions.events.stream(session_id, params, { headers });
  const frames: StreamEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const frame of stream) frames.push(frame);
  };
  return {
    frames,
    ended: read(),
    close: () => stream.controller.abort(),
    async until(done) {
      for (let waited_ms = 0; !done(frames); waited_ms += 5) {
        if (waited_ms > 10_000) throw new Error(`waited in vain with ${JSON.stringify(frames)}`);
        await sleep(5);
      }
    },
  };
}

export function idsOf(frames: readonly StreamEvent[]): string[] {
  return frames.flatMap((frame) => ('id' in frame ? [frame.id] : []));
}

export function logged(frames: readonly StreamEvent[]): StreamEvent[] {
  return frames.filter((frame) => 'processed_at' in frame && frame.processed_at !== null);
}

/** The function without HTTP: what it writes, and when it has ended. */
export async function run(rig: StreamRig, session_id: string, time_ms: number) {
  const out = new PassThrough();
  let text = '';
  out.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const { ports } = rig.door;
  const stream = serveStreams(
    routeTable({ ...ports, tail: new Tail(ports.table) }),
    {
      ports,
      keyring: new Keyring(ports.table, ports.clock, async () => admin_key),
      logger: new Logger({ logLevel: 'SILENT' }),
    },
    (response) => response,
  );
  const event = {
    httpMethod: 'GET',
    path: `/v1/sessions/${session_id}/events/stream`,
    headers: { 'x-api-key': admin_key },
  };
  const context = { getRemainingTimeInMillis: () => time_ms } as Context;
  return { ended: stream(event, out, context), out, text: () => text };
}
