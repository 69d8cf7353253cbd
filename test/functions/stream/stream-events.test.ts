import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsUserMessageEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConditionFailed } from '#shared/core/table.ts';
import { newId, primaryThreadId } from '#shared/core/id.ts';
import type { NewEvent } from '#shared/events/event.ts';
import type { StreamEvent } from '#shared/events/frame.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { listenKey, padded, threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import type { DeltaFrame } from '#shared/turn/deltas.ts';
import { settle, terminate } from '#shared/turn/settle.ts';
import { changeSession } from '#shared/sessions/session-change.ts';
import { checkedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';

/**
 * Streams over HTTP through the official SDK, every frame held against its types. No step runs:
 * the test appends what a step would. What a stream gives is compared with what the list gives.
 */

let door: StartedDoor;
let sessions: Anthropic['beta']['sessions'];
let agent: string;
let environment_id: string;

beforeAll(async () => {
  door = await startDoor();
  const { client } = checkedClient(door.baseURL, admin_key);
  ({ sessions } = client.beta);
  agent = (await client.beta.agents.create({ name: 'Ada', model: 'claude-opus-5-5' })).id;
  environment_id = (await client.beta.environments.create({ name: 'here' })).id;
});

afterAll(async () => {
  await door.stop();
});

async function aSession(): Promise<string> {
  return (await sessions.create({ agent, environment_id })).id;
}

const message: BetaManagedAgentsUserMessageEventParams = {
  type: 'user.message',
  content: [{ type: 'text', text: 'hello' }],
};

async function headOf(session_id: string): Promise<ThreadHead> {
  return (await door.ports.table.get(threadKey(primaryThreadId(session_id)))) as ThreadHead;
}

/** Append as a step does, taking turns with clients. @returns the ids */
async function append(
  session_id: string,
  events: readonly NewEvent[],
  patch: (head: ThreadHead) => Partial<ThreadHead> = () => ({}),
): Promise<string[]> {
  for (;;) {
    const head = await headOf(session_id);
    const lines = events.map((event) => ({ event }));
    const { writes } = await prepareAppend(door.ports, head, lines, patch(head));
    try {
      await door.ports.table.transact(writes);
      return events.map(({ id }) => id);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}

function reply(text: string, id = newId('event')): NewEvent {
  return { id, type: 'agent.message', content: [{ type: 'text', text }] };
}

/** Take everything that waits into the log, and end the turn, as a step does. */
async function endTurn(session_id: string): Promise<void> {
  const head = await headOf(session_id);
  const taken = head.queue.map(({ id }): NewEvent => ({ ...message, id }));
  const now = door.ports.clock.now();
  const end = settle(head, { reason: { type: 'end_turn' } }, { usage: {}, budget: null }, now);
  const lines = [...taken.map((event) => ({ event })), ...end.lines];
  const { writes } = await prepareAppend(door.ports, head, lines, { ...end.patch, queue: [] });
  const change = changeSession(session_id, end.session ?? {}, now.toISOString());
  await door.ports.table.transact([...writes, change]);
}

interface Reading {
  readonly frames: StreamEvent[];
  readonly ended: Promise<void>;
  close(): void;
  until(done: (frames: StreamEvent[]) => boolean): Promise<void>;
}

/** Open a stream, and read it in the background. */
async function open(
  session_id: string,
  params: Parameters<typeof sessions.events.stream>[1] = {},
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

function idsOf(frames: readonly StreamEvent[]): string[] {
  return frames.flatMap((frame) => ('id' in frame ? [frame.id] : []));
}

function logged(frames: readonly StreamEvent[]): StreamEvent[] {
  return frames.filter((frame) => 'processed_at' in frame && frame.processed_at !== null);
}

describe('nothing is missed and nothing comes twice', () => {
  test('an event that is sent after the stream opened is seen, also the first one', async () => {
    for (let n = 0; n < 10; n++) {
      const id = await aSession();
      const reading = await open(id);
      const sent = await sessions.events.send(id, { events: [message] });
      await reading.until((frames) => frames.length > 0);
      expect(idsOf(reading.frames)).toEqual(sent.data?.map((event) => event.id));
      reading.close();
    }
  });

  test('under 200 appends of 1 to 3 events while it is read, it gives what the list gives', async () => {
    const id = await aSession();
    await append(id, [reply('before')]);
    const reading = await open(id);
    let written = 1;
    for (let n = 0; n < 200; n++) {
      const events = Array.from({ length: 1 + (n % 3) }, (_, k) => reply(`${n}.${k}`));
      await append(id, events);
      written += events.length;
      if (n % 20 === 0) await sleep(Math.random() * 40);
    }
    await reading.until((frames) => frames.length >= written - 1);
    const listed = await collect(sessions.events.list(id));
    expect(listed.length).toBe(written);
    expect(reading.frames).toEqual(listed.slice(1));
    reading.close();
  });

  test('Last-Event-ID replays from any position, exactly what followed', async () => {
    const id = await aSession();
    for (const size of [1, 3, 1, 2]) {
      await append(
        id,
        Array.from({ length: size }, () => reply('x')),
      );
    }
    const all = idsOf(await collect(sessions.events.list(id)));
    for (const [index, last] of all.entries()) {
      const reading = await open(id, {}, { 'last-event-id': last });
      const [later = ''] = await append(id, [reply('after')]);
      await reading.until((frames) => idsOf(frames).includes(later));
      const expected = [
        ...all.slice(index + 1),
        ...idsOf(await collect(sessions.events.list(id))).slice(all.length),
      ];
      expect(idsOf(reading.frames)).toEqual(expected);
      reading.close();
    }
  });

  test('a reader that is cut and comes back with Last-Event-ID has everything once', async () => {
    const id = await aSession();
    const seen: StreamEvent[] = [];
    let reading = await open(id);
    const writing = (async () => {
      for (let n = 0; n < 60; n++) {
        await append(id, [reply(String(n))]);
        await sleep(5);
      }
    })();
    while (seen.length < 60) {
      await reading.until((frames) => frames.length >= Math.min(7, 60 - seen.length));
      reading.close();
      await reading.ended.catch(() => undefined);
      seen.push(...reading.frames);
      const last = idsOf(seen).at(-1) ?? '';
      if (seen.length < 60) reading = await open(id, {}, { 'last-event-id': last });
    }
    await writing;
    expect(seen).toEqual(await collect(sessions.events.list(id)));
  });

  test('what waits is shown without a time when it is accepted, and with one when it is taken', async () => {
    const id = await aSession();
    const reading = await open(id);
    const { data } = await sessions.events.send(id, { events: [message, message] });
    await reading.until((frames) => frames.length === 2);
    expect(reading.frames).toEqual(data);
    expect(reading.frames.map((frame) => 'processed_at' in frame && frame.processed_at)).toEqual([
      null,
      null,
    ]);
    await endTurn(id);
    await reading.until((frames) => frames.length === 7);
    expect(logged(reading.frames)).toEqual(await collect(sessions.events.list(id)));
    expect(idsOf(reading.frames.slice(2, 4))).toEqual(idsOf(reading.frames.slice(0, 2)));
    reading.close();
  });

  test('what waited before the stream opened comes once, when it is taken', async () => {
    const id = await aSession();
    const { data } = await sessions.events.send(id, { events: [message] });
    const reading = await open(id);
    await endTurn(id);
    await reading.until((frames) => frames.length === 4);
    expect(idsOf(reading.frames).filter((one) => one === data?.[0]?.id).length).toBe(1);
    reading.close();
  });

  test('a large event comes whole, from the bucket', async () => {
    const id = await aSession();
    const reading = await open(id);
    await append(id, [reply('x'.repeat(300_000))]);
    await reading.until((frames) => frames.length === 1);
    expect(reading.frames).toEqual(await collect(sessions.events.list(id)));
    reading.close();
  });

  test('the stream of the primary thread says the same', async () => {
    const id = await aSession();
    const stream = await sessions.threads.events.stream(primaryThreadId(id), { session_id: id });
    const [written] = await append(id, [reply('x')]);
    for await (const frame of stream) {
      expect(frame).toMatchObject({ id: written, type: 'agent.message' });
      break;
    }
  });
});

describe('its end', () => {
  test('a deleted session says so and ends', async () => {
    const id = await aSession();
    await append(id, [reply('x')]);
    const reading = await open(id);
    await sessions.delete(id);
    await reading.ended;
    expect(reading.frames).toMatchObject([{ type: 'session.deleted' }]);
  });

  test('a session that is deleted with all its rows before the stream looked says so too', async () => {
    const id = await aSession();
    const reading = await open(id);
    const { table } = door.ports;
    for (const pk of [`SESSION#${id}`, `THREAD#${primaryThreadId(id)}`]) {
      await table.deleteMany((await table.query({ pk, from: ' ', to: '~' })).rows);
    }
    await reading.ended;
    expect(reading.frames).toMatchObject([{ type: 'session.deleted' }]);
  });

  test('a session that terminates ends the stream after it has said so', async () => {
    const id = await aSession();
    const reading = await open(id);
    await append(
      id,
      terminate(await headOf(id), new Date()).lines.map(({ event }) => event),
      () => ({
        status: 'terminated',
      }),
    );
    await reading.ended;
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'session.thread_status_terminated',
      'session.status_terminated',
    ]);
  });

  test('an archived session opens and ends at once, or replays what is asked for and ends', async () => {
    const id = await aSession();
    const [first = ''] = await append(id, [reply('a'), reply('b')]);
    await sessions.archive(id);
    const reading = await open(id);
    await reading.ended;
    expect(reading.frames).toEqual([]);
    const replay = await open(id, {}, { 'last-event-id': first });
    await replay.ended;
    expect(replay.frames).toEqual((await collect(sessions.events.list(id))).slice(1));
  });

  test('a reader that leaves is no longer looked for', async () => {
    const id = await aSession();
    const { table } = door.ports;
    const wanted = threadKey(primaryThreadId(id)).pk;
    let looks = 0;
    const getMany = table.getMany.bind(table);
    table.getMany = async (keys, options) => {
      looks += keys.filter(({ pk, sk }) => pk === wanted && sk === 'HEAD').length;
      return await getMany(keys, options);
    };
    const reading = await open(id);
    while (looks < 3) await sleep(5);
    reading.close();
    await reading.ended.catch(() => undefined);
    await sleep(100);
    const before = looks;
    await sleep(300);
    table.getMany = getMany;
    expect(looks).toBe(before);
  });
});

describe('it is refused before the first byte, as an ordinary answer', () => {
  test.each([
    [
      'an unknown session',
      async () => await sessions.events.stream('sesn_00000000000000000000000000'),
      /404/,
    ],
    ['an id of no form', async () => await sessions.events.stream('nonsense'), /404/],
    [
      'an unknown event',
      async () =>
        await open(await aSession(), {}, { 'last-event-id': 'sevt_00000000000000000000000000' }),
      /400.*Last-Event-ID/,
    ],
    [
      'a delta of another type',
      async () =>
        await open(await aSession(), { event_deltas: ['user.message' as 'agent.message'] }),
      /400.*event_deltas/,
    ],
    [
      '101 deltas',
      async () =>
        await open(await aSession(), {
          event_deltas: Array.from({ length: 101 }, () => 'agent.message' as const),
        }),
      /400.*too many/,
    ],
  ])('%s', async (_title, call, text) => {
    await expect(call()).rejects.toThrow(text);
  });

  test("another session's event", async () => {
    const [one, two] = [await aSession(), await aSession()];
    const [event = ''] = await append(two, [reply('x')]);
    await expect(open(one, {}, { 'last-event-id': event })).rejects.toThrow(/400/);
  });

  test('a wrong key, and a key that may not read', async () => {
    const id = await aSession();
    const url = `${door.baseURL}/v1/sessions/${id}/events/stream`;
    const wrong = await fetch(url, { headers: { 'x-api-key': 'wrong' } });
    expect(wrong.status).toBe(401);
    const made = await fetch(`${door.baseURL}/v1/reverie/api_keys`, {
      method: 'POST',
      headers: { 'x-api-key': admin_key, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'writer', scopes: ['write'] }),
    });
    const { secret } = (await made.json()) as { secret: string };
    const blind = await fetch(url, { headers: { 'x-api-key': secret } });
    expect(blind.status).toBe(403);
    expect(await blind.json()).toMatchObject({ error: { type: 'permission_error' } });
  });
});

describe('previews', () => {
  let n = 0;

  async function say(session_id: string, event_id: string, frames: readonly DeltaFrame[]) {
    n += 1;
    const thread_id = primaryThreadId(session_id);
    const sk = `D#${event_id}#${padded(n)}`;
    await door.ports.table.transact([{ put: { pk: `THREAD#${thread_id}`, sk, frames } }]);
  }

  const start = (id: string, type: 'agent.message' | 'agent.thinking' = 'agent.message') =>
    ({ type: 'event_start', event: { type, id } }) as const;
  const delta = (id: string, text: string) =>
    ({
      type: 'event_delta',
      event_id: id,
      delta: { type: 'content_delta', index: 0, content: { type: 'text', text } },
    }) as const;

  async function openSpan(session_id: string): Promise<string> {
    const id = newId('event');
    await append(session_id, [{ id, type: 'span.model_request_start' }], () => ({
      status: 'running',
      open_span: id,
    }));
    return id;
  }

  const spanEnd = (model_request_start_id: string, is_error = false): NewEvent => ({
    id: newId('event'),
    type: 'span.model_request_end',
    model_request_start_id,
    is_error,
    model_usage: {
      input_tokens: 0,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      speed: null,
    },
  });

  const both = { event_deltas: ['agent.message', 'agent.thinking'] } as const;

  test('come after the start of the request and before the full event, which is the last of its id', async () => {
    const id = await aSession();
    const reading = await open(id, { event_deltas: [...both.event_deltas] });
    const span = await openSpan(id);
    const [thought, said] = [newId('event'), newId('event')];
    await say(id, thought, [start(thought, 'agent.thinking')]);
    await say(id, said, [start(said), delta(said, 'He')]);
    await reading.until((frames) => frames.length >= 4);
    await say(id, said, [delta(said, 'llo')]);
    await append(
      id,
      [{ id: thought, type: 'agent.thinking' }, reply('Hello', said), spanEnd(span)],
      () => ({
        open_span: null,
      }),
    );
    await reading.until((frames) => frames.some(({ type }) => type === 'span.model_request_end'));
    await say(id, said, [delta(said, 'late')]);
    await sleep(60);
    const seen = reading.frames.map((frame) =>
      frame.type === 'event_delta' ? frame.delta.content : frame.type,
    );
    expect(seen).toEqual([
      'span.model_request_start',
      'event_start',
      'event_start',
      { type: 'text', text: 'He' },
      'agent.thinking',
      { type: 'text', text: 'llo' },
      'agent.message',
      'span.model_request_end',
    ]);
    reading.close();
  });

  test('that were written in one go with the full event still come before it', async () => {
    const id = await aSession();
    const reading = await open(id, { event_deltas: ['agent.message'] });
    const said = newId('event');
    await say(id, said, [start(said), delta(said, 'Hi')]);
    await append(id, [reply('Hi', said)]);
    await reading.until((frames) => frames.length === 3);
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'event_start',
      'event_delta',
      'agent.message',
    ]);
    reading.close();
  });

  test('are only of the types asked for', async () => {
    const id = await aSession();
    const reading = await open(id, { event_deltas: ['agent.thinking'] });
    const span = await openSpan(id);
    const [thought, said] = [newId('event'), newId('event')];
    await say(id, thought, [start(thought, 'agent.thinking')]);
    await say(id, said, [start(said), delta(said, 'Hi')]);
    await reading.until((frames) => frames.length >= 2);
    await append(id, [{ id: thought, type: 'agent.thinking' }, reply('Hi', said), spanEnd(span)]);
    await reading.until((frames) => frames.some(({ type }) => type === 'span.model_request_end'));
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'span.model_request_start',
      'event_start',
      'agent.thinking',
      'agent.message',
      'span.model_request_end',
    ]);
    reading.close();
  });

  test('of a request that failed end with it: nothing of the abandoned event follows', async () => {
    const id = await aSession();
    const reading = await open(id, { event_deltas: ['agent.message'] });
    const span = await openSpan(id);
    const abandoned = newId('event');
    await say(id, abandoned, [start(abandoned), delta(abandoned, 'Hal')]);
    await reading.until((frames) => frames.length >= 3);
    await append(id, [spanEnd(span, true)]);
    await say(id, abandoned, [delta(abandoned, 'f')]);
    const again = await openSpan(id);
    const said = newId('event');
    await say(id, said, [start(said), delta(said, 'Whole')]);
    await append(id, [reply('Whole', said), spanEnd(again)]);
    await reading.until((frames) => logged(frames).length >= 5);
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'span.model_request_start',
      'event_start',
      'event_delta',
      'span.model_request_end',
      'span.model_request_start',
      'event_start',
      'event_delta',
      'agent.message',
      'span.model_request_end',
    ]);
    reading.close();
  });

  test('of the event that is being said when the stream opens are left out, those of the next are not', async () => {
    const id = await aSession();
    const span = await openSpan(id);
    const [half, next] = [newId('event'), newId('event')];
    await say(id, half, [start(half), delta(half, 'Ha')]);
    const reading = await open(id, { event_deltas: ['agent.message'] });
    await say(id, half, [delta(half, 'lf')]);
    await say(id, next, [start(next), delta(next, 'Next')]);
    await append(id, [reply('Half', half), reply('Next', next), spanEnd(span)]);
    await reading.until((frames) => logged(frames).length >= 3);
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'agent.message',
      'event_start',
      'event_delta',
      'agent.message',
      'span.model_request_end',
    ]);
    reading.close();
  });

  test('are asked for by a row that says until when somebody listens, before the stream is open', async () => {
    const id = await aSession();
    const reading = await open(id, { event_deltas: ['agent.message'] });
    const row = await door.ports.table.get(listenKey(primaryThreadId(id)));
    expect(Number(row?.['until_ms'])).toBeGreaterThan(Date.now() + 20_000);
    reading.close();
    const plain = await open(await aSession());
    plain.close();
  });
});

test('a frame has the id of a logged event, its type and one line of data', async () => {
  const id = await aSession();
  const response = await fetch(`${door.baseURL}/v1/sessions/${id}/events/stream`, {
    headers: { 'x-api-key': admin_key },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  const { data } = await sessions.events.send(id, { events: [message] });
  const [event] = await append(id, [reply('two\nlines')]);
  await sessions.delete(await aSession());
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes(`id: ${event}`)) break;
  }
  const frames = text
    .split('\n\n')
    .filter((frame) => frame.startsWith('id:') || frame.startsWith('event:'));
  expect(frames[0]).toBe(`event: user.message\ndata: ${JSON.stringify(data?.[0])}`);
  expect(frames[1]).toMatch(
    new RegExp(`^id: ${event}\nevent: agent.message\ndata: {.*two\\\\nlines.*}$`),
  );
});

test('50 streams on one process all get what is written to them, in order', async () => {
  const ids = await Promise.all(Array.from({ length: 50 }, async () => await aSession()));
  const readings = await Promise.all(ids.map(async (id) => await open(id)));
  await Promise.all(
    ids.map(async (id) => {
      for (let n = 0; n < 5; n++) await append(id, [reply(String(n))]);
    }),
  );
  for (const [index, reading] of readings.entries()) {
    await reading.until((frames) => frames.length >= 5);
    expect(reading.frames).toEqual(await collect(sessions.events.list(ids[index] ?? '')));
    reading.close();
  }
});
