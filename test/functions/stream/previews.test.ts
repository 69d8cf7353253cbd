/**
 * Previews: best effort by contract, so what is tested is their order and what must never be said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId, primaryThreadId } from '#shared/core/id.ts';
import type { NewEvent } from '#shared/events/event.ts';
import { listenKey, padded } from '#shared/threads/thread.ts';
import type { DeltaFrame } from '#shared/turn/deltas.ts';
import { append, logged, open, reply, startStreamRig, type StreamRig } from './rig.ts';

let rig: StreamRig;
beforeAll(async () => {
  rig = await startStreamRig();
});
afterAll(async () => await rig.door.stop());

describe('previews', () => {
  let n = 0;

  async function say(session_id: string, event_id: string, frames: readonly DeltaFrame[]) {
    n += 1;
    const thread_id = primaryThreadId(session_id);
    const sk = `D#${event_id}#${padded(n)}`;
    await rig.door.ports.table.transact([{ put: { pk: `THREAD#${thread_id}`, sk, frames } }]);
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
    await append(rig, session_id, [{ id, type: 'span.model_request_start' }], {
      status: 'running',
      open_span: id,
    });
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
    const id = await rig.aSession();
    const reading = await open(rig, id, { event_deltas: [...both.event_deltas] });
    const span = await openSpan(id);
    const [thought, said] = [newId('event'), newId('event')];
    await say(id, thought, [start(thought, 'agent.thinking')]);
    await say(id, said, [start(said), delta(said, 'He')]);
    await reading.until((frames) => frames.length >= 4);
    await say(id, said, [delta(said, 'llo')]);
    await append(
      rig,
      id,
      [{ id: thought, type: 'agent.thinking' }, reply('Hello', said), spanEnd(span)],
      { open_span: null },
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
    const id = await rig.aSession();
    const reading = await open(rig, id, { event_deltas: ['agent.message'] });
    const said = newId('event');
    await say(id, said, [start(said), delta(said, 'Hi')]);
    await append(rig, id, [reply('Hi', said)]);
    await reading.until((frames) => frames.length === 3);
    expect(reading.frames.map(({ type }) => type)).toEqual([
      'event_start',
      'event_delta',
      'agent.message',
    ]);
    reading.close();
  });

  test('are only of the types asked for', async () => {
    const id = await rig.aSession();
    const reading = await open(rig, id, { event_deltas: ['agent.thinking'] });
    const span = await openSpan(id);
    const [thought, said] = [newId('event'), newId('event')];
    await say(id, thought, [start(thought, 'agent.thinking')]);
    await say(id, said, [start(said), delta(said, 'Hi')]);
    await reading.until((frames) => frames.length >= 2);
    await append(rig, id, [
      { id: thought, type: 'agent.thinking' },
      reply('Hi', said),
      spanEnd(span),
    ]);
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
    const id = await rig.aSession();
    const reading = await open(rig, id, { event_deltas: ['agent.message'] });
    const span = await openSpan(id);
    const abandoned = newId('event');
    await say(id, abandoned, [start(abandoned), delta(abandoned, 'Hal')]);
    await reading.until((frames) => frames.length >= 3);
    await append(rig, id, [spanEnd(span, true)]);
    await say(id, abandoned, [delta(abandoned, 'f')]);
    const again = await openSpan(id);
    const said = newId('event');
    await say(id, said, [start(said), delta(said, 'Whole')]);
    await append(rig, id, [reply('Whole', said), spanEnd(again)]);
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
    const id = await rig.aSession();
    const span = await openSpan(id);
    const [half, next] = [newId('event'), newId('event')];
    await say(id, half, [start(half), delta(half, 'Ha')]);
    const reading = await open(rig, id, { event_deltas: ['agent.message'] });
    await say(id, half, [delta(half, 'lf')]);
    await say(id, next, [start(next), delta(next, 'Next')]);
    await append(rig, id, [reply('Half', half)]);
    // A look that found the whole of it in the log would have no use for its deltas.
    await reading.until((frames) => frames.some(({ type }) => type === 'event_delta'));
    await append(rig, id, [reply('Next', next), spanEnd(span)]);
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
    const id = await rig.aSession();
    const reading = await open(rig, id, { event_deltas: ['agent.message'] });
    const row = await rig.door.ports.table.get(listenKey(primaryThreadId(id)));
    expect(Number(row?.['until_ms'])).toBeGreaterThan(Date.now() + 20_000);
    reading.close();
    const plain = await open(rig, await rig.aSession());
    plain.close();
  });
});
