/** How a turn ends that an interrupt meets while it waits, or is about to wait, to try again. */
import { expect, test } from 'vitest';
import { ModelError } from '#shared/models/model-error.ts';
import type { Change } from '#shared/threads/change.ts';
import { noUsage, type ThreadHead } from '#shared/threads/thread.ts';
import { after } from '#shared/turn/change.ts';
import { endTurn, failRequest } from '#shared/turn/ending.ts';
import type { Turn } from '#shared/turn/turn.ts';
import { aThread } from '../../samples.ts';

const bill = { usage: noUsage as never, budget: null, is_used_up: false };
const stop = { reason: { type: 'end_turn' as const } };
const types = ({ lines }: Change) => lines.map(({ event }) => event.type);

test('behind an interrupt with a message the next turn is said to run before it is said to rest', () => {
  const turn = { bill: () => bill } as unknown as Turn;
  const queue = [{ n: 1, id: 'sevt_1', type: 'user.message' as const }];
  const head = aThread({ status: 'rescheduling', announced: false, queue });
  const ended = endTurn(turn, head, stop, { lines: [] });
  expect(types(ended)).toEqual([
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  expect(ended.session).toEqual({ status: 'running' });
  const again = endTurn(turn, after(head, ended), stop, { lines: [] });
  expect(types(again).slice(0, 3)).toEqual([
    'session.status_running',
    'session.thread_status_running',
    'session.thread_status_idle',
  ]);
});

test.each(['end_turn', 'refusal'] as const)(
  'a turn that ends with %s while another interrupt waits is ended by that one, and once',
  (type) => {
    const turn = { bill: () => bill } as unknown as Turn;
    const queue = [{ n: 1, id: 'sevt_1', type: 'user.interrupt' as const }];
    const parent_thread_id = 'sthr_1';
    const child = aThread({ status: 'running', announced: true, queue, parent_thread_id });
    const ended = endTurn(turn, child, { reason: { type } }, { lines: [] });
    expect(types(ended)).toEqual([]);
    expect(after(child, ended)).toMatchObject({ status: 'running', queue });
  },
);

test.each([
  ['waits', [], 'rescheduling', expect.any(Number)],
  ['waits for nothing that is to stop', ['user.interrupt' as const], 'running', undefined],
])('a request that fails %s', async (_what, queued, status, waits) => {
  const queue = queued.map((type) => ({ n: 1, id: 'sevt_1', type }));
  let head: ThreadHead = aThread({ status: 'running', announced: true, queue, lease_holder: 'e' });
  const turn = {
    get head() {
      return head;
    },
    ports: { random: () => 0.5 },
    writer: {
      append: async (change: (before: ThreadHead) => Change) => {
        head = after(head, change(head));
        return [];
      },
    },
  } as unknown as Turn;
  const error = new ModelError('Busy.', { kind: 'overloaded', retryable: true });
  expect(await failRequest(turn, error)).toEqual(waits);
  expect(head).toMatchObject({ status, lease_holder: status === 'running' ? 'e' : null });
});
