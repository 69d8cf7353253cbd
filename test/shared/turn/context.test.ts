import { expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { LoggedEvent } from '#shared/events/event.ts';
import { Context, type ContextCache } from '#shared/turn/context.ts';
import { carriedOf } from '#shared/turn/messages.ts';
import { aThread } from '../../samples.ts';

/** A thread's context after one message of `chars_count` characters. */
function read(cache: ContextCache, thread_id: string, chars_count: number): void {
  const context = Context.of(cache, aThread({ thread_id, seq: 1 }));
  const text = 'x'.repeat(chars_count);
  const event = { type: 'user.message', id: 'sevt_1', content: [{ type: 'text', text }] };
  context.take([{ seq: 1, event, hidden: {} } as unknown as LoggedEvent]);
  context.keep(cache);
}

test('conversations are kept by what they weigh, the newest first', () => {
  const cache: ContextCache = new Map();
  const half = Math.floor(limits.contexts_chars_max / 2);
  for (let n = 0; n < 100; n += 1) read(cache, `sthr_small_${n}`, 10);
  expect(cache.size).toBe(100);
  read(cache, 'sthr_a', half);
  read(cache, 'sthr_b', half);
  expect([...cache.keys()]).toEqual(['sthr_b']);
});

test('one conversation that is too heavy by itself is not kept', () => {
  const cache: ContextCache = new Map();
  read(cache, 'sthr_a', limits.contexts_chars_max);
  expect(cache.size).toBe(0);
});

/** What a child has told its parent, as the parent's log has it. */
function told(seq: number, text: string): LoggedEvent {
  const event = {
    type: 'agent.thread_message_received',
    id: `sevt_${seq}`,
    from_session_thread_id: 'sthr_child',
    from_agent_name: 'Bob',
    content: [{ type: 'text', text }],
  };
  return { seq, event, hidden: {} } as unknown as LoggedEvent;
}

test('what no summary has seen is in the next request, also where others wrote while it was made', () => {
  const outcome = {
    type: 'user.define_outcome',
    id: 'sevt_1',
    description: 'Count',
    rubric: { type: 'text', content: 'counted' },
  };
  const warm = Context.of(new Map(), aThread({ seq: 2 }));
  warm.take([{ seq: 1, event: outcome, hidden: {} } as unknown as LoggedEvent, told(2, 'early')]);
  const carried = carriedOf(warm.conversation);
  const context_from = warm.restart();
  expect(context_from).toBe(3);
  const event = { type: 'agent.thread_context_compacted', id: 'sevt_4' };
  const start = { type: 'span.model_request_start', id: 'sevt_5' };
  const rest = [
    told(3, 'meanwhile'),
    { seq: 4, event, hidden: { summary: 'so far', carried } },
    { seq: 5, event: start, hidden: {} },
  ] as unknown as LoggedEvent[];
  warm.take(rest);
  const cold = Context.of(new Map(), aThread({ seq: 5, context_from }));
  cold.take(rest);
  expect(cold.conversation).toEqual(warm.conversation);
  const texts = cold.conversation.messages.flatMap(({ content }) =>
    (content as { text: string }[]).map(({ text }) => text),
  );
  expect(texts).toEqual([
    expect.stringContaining('so far'),
    expect.stringContaining('<outcome>\nCount\n'),
    expect.stringContaining('Bob'),
    'early',
    expect.stringContaining('Bob'),
    'meanwhile',
  ]);
});
