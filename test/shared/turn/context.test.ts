import { expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { LoggedEvent } from '#shared/events/event.ts';
import { Context, type ContextCache } from '#shared/turn/context.ts';
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
