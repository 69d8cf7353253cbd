/**
 * What a running thread does next, decided from its head alone: every phase with every kind of
 * open call and queue. Whoever takes a thread over after a crash goes on by this table.
 */
import { expect, test } from 'vitest';
import type { OpenOutcome, Stage } from '#shared/outcomes/outcome.ts';
import { decide, type Action } from '#shared/turn/decide.ts';
import type { Member, OpenCall, Phase, Queued, ThreadStatus } from '#shared/threads/thread.ts';
import { aCall, aThread } from '../../samples.ts';

const message: Queued = { n: 1, id: 'sevt_m', type: 'user.message' };
const stop: Queued = { n: 2, id: 'sevt_i', type: 'user.interrupt' };

type Row = [phase: Phase, calls: OpenCall['state'][], queue: Queued[], action: Action];

const running: Row[] = [
  ['take', [], [], 'settle'],
  ['take', [], [message], 'take'],
  ['take', [], [message, stop], 'interrupt'],
  ['model', [], [], 'request'],
  ['model', [], [message], 'request'],
  ['model', [], [stop], 'interrupt'],
  ['tools', ['started'], [], 'run_calls'],
  ['tools', ['ready'], [], 'run_calls'],
  ['tools', ['denied'], [], 'run_calls'],
  ['tools', ['ask'], [], 'await'],
  ['tools', ['custom'], [], 'await'],
  ['tools', ['ask', 'answered'], [], 'await'],
  ['tools', ['ask', 'ready'], [], 'run_calls'],
  ['tools', ['custom', 'started'], [message], 'run_calls'],
  ['tools', ['ask'], [message], 'await'],
  ['tools', ['ask'], [stop], 'interrupt'],
  ['tools', ['answered', 'answered'], [], 'request'],
];

test.each(running)('a running thread in %s with calls %j and queue %j: %s', (...row) => {
  const [phase, states, queue, action] = row;
  const calls = states.map((state, n) => aCall(state, n));
  expect(decide(aThread({ status: 'running', phase, calls, queue }))).toBe(action);
});

test.each<ThreadStatus>(['idle', 'terminated'])(
  'a thread that is %s has nothing to do',
  (status) => {
    expect(decide(aThread({ status, phase: 'model', queue: [message, stop] }))).toBe('stop');
  },
);

const outcome: OpenOutcome = {
  outcome_id: 'outc_1',
  stage: 'work',
  iteration: 0,
  max_iterations: 3,
  evaluation_start_id: null,
};

const child: Member = {
  thread_id: 'sthr_c',
  agent_name: 'Worker',
  status: 'idle',
  stop_reason: null,
};

type OutcomeRow = [stage: Stage, phase: Phase, queue: Queued[], action: Action];

const outcomes: OutcomeRow[] = [
  ['pending', 'take', [], 'request'],
  ['pending', 'take', [message], 'take'],
  ['work', 'take', [], 'evaluate'],
  ['work', 'take', [message], 'take'],
  ['work', 'model', [], 'request'],
  ['grade', 'take', [], 'grade'],
  ['grade', 'take', [message], 'grade'],
  ['grade', 'take', [stop], 'interrupt'],
  ['acknowledge', 'model', [], 'request'],
  ['acknowledge', 'take', [], 'settle'],
  ['acknowledge', 'take', [message], 'take'],
];

test.each(outcomes)('with an outcome at %s, in %s with queue %j: %s', (...row) => {
  const [stage, phase, queue, action] = row;
  const head = aThread({ status: 'running', phase, queue, outcome: { ...outcome, stage } });
  expect(decide(head)).toBe(action);
});

test('a rescheduled thread goes on where it was', () => {
  expect(decide(aThread({ status: 'rescheduling', phase: 'model' }))).toBe('request');
});

test.each<[what: string, Member[], Action]>([
  ['is done', [{ ...child, stop_reason: { type: 'end_turn' } }], 'evaluate'],
  ['works', [{ ...child, status: 'running', stop_reason: null }], 'settle'],
  ['waits', [{ ...child, stop_reason: { type: 'requires_action', event_ids: ['e'] } }], 'settle'],
])('an outcome of which a child %s: %s', (_what, members, action) => {
  const team = { members, is_announced: true, running_since: null, sent_count: 1 };
  const head = aThread({ status: 'running', phase: 'take', outcome, team });
  expect(decide(head)).toBe(action);
});
