/**
 * The SDK's own way to serve custom tools: `events.toolRunner` reads a session's stream and history and
 * answers the calls that it has a tool for. Method: the whole host, and the runner as it is published.
 */
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import type { BetaRunnableTool } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool';
import type { DispatchedToolCall } from '@anthropic-ai/sdk/lib/tools/SessionToolRunner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, calls, say } from '../../model/replies.ts';
import { all, message, startRig, type Rig } from '../../rig.ts';
import { start, teamSession } from './team-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

/** By the runner's own clock, behind the idle that ends the turn. */
const maxIdleMs = 300;

const input_schema = { type: 'object' as const, properties: { item: { type: 'string' as const } } };
const price = {
  type: 'custom' as const,
  name: 'price',
  description: 'Says what it costs.',
  input_schema,
};

function priceTool(run: (item: string) => string): BetaRunnableTool {
  const { name, description } = price;
  const inputSchema = input_schema;
  const tool = betaTool({ name, description, inputSchema, run: ({ item }) => run(item ?? '') });
  return tool as BetaRunnableTool;
}

/** What the runner has done when it ends by itself: the session rested, and nobody spoke. */
async function served(session_id: string, tool: BetaRunnableTool): Promise<DispatchedToolCall[]> {
  const runner = rig.client.beta.sessions.events.toolRunner(session_id, {
    tools: [tool],
    maxIdleMs,
  });
  const done: DispatchedToolCall[] = [];
  for await (const dispatched of runner) done.push(dispatched);
  return done;
}

test('it answers parallel custom calls, leaves the platform its own, and ends with the turn', async () => {
  rig.model.on(
    'What do they cost?',
    calls(['price', { item: 'tea' }], ['bash', { command: 'echo hi' }], ['price', { item: 'rum' }]),
    say('Tea 3, rum unknown.'),
  );
  const session_id = await rig.session({
    tools: [{ type: 'agent_toolset_20260401' }, price],
  });
  const serving = served(
    session_id,
    priceTool((item) => {
      if (item === 'tea') return 'EUR 3';
      throw new Error('no price');
    }),
  );
  await rig.send(session_id, message('What do they cost?'));
  const done = await serving;
  const told = done.map(({ name, posted, isError }) => [name, posted, isError]);
  expect(told).toEqual([
    ['price', true, false],
    ['bash', false, false],
    ['price', true, true],
  ]);
  const events = await rig.events(session_id);
  const results = all(events, 'user.custom_tool_result');
  expect(results.map(({ is_error }) => is_error)).toEqual([false, true]);
  expect(all(events, 'agent.tool_result')).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({
    type: 'session.status_idle',
    stop_reason: { type: 'end_turn' },
  });
});

test('it takes up what was asked before it came, once', async () => {
  rig.model.on('What was asked before?', call('price', { item: 'tea' }), say('Three.'));
  const session_id = await rig.session({ tools: [price] });
  await rig.send(session_id, message('What was asked before?'));
  await rig.rested(session_id);
  const [first] = await Promise.all([
    served(
      session_id,
      priceTool(() => 'EUR 3'),
    ),
    served(
      session_id,
      priceTool(() => 'EUR 3'),
    ),
  ]);
  expect(first).toHaveLength(1);
  const events = await rig.rested(session_id, 2);
  expect(all(events, 'user.custom_tool_result')).toHaveLength(1);
  // What is answered is not asked again.
  expect(
    await served(
      session_id,
      priceTool(() => 'EUR 4'),
    ),
  ).toEqual([]);
});

test("it answers a child's call by the id that stands in the session's own log", async () => {
  rig.model.on('Ask the worker', start('Worker', 'Price of tea?'), say('I wait.'), say('Done.'));
  rig.model.on('Price of tea?', call('price', { item: 'tea' }), say('It is EUR 3.'));
  const session_id = await teamSession(rig, { worker: { tools: [price] } });
  const serving = served(
    session_id,
    priceTool(() => 'EUR 3'),
  );
  await rig.send(session_id, message('Ask the worker'));
  const done = await serving;
  expect(done).toMatchObject([{ name: 'price', posted: true }]);
  expect(done[0]?.event.session_thread_id).toMatch(/^sthr_/);
  const events = await rig.events(session_id);
  expect(all(events, 'user.custom_tool_result')).toMatchObject([
    { session_thread_id: done[0]?.event.session_thread_id },
  ]);
  expect(all(events, 'agent.thread_message_received')).toHaveLength(1);
});

test('a result that comes after an interrupt is accepted, and changes nothing', async () => {
  rig.model.on('Too late', call('price', { item: 'tea' }), say('never'));
  const session_id = await rig.session({ tools: [price] });
  await rig.send(session_id, message('Too late'));
  await rig.rested(session_id);
  await rig.send(session_id, { type: 'user.interrupt' });
  const before = await rig.rested(session_id, 2);
  // Its call was closed by the platform and not by a client, so the runner takes it for open.
  const done = await served(
    session_id,
    priceTool(() => 'EUR 3'),
  );
  expect(done).toMatchObject([{ name: 'price', posted: true }]);
  expect(await rig.events(session_id)).toEqual(before);
});
