/**
 * What a turn writes, in order, seen through the official SDK with every answer held against its
 * types. The model is scripted; everything else is what deploys.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelRequest } from '../../model/model.ts';
import {
  call,
  calls,
  costing,
  refuse,
  reply,
  say,
  slowly,
  stall,
  think,
} from '../../model/replies.ts';
import { all, message, only, startRig, typesOf, type Rig } from '../../rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

test('a plain turn is written in the documented order', async () => {
  rig.model.on('plain', reply(think('hm'), say('Hello.')));
  const id = await rig.session();
  const [sent] = await rig.send(id, message('plain'));
  expect(sent).toMatchObject({ type: 'user.message', processed_at: null });
  const events = await rig.rested(id);
  expect(typesOf(events)).toEqual([
    'user.message',
    'session.status_running',
    'session.thread_status_running',
    'span.model_request_start',
    'agent.thinking',
    'agent.message',
    'span.model_request_end',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  expect(events[0]?.id).toBe(sent?.id);
  const times = events.map(({ processed_at }) => processed_at ?? '');
  expect(times).toEqual(times.toSorted());
  const session = await rig.client.beta.sessions.retrieve(id);
  expect(session).toMatchObject({ status: 'idle', usage: { output_tokens: expect.any(Number) } });
});

test('parallel tools run and answer, and the model goes on with their results', async () => {
  rig.model.on(
    'tools',
    calls(['bash', { command: 'echo a' }], ['bash', { command: 'echo b' }]),
    say('both'),
  );
  const id = await rig.session();
  await rig.send(id, message('tools'));
  const events = await rig.rested(id);
  expect(typesOf(events).slice(4, 9)).toEqual([
    'agent.tool_use',
    'agent.tool_use',
    'span.model_request_end',
    'agent.tool_result',
    'agent.tool_result',
  ]);
  for (const use of all(events, 'agent.tool_use')) {
    expect(use).toMatchObject({
      evaluated_permission: 'allow',
      evaluation: { type: 'always_allow' },
    });
    const result = all(events, 'agent.tool_result').find(
      ({ tool_use_id }) => tool_use_id === use.id,
    );
    expect(result?.content?.[0]).toMatchObject({
      type: 'text',
      text: expect.stringMatching(/^[ab]/),
    });
  }
});

test('a custom tool stops the turn for the client, whose result resumes it', async () => {
  rig.model.on('custom', call('lookup', { key: 'x' }), say('42 it is'));
  const input_schema = { type: 'object' as const, properties: { key: { type: 'string' } } };
  const id = await rig.session({
    tools: [{ type: 'custom', name: 'lookup', description: 'Look up.', input_schema }],
  });
  await rig.send(id, message('custom'));
  const waiting = await rig.rested(id);
  const use = only(waiting, 'agent.custom_tool_use');
  expect(use).toMatchObject({ name: 'lookup', input: { key: 'x' } });
  expect(only(waiting, 'session.status_idle').stop_reason).toEqual({
    type: 'requires_action',
    event_ids: [use.id],
  });
  await expect(rig.send(id, message('hurry'))).rejects.toThrow(use.id);
  const [answer] = await rig.send(id, {
    type: 'user.custom_tool_result',
    custom_tool_use_id: use.id,
    content: [{ type: 'text', text: '42' }],
  });
  expect(answer?.processed_at).toEqual(expect.any(String));
  const events = await rig.rested(id, 2);
  expect(typesOf(events).slice(typesOf(waiting).length, -5)).toEqual([
    'user.custom_tool_result',
    'session.status_running',
    'session.thread_status_running',
    'span.model_request_start',
  ]);
  const late = await rig.send(id, {
    type: 'user.custom_tool_result',
    custom_tool_use_id: use.id,
    content: [{ type: 'text', text: '43' }],
  });
  expect(late).toHaveLength(1);
  expect(await rig.events(id)).toHaveLength(events.length);
});

test('an interrupt stops the model at once and ends the turn without a reason of its own', async () => {
  rig.model.on('stop me', stall());
  const id = await rig.session();
  await rig.send(id, message('stop me'));
  await rig.until(id, (events) => events.at(-1)?.type === 'span.model_request_start');
  const [sent] = await rig.send(id, { type: 'user.interrupt' });
  expect(sent?.processed_at).toBeNull();
  const events = await rig.rested(id);
  expect(typesOf(events).slice(4)).toEqual([
    'user.interrupt',
    'span.model_request_end',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'end_turn' });
});

test('what an answer has used is charged, also when it is interrupted', async () => {
  rig.model.on('dear', costing({ input_tokens: 50_000 }, slowly(50, say('word '.repeat(400)))));
  const id = await rig.session();
  const earlier = rig.model.requests.length;
  await rig.send(id, message('dear'));
  await expect.poll(() => rig.model.requests.at(earlier)?.reply).toBeDefined();
  await rig.send(id, { type: 'user.interrupt' });
  const end = only(await rig.rested(id), 'span.model_request_end');
  expect(end).toMatchObject({ is_error: true, model_usage: { input_tokens: 50_000 } });
  const { usage } = await rig.client.beta.sessions.retrieve(id);
  expect(usage).toMatchObject({
    input_tokens: 50_000,
    output_tokens: end.model_usage.output_tokens,
    list_cost: { amount: expect.stringMatching(/^[1-9]/) },
  });
});

test('so is a search that an interrupt stops', async () => {
  const searches = ({ body }: ModelRequest) => JSON.stringify(body).includes('Query: dear tides');
  const long = costing({ input_tokens: 50_000 }, slowly(50, say('word '.repeat(400))));
  rig.model.on(searches, long);
  rig.model.onTurns('tides', call('web_search', { query: 'dear tides' }));
  const id = await rig.session();
  await rig.send(id, message('tides'));
  await expect.poll(() => rig.model.requests.find(searches)?.reply).toBeDefined();
  await rig.send(id, { type: 'user.interrupt' });
  await rig.rested(id);
  const { usage } = await rig.client.beta.sessions.retrieve(id);
  expect(usage.input_tokens).toBe(50_000);
});

test('a search is asked for where its user is, and only where its agent may run', async () => {
  const searches = ({ body }: ModelRequest) => JSON.stringify(body).includes('Query: near tides');
  rig.model.on(searches, say('None.'));
  rig.model.onTurns('nearby', call('web_search', { query: 'near tides' }), say('None.'));
  const user_location = { type: 'approximate', city: 'Kiel', country: 'DE' } as const;
  const id = await rig.session({
    model: { id: 'claude-sonnet-5-5', inference_geo: 'us' },
    tools: [{ type: 'agent_toolset_20260401', configs: [{ name: 'web_search', user_location }] }],
  });
  await rig.send(id, message('nearby'));
  await rig.rested(id);
  expect(rig.model.requests.find(searches)?.body).toMatchObject({
    inference_geo: 'us',
    tools: [{ type: 'web_search_20250305', user_location }],
  });
});

test('an interrupt with a message ends one turn and begins the next with it', async () => {
  rig.model.on('first', stall(), say('second done'));
  const id = await rig.session();
  await rig.send(id, message('first'));
  await rig.until(id, (events) => events.at(-1)?.type === 'span.model_request_start');
  await rig.send(id, { type: 'user.interrupt' }, message('second'));
  const events = await rig.rested(id, 2);
  const types = typesOf(events);
  const idle = types.indexOf('session.status_idle');
  expect(types.slice(idle + 1, idle + 5)).toEqual([
    'user.message',
    'session.status_running',
    'session.thread_status_running',
    'span.model_request_start',
  ]);
  expect(only(events, 'agent.message').content[0]).toMatchObject({ text: 'second done' });
});

test('messages that are sent while it runs wait for the end of the turn, in order', async () => {
  rig.model.on('one', slowly(40, say('a slow answer to the first message')), say('two and three'));
  const id = await rig.session();
  await rig.send(id, message('one'));
  await rig.until(id, (events) => events.at(-1)?.type === 'span.model_request_start');
  await rig.send(id, message('two'));
  await rig.send(id, message('three'));
  const page = await rig.client.beta.sessions.events.list(id);
  const queued = page.data.filter(({ processed_at }) => processed_at === null);
  expect(typesOf(page.data).slice(-queued.length)).toEqual(typesOf(queued));
  const events = await rig.rested(id);
  expect(typesOf(events).filter((type) => /^(user|agent)\./.test(type))).toEqual([
    'user.message',
    'agent.message',
    'user.message',
    'user.message',
    'agent.message',
  ]);
  expect(all(events, 'session.status_running')).toHaveLength(1);
});

test('a refusal ends the turn with its details, and the session goes on', async () => {
  rig.model.on('forbidden', refuse('cyber', 'No.'), say('better'));
  const id = await rig.session();
  await rig.send(id, message('forbidden'));
  const events = await rig.rested(id);
  expect(only(events, 'session.status_idle')).toMatchObject({
    stop_reason: { type: 'refusal' },
    stop_details: { type: 'refusal', category: 'cyber', explanation: 'No.' },
  });
  await rig.send(id, message('something else'));
  const after = await rig.rested(id, 2);
  expect(all(after, 'session.status_idle').at(-1)).toMatchObject({
    stop_reason: { type: 'end_turn' },
    stop_details: null,
  });
});

test('a long session reads its prefix from the cache', async () => {
  rig.model.on('cached', ...Array.from({ length: 4 }, (_, n) => say(`answer ${n} `.repeat(200))));
  const id = await rig.session();
  for (let turn = 1; turn <= 4; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other is the point
    await rig.send(id, message(turn === 1 ? 'cached' : `and ${turn}`));
    await rig.rested(id, turn);
  }
  const ends = all(await rig.events(id), 'span.model_request_end');
  const [first, ...later] = ends.map(({ model_usage }) => model_usage);
  expect(first?.cache_creation_input_tokens).toBeGreaterThan(0);
  for (const usage of later) {
    expect(usage.cache_read_input_tokens).toBeGreaterThan(
      usage.input_tokens + usage.cache_creation_input_tokens,
    );
  }
});

test('an MCP server is said not to be connected, once a run, and the turn goes on without it', async () => {
  rig.model.on('with a server', call('bash', { command: 'true' }), say('one'), say('two'));
  const id = await rig.session({
    mcp_servers: [{ type: 'url', name: 'tracker', url: 'https://mcp.example.com/tracker' }],
    tools: [
      { type: 'agent_toolset_20260401' },
      { type: 'mcp_toolset', mcp_server_name: 'tracker' },
    ],
  });
  await rig.send(id, message('with a server'));
  const first = await rig.rested(id);
  expect(only(first, 'session.error').error).toMatchObject({
    type: 'mcp_connection_failed_error',
    mcp_server_name: 'tracker',
    retry_status: { type: 'retrying' },
  });
  await rig.send(id, message('again'));
  const events = await rig.rested(id, 2);
  expect(all(events, 'session.error')).toHaveLength(2);
  expect(all(events, 'agent.message')).toHaveLength(2);
});

test.each([
  ['bash', 'that is switched off'],
  ['calculator', 'that nobody has declared'],
])('the tool %s %s is denied, and the model is told which there are', async (name) => {
  const text = `disabled ${name}`;
  rig.model.on(text, call(name, { command: 'ls' }), say('ok'));
  const configs = ['bash', 'glob', 'grep', 'web_fetch', 'web_search'] as const;
  const id = await rig.session({
    tools: [
      {
        type: 'agent_toolset_20260401',
        configs: configs.map((one) => ({ name: one, enabled: false })),
      },
    ],
  });
  await rig.send(id, message(text));
  const events = await rig.rested(id);
  const use = only(events, 'agent.tool_use');
  expect(use.evaluated_permission).toBe('deny');
  expect(use).not.toHaveProperty('evaluation');
  expect(only(events, 'agent.tool_result')).toMatchObject({
    tool_use_id: use.id,
    is_error: true,
    content: [{ text: `There is no tool '${name}' here. You have: read, write, edit.` }],
  });
});

test('deltas of a message reach a stream that asked for them, before the whole', async () => {
  rig.model.on('deltas', slowly(30, say('word by word by word by word by word')));
  const id = await rig.session();
  const stream = await rig.client.beta.sessions.events.stream(id, {
    event_deltas: ['agent.message'],
  });
  await rig.send(id, message('deltas'));
  const seen: { type: string; text: string; id: string }[] = [];
  for await (const frame of stream) {
    if (frame.type === 'event_start') seen.push({ type: frame.type, text: '', id: frame.event.id });
    if (frame.type === 'event_delta') {
      const { content } = frame.delta;
      seen.push({ type: frame.type, text: content.text, id: frame.event_id });
    }
    if (frame.type === 'agent.message') {
      seen.push({ type: frame.type, text: '', id: frame.id });
      const told = seen.map(({ text }) => text).join('');
      const [block] = frame.content;
      expect(block).toMatchObject({ text: expect.stringContaining(told) });
      expect(told.length).toBeGreaterThan(0);
    }
    if (frame.type === 'session.status_idle') break;
  }
  expect(seen[0]?.type).toBe('event_start');
  expect(seen.at(-1)?.type).toBe('agent.message');
  expect(new Set(seen.map((frame) => frame.id)).size).toBe(1);
});
