/**
 * What a stream gives, compared with what the list gives; every frame is held against the SDK's types.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { primaryThreadId } from '#shared/core/id.ts';
import type { StreamEvent } from '#shared/events/frame.ts';
import { threadKey } from '#shared/threads/thread.ts';
import { terminate } from '#shared/turn/settle.ts';
import { admin_key, collect } from '../api/door.ts';
import {
  append,
  endTurn,
  headOf,
  idsOf,
  logged,
  message,
  open,
  reply,
  run,
  startStreamRig,
  type StreamRig,
} from './rig.ts';

let rig: StreamRig;
beforeAll(async () => {
  rig = await startStreamRig();
});
afterAll(async () => await rig.door.stop());

describe('nothing is missed and nothing comes twice', () => {
  test('an event that is sent after the stream opened is seen, also the first one', async () => {
    for (let n = 0; n < 10; n++) {
      const id = await rig.aSession();
      const reading = await open(rig, id);
      const sent = await rig.sessions.events.send(id, { events: [message] });
      await reading.until((frames) => frames.length > 0);
      expect(idsOf(reading.frames)).toEqual(sent.data?.map((event) => event.id));
      reading.close();
    }
  });

  test('under 200 appends of 1 to 3 events while it is read, it gives what the list gives', async () => {
    const id = await rig.aSession();
    await append(rig, id, [reply('before')]);
    const reading = await open(rig, id);
    let written = 1;
    for (let n = 0; n < 200; n++) {
      const events = Array.from({ length: 1 + (n % 3) }, (_, k) => reply(`${n}.${k}`));
      await append(rig, id, events);
      written += events.length;
      if (n % 20 === 0) await sleep(Math.random() * 40);
    }
    await reading.until((frames) => frames.length >= written - 1);
    const listed = await collect(rig.sessions.events.list(id));
    expect(listed.length).toBe(written);
    expect(reading.frames).toEqual(listed.slice(1));
    reading.close();
  });

  test('Last-Event-ID replays from any position, exactly what followed', async () => {
    const id = await rig.aSession();
    for (const size of [1, 3, 1, 2]) {
      await append(
        rig,
        id,
        Array.from({ length: size }, () => reply('x')),
      );
    }
    const all = idsOf(await collect(rig.sessions.events.list(id)));
    for (const [index, last] of all.entries()) {
      const reading = await open(rig, id, {}, { 'last-event-id': last });
      const [later = ''] = await append(rig, id, [reply('after')]);
      await reading.until((frames) => idsOf(frames).includes(later));
      const expected = [
        ...all.slice(index + 1),
        ...idsOf(await collect(rig.sessions.events.list(id))).slice(all.length),
      ];
      expect(idsOf(reading.frames)).toEqual(expected);
      reading.close();
    }
  });

  test('a reader that is cut and comes back with Last-Event-ID has everything once', async () => {
    const id = await rig.aSession();
    const seen: StreamEvent[] = [];
    let reading = await open(rig, id);
    const writing = (async () => {
      for (let n = 0; n < 60; n++) {
        await append(rig, id, [reply(String(n))]);
        await sleep(5);
      }
    })();
    while (seen.length < 60) {
      await reading.until((frames) => frames.length >= Math.min(7, 60 - seen.length));
      reading.close();
      await reading.ended.catch(() => undefined);
      seen.push(...reading.frames);
      const last = idsOf(seen).at(-1) ?? '';
      if (seen.length < 60) reading = await open(rig, id, {}, { 'last-event-id': last });
    }
    await writing;
    expect(seen).toEqual(await collect(rig.sessions.events.list(id)));
  });

  test('what waits is shown without a time when it is accepted, and with one when it is taken', async () => {
    const id = await rig.aSession();
    const reading = await open(rig, id);
    const { data } = await rig.sessions.events.send(id, { events: [message, message] });
    await reading.until((frames) => frames.length === 2);
    expect(reading.frames).toEqual(data);
    expect(reading.frames.map((frame) => 'processed_at' in frame && frame.processed_at)).toEqual([
      null,
      null,
    ]);
    await endTurn(rig, id);
    await reading.until((frames) => frames.length === 7);
    expect(logged(reading.frames)).toEqual(await collect(rig.sessions.events.list(id)));
    expect(idsOf(reading.frames.slice(2, 4))).toEqual(idsOf(reading.frames.slice(0, 2)));
    reading.close();
  });

  test('what waited before the stream opened comes once, when it is taken', async () => {
    const id = await rig.aSession();
    const { data } = await rig.sessions.events.send(id, { events: [message] });
    const reading = await open(rig, id);
    await endTurn(rig, id);
    await reading.until((frames) => frames.length === 4);
    expect(idsOf(reading.frames).filter((one) => one === data?.[0]?.id).length).toBe(1);
    reading.close();
  });

  test('a large event comes whole, from the bucket', async () => {
    const id = await rig.aSession();
    const reading = await open(rig, id);
    await append(rig, id, [reply('x'.repeat(300_000))]);
    await reading.until((frames) => frames.length === 1);
    expect(reading.frames).toEqual(await collect(rig.sessions.events.list(id)));
    reading.close();
  });

  test('the stream of the primary thread says the same', async () => {
    const id = await rig.aSession();
    const stream = await rig.sessions.threads.events.stream(primaryThreadId(id), {
      session_id: id,
    });
    const [written] = await append(rig, id, [reply('x')]);
    for await (const frame of stream) {
      expect(frame).toMatchObject({ id: written, type: 'agent.message' });
      break;
    }
  });
});

describe('its end', () => {
  test('a deleted session says so and ends', async () => {
    const id = await rig.aSession();
    await append(rig, id, [reply('x')]);
    const reading = await open(rig, id);
    await rig.sessions.delete(id);
    await reading.ended;
    expect(reading.frames).toMatchObject([{ type: 'session.deleted' }]);
  });

  test('a session that is deleted with all its rows before the stream looked says so too', async () => {
    const id = await rig.aSession();
    const reading = await open(rig, id);
    const { table } = rig.door.ports;
    for (const pk of [`SESSION#${id}`, `THREAD#${primaryThreadId(id)}`]) {
      await table.deleteMany((await table.query({ pk, from: ' ', to: '~' })).rows);
    }
    await reading.ended;
    expect(reading.frames).toMatchObject([{ type: 'session.deleted' }]);
  });

  test('a session that terminates ends the stream after it has said so', async () => {
    const id = await rig.aSession();
    const reading = await open(rig, id);
    await append(
      rig,
      id,
      terminate(await headOf(rig, id), new Date()).lines.map(({ event }) => event),
      { status: 'terminated' },
    );
    await reading.ended;
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'session.thread_status_terminated',
      'session.status_terminated',
    ]);
  });

  test('an archived session opens and ends at once, or replays what is asked for and ends', async () => {
    const id = await rig.aSession();
    const [first = ''] = await append(rig, id, [reply('a'), reply('b')]);
    await rig.sessions.archive(id);
    const reading = await open(rig, id);
    await reading.ended;
    expect(reading.frames).toEqual([]);
    const replay = await open(rig, id, {}, { 'last-event-id': first });
    await replay.ended;
    expect(replay.frames).toEqual((await collect(rig.sessions.events.list(id))).slice(1));
  });

  test('a reader that leaves is no longer looked for', async () => {
    const id = await rig.aSession();
    const { table } = rig.door.ports;
    const wanted = threadKey(primaryThreadId(id)).pk;
    let looks = 0;
    const getMany = table.getMany.bind(table);
    table.getMany = async (keys, options) => {
      looks += keys.filter(({ pk, sk }) => pk === wanted && sk === 'HEAD').length;
      return await getMany(keys, options);
    };
    const reading = await open(rig, id);
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

describe('its time', () => {
  test('it ends before the function would be killed', async () => {
    const running = await run(rig, await rig.aSession(), limits.stream_reserve_ms + 200);
    await running.ended;
    expect(running.out.writableEnded).toBe(true);
    expect(running.text()).toBe(': open\n\n');
  });

  test('when nothing was written for a while it says that it is there', async () => {
    const now = performance.now.bind(performance);
    const running = await run(rig, await rig.aSession(), 60_000);
    while (running.text() === '') await sleep(5);
    const spy = vi
      .spyOn(performance, 'now')
      .mockImplementation(() => now() + limits.stream_ping_ms);
    await expect.poll(running.text).toBe(': open\n\n: ping\n\n');
    spy.mockRestore();
    running.out.destroy();
    await running.ended;
  });
});

describe('it is refused before the first byte, as an ordinary answer', () => {
  test.each([
    [
      'an unknown session',
      async () => await rig.sessions.events.stream('sesn_00000000000000000000000000'),
      /404/,
    ],
    ['an id of no form', async () => await rig.sessions.events.stream('nonsense'), /404/],
    [
      'an unknown event',
      async () =>
        await open(
          rig,
          await rig.aSession(),
          {},
          { 'last-event-id': 'sevt_00000000000000000000000000' },
        ),
      /400.*Last-Event-ID/,
    ],
    [
      'a delta of another type',
      async () =>
        await open(rig, await rig.aSession(), {
          event_deltas: ['user.message' as 'agent.message'],
        }),
      /400.*event_deltas/,
    ],
    [
      '101 deltas',
      async () =>
        await open(rig, await rig.aSession(), {
          event_deltas: Array.from({ length: 101 }, () => 'agent.message' as const),
        }),
      /400.*too many/,
    ],
  ])('%s', async (_title, call, text) => {
    await expect(call()).rejects.toThrow(text);
  });

  test("another session's event", async () => {
    const [one, two] = [await rig.aSession(), await rig.aSession()];
    const [event = ''] = await append(rig, two, [reply('x')]);
    await expect(open(rig, one, {}, { 'last-event-id': event })).rejects.toThrow(/400/);
  });

  test('a wrong key, and a key that may not read', async () => {
    const id = await rig.aSession();
    const url = `${rig.door.baseURL}/v1/sessions/${id}/events/stream`;
    const wrong = await fetch(url, { headers: { 'x-api-key': 'wrong' } });
    expect(wrong.status).toBe(401);
    const made = await fetch(`${rig.door.baseURL}/v1/reverie/api_keys`, {
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

test('a frame has the id of a logged event, its type and one line of data', async () => {
  const id = await rig.aSession();
  const response = await fetch(`${rig.door.baseURL}/v1/sessions/${id}/events/stream`, {
    headers: { 'x-api-key': admin_key },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const { data } = await rig.sessions.events.send(id, { events: [message] });
  const [event] = await append(rig, id, [reply('two\nlines')]);
  await rig.sessions.delete(await rig.aSession());
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
  const ids = await Promise.all(Array.from({ length: 50 }, async () => await rig.aSession()));
  const readings = await Promise.all(ids.map(async (id) => await open(rig, id)));
  await Promise.all(
    ids.map(async (id) => {
      for (let n = 0; n < 5; n++) await append(rig, id, [reply(String(n))]);
    }),
  );
  for (const [index, reading] of readings.entries()) {
    await reading.until((frames) => frames.length >= 5);
    expect(reading.frames).toEqual(await collect(rig.sessions.events.list(ids[index] ?? '')));
    reading.close();
  }
});
