/**
 * What a request's events do, by the state of the session: which are queued, which take effect at
 * once, which start a run, and which are refused whole.
 */
import { describe, expect, test } from 'vitest';
import type { Plan, Standing } from '#shared/events/plan.ts';
import { planSend } from '#shared/events/send-plan.ts';
import type { SendEvent } from '#shared/events/params.ts';
import { callKey, type CallRow } from '#shared/sessions/session.ts';
import type { OpenCall } from '#shared/threads/thread.ts';
import { aCall, aSessionHead, aThread, SESSION_ID, THREAD_ID } from '../../samples.ts';

const NOW = new Date('2026-11-21T00:00:00.000Z');
const say = (text: string): SendEvent => ({
  type: 'user.message',
  content: [{ type: 'text', text }],
});
const rule = (text: string): SendEvent => ({
  type: 'system.message',
  content: [{ type: 'text', text }],
});
const stop: SendEvent = { type: 'user.interrupt' };
const allow = (n: number): SendEvent => ({
  type: 'user.tool_confirmation',
  tool_use_id: `sevt_${n}`,
  result: 'allow',
});
const deny = (n: number): SendEvent => ({
  type: 'user.tool_confirmation',
  tool_use_id: `sevt_${n}`,
  result: 'deny',
  deny_message: 'not today',
});
const result = (n: number): SendEvent => ({
  type: 'user.custom_tool_result',
  custom_tool_use_id: `sevt_${n}`,
});

function row(n: number, kind: CallRow['kind'], thread_id = THREAD_ID): [string, CallRow] {
  const event_id = `sevt_${n}`;
  const key = callKey(SESSION_ID, event_id);
  return [event_id, { ...key, event_id, thread_id, kind }];
}

function idle(calls: OpenCall[] = [], rows: [string, CallRow][] = []): Standing {
  const stop_reason =
    calls.length === 0
      ? { type: 'end_turn' as const }
      : { type: 'requires_action' as const, event_ids: calls.map(({ event_id }) => event_id) };
  return {
    head: aThread({ calls, stop_reason, phase: calls.length === 0 ? 'take' : 'tools' }),
    session: aSessionHead({ stop_reason }),
    calls: new Map(rows),
  };
}

const running: Standing = {
  head: aThread({ status: 'running', run: 3 }),
  session: aSessionHead({ status: 'running' }),
  calls: new Map(),
};

const types = (plan: Plan) => plan.lines.map(({ event }) => event.type);

describe('an idle session', () => {
  test('queues a message and starts the next run', () => {
    const plan = planSend(idle(), [say('hi')], NOW);
    expect(plan.queued.map(({ processed_at }) => processed_at)).toEqual([null]);
    expect(plan.run).toBe(1);
    expect(plan.patch).toMatchObject({ status: 'running', run: 1, announced: false });
    expect(plan.session).toMatchObject({ status: 'running', start: { run: 1 } });
  });

  test('hears an interrupt without effect on its status', () => {
    const plan = planSend(idle(), [stop], NOW);
    expect(types(plan)).toEqual(['user.interrupt']);
    expect(plan.run).toBeUndefined();
    expect(plan.session).toEqual({});
  });

  test('takes a system message alone into its history without a run', () => {
    const plan = planSend(idle(), [rule('be brief')], NOW);
    expect(types(plan)).toEqual(['system.message']);
    expect(plan.run).toBeUndefined();
  });

  test('queues a system message behind the message that it goes with', () => {
    const plan = planSend(idle(), [say('hi'), rule('be brief')], NOW);
    expect(plan.queued.map(({ type }) => type)).toEqual(['user.message', 'system.message']);
  });
});

describe('a running session', () => {
  test('queues messages and interrupts in their order and starts nothing', () => {
    const plan = planSend(running, [say('a'), stop, say('b')], NOW);
    expect(plan.queued.map(({ type }) => type)).toEqual([
      'user.message',
      'user.interrupt',
      'user.message',
    ]);
    expect(plan.run).toBeUndefined();
    expect(plan.session).toEqual({});
  });
});

describe('a session that waits to try again', () => {
  const waits = (patch = {}): Standing => ({
    ...running,
    head: aThread({ status: 'rescheduling', run: 3, lease_holder: null, ...patch }),
  });

  test('goes on at an interrupt as another run of the same turn, and not at a message', () => {
    const plan = planSend(waits({ running_since: NOW.toISOString() }), [stop], NOW);
    expect(plan.run).toBe(4);
    expect(plan.patch).toEqual({ calls: [], run: 4 });
    expect(plan.session).toEqual({ start: { run: 4 } });
    expect(planSend(waits(), [say('hi')], NOW).run).toBeUndefined();
  });

  test.each([
    ['a step is at work on it', { lease_holder: 'sesn_1-3' }],
    ['it is to stop already', { queue: [{ n: 1, id: 'sevt_1', type: 'user.interrupt' }] }],
  ])('goes on as it is where %s', (_what, patch) => {
    expect(planSend(waits(patch), [stop], NOW).run).toBeUndefined();
  });
});

describe('a session that waits for answers', () => {
  const two = () => idle([aCall('ask', 1), aCall('custom', 2)], [row(1, 'ask'), row(2, 'custom')]);

  test('says again what it waits for when one of two calls is answered', () => {
    const plan = planSend(two(), [allow(1)], NOW);
    expect(types(plan)).toEqual(['user.tool_confirmation', 'session.usage', 'session.status_idle']);
    expect(plan.lines.at(-1)?.event).toMatchObject({
      stop_reason: { type: 'requires_action', event_ids: ['sevt_2'] },
    });
    expect(plan.run).toBeUndefined();
  });

  test('runs on with the last answer', () => {
    const plan = planSend(two(), [deny(1), result(2)], NOW);
    expect(types(plan)).toEqual(['user.tool_confirmation', 'user.custom_tool_result']);
    expect(plan.run).toBe(1);
    expect(plan.patch.calls).toEqual([
      expect.objectContaining({ state: 'denied', deny_message: 'not today' }),
      expect.objectContaining({ state: 'answered' }),
    ]);
  });

  test('refuses a message, and names the calls', () => {
    expect(() => planSend(two(), [say('hi')], NOW)).toThrow(/sevt_1, sevt_2/);
  });

  test('closes its calls at an interrupt, and a message behind it starts anew', () => {
    const plan = planSend(two(), [stop, say('other')], NOW);
    expect(types(plan)).toEqual([
      'user.interrupt',
      'agent.tool_result',
      'agent.tool_result',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    expect(plan.patch).toMatchObject({ calls: [], phase: 'take' });
    expect(plan.run).toBe(1);
  });

  test('runs on at an interrupt with the messages that have waited behind its calls', () => {
    const { head, ...standing } = two();
    const queue = [{ n: 1, id: 'sevt_9', type: 'user.message' as const }];
    const plan = planSend({ ...standing, head: { ...head, queue } }, [stop], NOW);
    expect(types(plan).at(-1)).toBe('session.status_idle');
    expect(plan.run).toBe(1);
    expect(plan.session).toMatchObject({ status: 'running', start: { run: 1 } });
  });

  test.each([
    ['an unknown call', [allow(9)], /does not name a tool use that asks/],
    ['a custom call by a confirmation', [allow(2)], /does not name a tool use that asks/],
    ['a call that asks by a result', [result(1)], /does not name a custom tool use/],
  ])('refuses to answer %s', (_what, events, message) => {
    expect(() => planSend(two(), events, NOW)).toThrow(message);
  });

  test('accepts a second answer without effect', () => {
    for (const calls of [[], [aCall('ready')], [aCall('answered')]]) {
      const plan = planSend(idle(calls, [row(1, 'ask')]), [allow(1)], NOW);
      expect(plan.lines).toEqual([]);
      expect(plan.echoes).toEqual([expect.objectContaining({ type: 'void' })]);
    }
  });

  test('takes only the first of two answers in one request', () => {
    const plan = planSend(two(), [allow(1), deny(1)], NOW);
    expect(plan.patch.calls?.[0]).toMatchObject({ state: 'ready' });
    expect(types(plan).filter((type) => type === 'user.tool_confirmation')).toHaveLength(1);
  });
});

/** Children that wait for the results of their custom tools, each for its own. */
function withChildren(standing: Standing, ns: readonly number[]): Standing {
  const children = ns.map((n) =>
    aThread({
      thread_id: `sthr_${n}`,
      parent_thread_id: THREAD_ID,
      calls: [aCall('custom', n)],
      phase: 'tools',
      stop_reason: { type: 'requires_action', event_ids: [`sevt_${n}`] },
    }),
  );
  const members = children.map(({ thread_id, stop_reason }) => {
    return { thread_id, agent_name: 'Bob', status: 'idle' as const, stop_reason };
  });
  const team = { members, is_announced: false, running_since: null, sent_count: 0 };
  const rows = ns.map((n) => row(n, 'custom', `sthr_${n}`));
  return {
    ...standing,
    head: { ...standing.head, team },
    calls: new Map([...standing.calls, ...rows]),
    children: new Map(children.map((child) => [child.thread_id, child])),
  };
}

test('a system message behind the result of a child’s call is taken while another call waits', () => {
  const standing = withChildren(idle([aCall('custom', 1)], [row(1, 'custom')]), [2]);
  const plan = planSend(standing, [result(2), rule('be brief')], NOW);
  expect(types(plan).slice(0, 2)).toEqual(['user.custom_tool_result', 'system.message']);
  expect(plan.children.map(({ run }) => run)).toEqual([1]);
});

test('an interrupt behind what answered a child leaves it idle, whoever else waits', () => {
  const plan = planSend(withChildren(idle(), [2, 3]), [result(3), stop], NOW);
  expect(plan.children.map(({ run }) => run)).toEqual([undefined, undefined]);
  expect(plan.patch.team?.members.map(({ status }) => status)).toEqual(['idle', 'idle']);
});

describe('a session at its budget', () => {
  const stop_reason = { type: 'budget_reached' as const };
  const capped = { ...idle(), head: aThread({ stop_reason, phase: 'model' }) };

  test('refuses a message and names what it takes', () => {
    expect(() => planSend(capped, [say('hi')], NOW)).toThrow(/user\.tool_confirmation/);
  });

  test.each([
    ['before a request', []],
    ['with the answers that its calls have got', [aCall('answered')]],
  ])('drops an interrupt %s', (_, calls) => {
    const head = aThread({ stop_reason, phase: calls.length === 0 ? 'model' : 'tools', calls });
    const plan = planSend({ ...capped, head }, [stop], NOW);
    expect(plan.lines).toEqual([]);
    expect(plan.echoes).toEqual([expect.objectContaining({ type: 'void' })]);
  });
});

test('an interrupt leaves a child alone that rests at the budget with its answers', () => {
  const standing = withChildren(idle(), [2]);
  const calls = [{ ...aCall('custom', 2), state: 'answered' as const }];
  const asking = standing.children ?? new Map();
  const children = new Map([...asking].map(([id, child]) => [id, { ...child, calls }]));
  const plan = planSend({ ...standing, children }, [{ ...stop, session_thread_id: 'sthr_2' }], NOW);
  expect(plan.lines).toEqual([]);
  expect(plan.echoes).toEqual([expect.objectContaining({ type: 'void' })]);
});

test.each([
  ['archived', { archived_at: NOW.toISOString(), status: 'terminated' as const }],
  ['terminated', { status: 'terminated' as const }],
])('a session that is %s takes nothing', (word, patch) => {
  const standing = { ...idle(), session: aSessionHead(patch) };
  expect(() => planSend(standing, [stop], NOW)).toThrow(new RegExp(word));
});

test('one bad event refuses the whole request', () => {
  expect(() => planSend(idle(), [say('hi'), allow(9)], NOW)).toThrow(/sevt_9/);
});

test('a full inbox still takes an interrupt, and nothing else', () => {
  const queue = Array.from({ length: 200 }, (_, n) => ({
    n,
    id: `sevt_${n}`,
    type: 'user.message' as const,
  }));
  const full = { ...running, head: aThread({ status: 'running', queue }) };
  expect(planSend(full, [stop], NOW).queued).toHaveLength(1);
  expect(() => planSend(full, [say('more')], NOW)).toThrow(/at most 200/);
});

test('a thread that is terminated takes nothing, even when its session was read a moment earlier', () => {
  const standing = { ...idle(), head: aThread({ status: 'terminated' }) };
  expect(() => planSend(standing, [say('hi')], NOW)).toThrow(/terminated/);
});
