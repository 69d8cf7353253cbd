/**
 * Goal: what judges chaos sees each kind of damage. Method: the log of one whole session with a child,
 * which has no fault; then one thing is broken at a time, and the fault must be named.
 */
import { expect, test } from 'vitest';
import type { Event } from '../rig.ts';
import { faultsOf } from './oracle.ts';
import type { SessionRecord } from './record.ts';
import type { Frame } from './steady-stream.ts';

const P = 'sthr_primary';
const C = 'sthr_child';
const FILE = '/mnt/session/outputs/main.log';

let seconds = 0;
/** An event at its own second; ids are what a test calls them. */
function event(id: string, type: string, more: object = {}): Event {
  const processed_at = new Date(Date.UTC(2026, 10, 28) + (seconds += 1) * 1_000).toISOString();
  return { id, type, processed_at, ...more } as unknown as Event;
}

const tokens = (input_tokens: number, output_tokens: number) => ({
  input_tokens,
  output_tokens,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
});
const status = (id: string, what: string, session_thread_id = P, reason = 'end_turn') =>
  event(id, `session.thread_status_${what}`, {
    session_thread_id,
    ...(what === 'idle' ? { stop_reason: { type: reason } } : {}),
  });
const spanEnd = (id: string, model_request_start_id: string) =>
  event(id, 'span.model_request_end', { model_request_start_id, model_usage: tokens(10, 3) });

function streamOf(log: readonly Event[]) {
  const ids = log.map(({ id }) => id);
  return { given: ids, expected: ids, openings: [] };
}

function whole(): SessionRecord {
  seconds = 0;
  const asked = { name: 'lookup', input: {} };
  const content = [{ type: 'text', text: 'done' }];
  const log = [
    event('m1', 'user.message'),
    event('run', 'session.status_running'),
    status('p-run', 'running'),
    event('s1', 'span.model_request_start'),
    event('t1', 'agent.tool_use', {
      name: 'bash',
      input: { command: `echo 'one' >> ${FILE}` },
      evaluated_permission: 'ask',
    }),
    spanEnd('e1', 's1'),
    event('yes', 'user.tool_confirmation', { tool_use_id: 't1', result: 'allow' }),
    event('r1', 'agent.tool_result', { tool_use_id: 't1', is_error: false }),
    event('made', 'session.thread_created', { session_thread_id: C }),
    status('c-run', 'running', C),
    event('q1', 'agent.custom_tool_use', { ...asked, session_thread_id: C }),
    event('a1', 'user.custom_tool_result', { custom_tool_use_id: 'q1', session_thread_id: C }),
    status('c-idle', 'idle', C),
    event('got', 'agent.thread_message_received', { from_session_thread_id: C, content }),
    event('o1', 'user.define_outcome', { outcome_id: 'outc_1' }),
    event('g1', 'span.outcome_evaluation_start'),
    event('g2', 'span.outcome_evaluation_end', {
      outcome_id: 'outc_1',
      outcome_evaluation_start_id: 'g1',
      iteration: 0,
      result: 'satisfied',
      usage: tokens(5, 1),
    }),
    status('p-idle', 'idle'),
    event('bill', 'session.usage'),
    event('idle', 'session.status_idle', { stop_reason: { type: 'end_turn' } }),
  ];
  const own = [
    status('k-run', 'running', C),
    event('ks', 'span.model_request_start'),
    event('q1', 'agent.custom_tool_use', asked),
    spanEnd('ke', 'ks'),
    event('ka', 'user.custom_tool_result', { custom_tool_use_id: 'q1' }),
    event('sent', 'agent.thread_message_sent', { to_session_thread_id: P, content }),
    status('k-idle', 'idle', C),
  ];
  return {
    session: {
      status: 'idle',
      archived_at: null,
      usage: { input_tokens: 25, output_tokens: 7 },
      outcome_evaluations: [{ outcome_id: 'outc_1', result: 'satisfied' }],
    } as unknown as SessionRecord['session'],
    primary_id: P,
    log,
    children: [
      {
        thread: { id: C, status: 'idle', archived_at: null } as never,
        log: own,
      },
    ],
    sent: log.filter(({ type }) => type.startsWith('user.')),
    refused: [],
    planned: [{ line: 'one', file: FILE }],
    texts: new Map([[FILE, 'one\n']]),
    streamed: streamOf(log),
  };
}

const without = (log: readonly Event[], id: string): Event[] => log.filter((one) => one.id !== id);
/** The session's log without an event, as its stream would be, too. */
function lost(record: SessionRecord, id: string): SessionRecord {
  const log = without(record.log, id);
  return { ...record, log, streamed: streamOf(log) };
}
function doubled(record: SessionRecord, id: string, more: object = {}): SessionRecord {
  const log = record.log.flatMap((one) =>
    one.id === id ? [one, { ...one, id: `${id}-again`, ...more } as Event] : [one],
  );
  return { ...record, log, streamed: streamOf(log) };
}
function ofChild(record: SessionRecord, change: (log: readonly Event[]) => Event[]): SessionRecord {
  const children = record.children.map((child) => ({ ...child, log: change(child.log) }));
  return { ...record, children };
}

function refused(record: SessionRecord, code: number, reason?: string): SessionRecord {
  const error = { type: 'invalid_request_error', message: 'No.' };
  const body = reason ?? { type: 'error', error, request_id: 'req_1' };
  return { ...record, refused: [{ what: 'send', status: code, body }] };
}

test('a whole session has no fault', () => {
  expect(faultsOf(whole())).toEqual([]);
});

test('what is refused with its reason is no fault', () => {
  expect(faultsOf(refused(whole(), 400))).toEqual([]);
});

test('an interrupt may be dropped at a budget, and at no other rest', () => {
  const record = whole();
  const sent = [...record.sent, event('i9', 'user.interrupt')];
  expect(faultsOf({ ...record, sent })).toEqual([
    expect.stringMatching(/i9 was accepted and stands 0 times/),
  ]);
  const reason = { type: 'budget_reached' } as const;
  const log = record.log.map((event) =>
    event.type === 'session.status_idle' ? { ...event, stop_reason: reason } : event,
  );
  const faults = faultsOf({ ...record, sent, log });
  expect(faults.filter((fault) => fault.includes('i9'))).toEqual([]);
});

test.each([
  ['asks', 'requires_action', []],
  ['has ended', 'end_turn', [`${C}: idle follows idle`]],
])('a child that %s is said to rest again: %s', (_, reason, expected) => {
  const first = status('first', 'idle', C, reason);
  const twice = (log: readonly Event[]): Event[] =>
    log.flatMap((one) =>
      /^[ck]-idle$/.test(one.id) ? [{ ...first, id: `${one.id}-1` }, one] : [one],
    );
  const record = ofChild(whole(), twice);
  const log = twice(record.log);
  const faults = faultsOf({ ...record, log, streamed: streamOf(log) });
  expect(faults.filter((fault) => fault.includes('follows'))).toEqual(expected);
});

test('an answer may be accepted without effect where another one stands, and nowhere else', () => {
  const record = whole();
  const late = event('late', 'user.tool_confirmation', { tool_use_id: 't1' });
  expect(faultsOf({ ...record, sent: [...record.sent, late] })).toEqual([]);
  const only = record.sent.map((one) => (one.id === 'yes' ? late : one));
  const log = without(record.log, 'yes');
  expect(faultsOf({ ...record, sent: only, log })).toContainEqual(
    expect.stringMatching(/late was accepted and stands 0 times/),
  );
});

/** Frames of a stream that has shown the beginning of what was said. */
const begin = { type: 'event_start', event: { type: 'agent.message', id: 'said' } } as const;
const goOn = (text: string, index = 0) =>
  ({
    type: 'event_delta',
    event_id: 'said',
    delta: { type: 'content_delta', index, content: { type: 'text', text } },
  }) as const;
const said = event('said', 'agent.message', { content: [{ type: 'text', text: 'Good day' }] });
function shown(record: SessionRecord, ...frames: readonly (Event | Frame)[]): SessionRecord {
  return { ...record, streamed: { ...streamOf(record.log), openings: [frames as Frame[]] } };
}

test('a preview that is not whole, or not of every event, is none of the faults', () => {
  const other = event('other', 'agent.message');
  expect(faultsOf(shown(whole(), begin, goOn('Goo'), goOn('d d'), said, other))).toEqual([]);
  expect(faultsOf(shown(whole(), begin, goOn('Go'), spanEnd('end', 's1')))).toEqual([]);
});

/** Another turn that hears of an interrupt alone, and what stands behind it. */
function withTurn(record: SessionRecord, behind: readonly string[] = []): SessionRecord {
  const turn = [
    event('run2', 'session.status_running'),
    status('again', 'running'),
    event('stop', 'user.interrupt'),
    status('p-idle2', 'idle'),
    event('bill2', 'session.usage'),
    event('idle2', 'session.status_idle', { stop_reason: { type: 'end_turn' } }),
    ...behind.map((type) => event('behind', type)),
  ];
  const log = [...record.log, ...turn];
  const sent = log.filter(({ type }) => type.startsWith('user.'));
  return { ...record, log, sent, streamed: streamOf(log) };
}

test('an interrupt may be all that a turn hears of where its message waits behind it', () => {
  expect(faultsOf(withTurn(whole(), ['user.message']))).toEqual([]);
});

const damages: [what: string, damage: (record: SessionRecord) => SessionRecord, fault: RegExp][] = [
  ['an id twice', (r) => doubled(r, 'r1', { id: 'r1' }), /r1 stands twice/],
  ['a message lost', (r) => lost(r, 'm1'), /m1 was accepted and stands 0 times/],
  [
    'a rule that nobody gave',
    (r) => ({ ...r, log: [event('rule', 'system.message'), ...r.log] }),
    /system.message rule was never accepted/,
  ],
  ['a rest without its bill', (r) => lost(r, 'bill'), /idle rests without a bill before it/],
  ['a request of a thread that rests', (r) => lost(r, 'p-run'), /sthr_primary asks its model/],
  [
    'a request of a child that rests',
    (r) => ofChild(r, (log) => without(log, 'k-run')),
    /sthr_child asks its model \(ks\) while it is not yet begun/,
  ],
  [
    'a turn that nothing was begun for',
    (r) => withTurn(r),
    /sthr_primary runs \(again\) for nothing/,
  ],
  [
    'a terminated session',
    (r) => ({ ...r, session: { ...r.session, status: 'terminated' } }),
    /the session is terminated for ever/,
  ],
  ['an error of the server', (r) => refused(r, 500), /send was answered with 500/],
  ['a refusal without its reason', (r) => refused(r, 400, 'no'), /send was answered with 400 "no"/],
  ['a preview twice', (r) => shown(r, begin, begin), /preview of said begins twice/],
  ['a preview out of nowhere', (r) => shown(r, goOn('Good')), /goes on and has not begun/],
  [
    'a preview behind the whole event',
    (r) => shown(r, begin, goOn('Good'), said, goOn(' day')),
    /goes on behind its end/,
  ],
  [
    'a preview behind the end of its request',
    (r) => shown(r, begin, spanEnd('end', 's1'), goOn('Good')),
    /goes on behind its end/,
  ],
  ['a preview with a gap', (r) => shown(r, begin, goOn('Good', 1)), /leaves a gap before 1/],
  [
    'a preview of something else',
    (r) => shown(r, begin, goOn('Bad'), said),
    /said does not begin as its preview did/,
  ],
  ['a message that nobody sent', (r) => doubled(r, 'm1'), /m1-again was never accepted/],
  ['a result lost', (r) => lost(r, 'r1'), /t1 has no result/],
  ['a result twice', (r) => doubled(r, 'r1'), /t1 has 2 results/],
  ['a confirmation lost', (r) => lost(r, 'yes'), /t1 has run and was not allowed/],
  ['a span without its end', (r) => lost(r, 'e1'), /span s1 has no end/],
  ['a span with two ends', (r) => doubled(r, 'e1'), /ends no span/],
  ['an idle lost', (r) => lost(r, 'idle'), /the session is idle, its log says running/],
  ['an idle twice', (r) => doubled(r, 'idle'), /session: idle follows idle/],
  ['an evaluation without its end', (r) => lost(r, 'g2'), /evaluation g1 has 0 ends/],
  ['a verdict twice', (r) => doubled(r, 'g2'), /evaluation g1 has 2 ends/],
  ['a report lost on the way', (r) => lost(r, 'got'), /reports of sthr_child: 1 sent, 0 got/],
  ['a report twice', (r) => doubled(r, 'got'), /reports of sthr_child: 1 sent, 2 got/],
  ['a question that is not shown', (r) => lost(r, 'q1'), /questions of sthr_child: 1 sent, 0 got/],
  ['a child nobody was told of', (r) => lost(r, 'made'), /sthr_child was created 0 times/],
  ['a status of a child lost', (r) => lost(r, 'c-idle'), /of it is told running/],
  [
    'a rest of a child lost',
    (r) => ofChild(r, (log) => without(log, 'k-idle')),
    /its log says run/,
  ],
  [
    'a running session',
    (r) => ({ ...r, session: { ...r.session, status: 'running' } }),
    /the session is running for ever/,
  ],
  [
    'tokens charged twice',
    (r) => ({
      ...r,
      log: without(r.log, 'o1'),
      session: { ...r.session, usage: { input_tokens: 35 } },
    }),
    /the session used 35 and 0 tokens/,
  ],
  [
    'an outcome shown otherwise',
    (r) => ({ ...r, session: { ...r.session, outcome_evaluations: [] } }),
    /outcome outc_1 is shown 0 times/,
  ],
  ['a line lost', (r) => ({ ...r, texts: new Map() }), /one stands 0 times/],
  ['a line twice', (r) => ({ ...r, texts: new Map([[FILE, 'one\none\n']]) }), /one stands 2 times/],
  [
    'a stream that lost one',
    (r) => ({
      ...r,
      streamed: { ...streamOf(r.log), given: r.log.slice(1).map(({ id }) => id) },
    }),
    /the stream gave 19 of 20 events: lost 0, doubled none/,
  ],
  [
    'times out of order',
    (r) => ({ ...r, log: [...r.log.slice(0, 1), ...r.log.slice(1).toReversed()] }),
    /is older than what is before it/,
  ],
  [
    'an event that still waits',
    (r) => ({ ...r, log: r.log.map((one) => ({ ...one, processed_at: null }) as Event) }),
    /m1 was never processed/,
  ],
];

test.each(damages)('%s is seen', (_, damage, fault) => {
  expect(faultsOf(damage(whole())).join('\n')).toMatch(fault);
});
