/**
 * A session's trace and the history of its files over HTTP. Method: the logs and rows of a coordinator
 * and a child are written as steps write them, and read through the typed client.
 */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { newId, newName, primaryThreadId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import type { NewEvent } from '#shared/events/event.ts';
import { SessionFiles } from '#shared/files/session-files.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import { admin_key } from '../api/door.ts';
import { append, endTurn, headOf, message, reply, startStreamRig, type StreamRig } from './rig.ts';

let rig: StreamRig;
let reverie: ReverieClient;
let files: SessionFiles;

beforeAll(async () => {
  rig = await startStreamRig();
  const { baseURL, ports } = rig.door;
  reverie = new ReverieClient(new Anthropic({ baseURL, apiKey: admin_key, maxRetries: 0 }));
  files = new SessionFiles({ ...ports, newName });
});
afterAll(async () => await rig.door.stop());

const usage = (input_tokens: number, output_tokens: number) => ({
  input_tokens,
  output_tokens,
  cache_read_input_tokens: 2,
  cache_creation_input_tokens: 1,
});

function request(input_tokens: number, is_error = false): NewEvent {
  const model_request_start_id = newId('event');
  const type = 'span.model_request_end';
  return {
    id: newId('event'),
    type,
    is_error,
    model_request_start_id,
    model_usage: usage(input_tokens, 5),
  };
}

function called(name: string, is_error: boolean, over: object = {}): NewEvent[] {
  const id = newId('event');
  return [
    { id, type: 'agent.tool_use', name, input: { command: 'x' }, ...over },
    { id: newId('event'), type: 'agent.tool_result', tool_use_id: id, is_error, content: [] },
  ];
}

const running = (session_thread_id: string, agent_name: string): NewEvent => ({
  id: newId('event'),
  type: 'session.thread_status_running',
  agent_name,
  session_thread_id,
});
const idle = (session_thread_id: string, agent_name: string): NewEvent => ({
  id: newId('event'),
  type: 'session.thread_status_idle',
  agent_name,
  session_thread_id,
  stop_reason: { type: 'end_turn' },
  stop_details: null,
});
const text = (words: string) => [{ type: 'text' as const, text: words }];

/** A child as a start writes it. */
async function aChild(session_id: string, log: (thread_id: string) => NewEvent[]): Promise<string> {
  const { ports } = rig.door;
  const primary = await headOf(rig, session_id);
  const thread_id = newId('thread');
  const head: ThreadHead = {
    ...primary,
    ...threadKey(thread_id),
    thread_id,
    agent_name: 'Writer',
    parent_thread_id: primary.thread_id,
    seq: 0,
    version: 0,
    usage: { ...primary.usage, input_tokens: 70, output_tokens: 10 },
  };
  const lines = log(thread_id).map((event) => ({ event }));
  const { head: next, writes } = await prepareAppend(ports, head, lines);
  const member = { pk: sessionKey(session_id).pk, sk: `T#${thread_id}`, thread_id };
  await ports.table.transact([{ put: next }, { put: member }, ...writes.slice(1)]);
  return thread_id;
}

async function aTeam(): Promise<{ id: string; lead: string; writer: string; created: string }> {
  const id = await rig.aSession();
  const lead = primaryThreadId(id);
  const created = newId('event');
  const words = `Write chapter one. ${'x'.repeat(limits.trace_text_chars_max)}`;
  const writer = await aChild(id, (own) => [
    {
      id: newId('event'),
      type: 'agent.thread_message_received',
      from_session_thread_id: lead,
      content: text(words),
    },
    running(own, 'Writer'),
    request(70),
    ...called('write', false),
    reply('Done.'),
    idle(own, 'Writer'),
  ]);
  await append(rig, id, [
    { ...message, id: newId('event') },
    running(lead, 'Ada'),
    request(100, true),
    request(100),
    ...called('bash', true),
    ...called('bash', false),
    {
      id: created,
      type: 'session.thread_created',
      agent_name: 'Writer',
      session_thread_id: writer,
      workflow_run_id: null,
    },
    {
      id: newId('event'),
      type: 'agent.thread_message_sent',
      to_session_thread_id: writer,
      to_agent_name: 'Writer',
      content: text(words),
    },
    running(writer, 'Writer'),
    // A copy of the child's call, as it stands where the client must answer it.
    {
      id: newId('event'),
      type: 'agent.tool_use',
      name: 'write',
      input: {},
      session_thread_id: writer,
    },
    idle(writer, 'Writer'),
    {
      id: newId('event'),
      type: 'agent.thread_message_received',
      from_session_thread_id: writer,
      from_agent_name: 'Writer',
      content: text('Done.'),
    },
    {
      id: newId('event'),
      type: 'span.outcome_evaluation_end',
      outcome_evaluation_start_id: newId('event'),
      outcome_id: newId('outcome'),
      iteration: 0,
      result: 'needs_revision',
      explanation: 'A chapter is missing.',
      usage: usage(1, 1),
    },
    idle(lead, 'Ada'),
  ]);
  return { id, lead, writer, created };
}

const put = async (id: string, path: string, words: string, thread_id: string) =>
  await files.write(id, path, Buffer.from(words), {
    workspace_id: 'wrkspc_1',
    written_by: { thread_id, event_id: newId('event') },
  });

test('a trace says who started whom and why, and what each did', async () => {
  const { id, lead, writer, created } = await aTeam();
  await put(id, '/workspace/plan', 'plan', lead);
  await put(id, '/workspace/plan', 'plan, changed', writer);
  const trace = await reverie.sessions.trace(id);
  expect(trace).toMatchObject({ type: 'session_trace', session_id: id, status: 'idle' });
  expect(trace.threads.map(({ thread_id }) => thread_id)).toEqual([lead, writer]);
  const [first, second] = trace.threads;
  expect(first).toMatchObject({
    parent_thread_id: null,
    started_by: null,
    agent_name: 'Ada',
    model_requests_count: 2,
    model_errors_count: 1,
    tools: [{ name: 'bash', type: 'built_in', calls_count: 2, errors_count: 1 }],
    turns_count: 1,
    turns: [
      {
        stop_reason: 'end_turn',
        model_requests_count: 2,
        model_errors_count: 1,
        input_tokens: 200,
        output_tokens: 10,
        cache_read_input_tokens: 4,
        cache_creation_input_tokens: 2,
        tool_calls_count: 2,
        tool_errors_count: 1,
      },
    ],
    messages: [
      { direction: 'sent', thread_id: writer, truncated: true },
      { direction: 'received', thread_id: writer, text: 'Done.', truncated: false },
    ],
    files: [{ path: '/workspace/plan', change: 'written', is_current: false, size_bytes: 4 }],
    verdicts: [{ result: 'needs_revision', explanation: 'A chapter is missing.', iteration: 0 }],
  });
  // A message of a user, and the child's report.
  expect(first?.turns[0]?.input_event_ids).toHaveLength(2);
  expect(second).toMatchObject({
    parent_thread_id: lead,
    agent_name: 'Writer',
    started_by: { thread_id: lead, event_id: created, message: { truncated: true } },
    usage: { input_tokens: 70, output_tokens: 10 },
    tools: [{ name: 'write', calls_count: 1, errors_count: 0 }],
    turns: [{ input_event_ids: [expect.any(String)], stop_reason: 'end_turn' }],
    files: [{ path: '/workspace/plan', is_current: true, size_bytes: 13 }],
    verdicts: [],
  });
  expect(second?.started_by?.message?.text).toMatch(/^Write chapter one\. x+$/);
  const only = await reverie.sessions.trace(id, { thread_id: writer });
  expect(only.threads).toEqual([second]);
});

test('a session of one thread, in the middle of its turn, has a trace of one', async () => {
  const id = await rig.aSession();
  expect((await reverie.sessions.trace(id)).threads).toMatchObject([{ turns: [], tools: [] }]);
  const lead = primaryThreadId(id);
  await append(rig, id, [running(lead, 'Ada'), request(3), ...called('read', false).slice(0, 1)]);
  const { threads } = await reverie.sessions.trace(id);
  expect(threads).toMatchObject([
    {
      turns: [{ ended_at: null, stop_reason: null, tool_calls_count: 1 }],
      tools: [{ errors_count: 0 }],
    },
  ]);
});

test('of a long thread the newest turns are shown and all are counted', async () => {
  const id = await rig.aSession();
  const lead = primaryThreadId(id);
  const turns = limits.trace_turns_max + 3;
  const pairs = Array.from({ length: turns }, () => [running(lead, 'Ada'), idle(lead, 'Ada')]);
  for (let n = 0; n < turns; n += 20) await append(rig, id, pairs.slice(n, n + 20).flat());
  const [thread] = (await reverie.sessions.trace(id)).threads;
  expect(thread?.turns).toHaveLength(limits.trace_turns_max);
  expect(thread?.turns_count).toBe(turns);
});

test('the history of a file names the thread and the agent of each version', async () => {
  const { id, lead, writer } = await aTeam();
  await put(id, '/workspace/f', 'a', lead);
  await put(id, '/workspace/f', 'bb', writer);
  const { data, next_page } = await reverie.sessions.fileHistory(id, 'f');
  expect(next_page).toBeNull();
  expect(data).toMatchObject([
    {
      type: 'file_version',
      path: '/workspace/f',
      written_by: { type: 'thread', thread_id: writer, agent_name: 'Writer' },
      size_bytes: 2,
      ended_by: null,
    },
    {
      written_by: { type: 'thread', thread_id: lead, agent_name: 'Ada' },
      ended_by: { type: 'thread', thread_id: writer, change: 'replaced' },
    },
  ]);
  await put(id, '/mnt/session/uploads/g', 'g', 'resource');
  const mounted = await reverie.sessions.fileHistory(id, '/mnt/session/uploads/g');
  expect(mounted.data).toMatchObject([{ written_by: { type: 'resource' } }]);
  expect((await reverie.sessions.fileHistory(id, '/workspace/none')).data).toEqual([]);
});

const refusals: [name: string, status: number, read: (id: string) => Promise<unknown>][] = [
  ['unknown session', 404, () => reverie.sessions.trace(newId('session'))],
  ['unknown thread', 404, (id) => reverie.sessions.trace(id, { thread_id: newId('thread') })],
  ['malformed thread', 404, (id) => reverie.sessions.trace(id, { thread_id: 'x' })],
  [
    'thread of another session',
    404,
    async (id) =>
      await reverie.sessions.trace(id, { thread_id: primaryThreadId(await rig.aSession()) }),
  ],
  [
    'unknown session with a path',
    404,
    () => reverie.sessions.fileHistory(newId('session'), '/tmp/f'),
  ],
  ['empty path', 400, (id) => reverie.sessions.fileHistory(id, '')],
  ['path of the platform', 400, (id) => reverie.sessions.fileHistory(id, '/etc/passwd')],
];

test.each(refusals)('of an %s it is refused with %i', async (_, status, read) => {
  const id = await rig.aSession();
  await expect(read(id)).rejects.toMatchObject({ status });
});

test('a log that ends too early breaks the answer instead of ending it', async () => {
  const id = await rig.aSession();
  await append(rig, id, [running(primaryThreadId(id), 'Ada')]);
  await endTurn(rig, id);
  const pk = `THREAD#${primaryThreadId(id)}`;
  const { rows } = await rig.door.ports.table.query({ pk, from: 'E#', to: 'E#~', reverse: true });
  await rig.door.ports.table.deleteMany(rows.slice(0, 1));
  await expect(reverie.sessions.trace(id)).rejects.toThrow('terminated');
});
