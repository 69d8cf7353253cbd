/**
 * Where a system message takes its place: behind what it was sent with, whenever it comes, and never
 * right behind what the assistant has said, which a provider refuses. Alone it begins no request.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { calls, say, slowly, stall } from '../../model/replies.ts';
import {
  message,
  only,
  startRig,
  typesOf,
  type Event,
  type Rig,
  type SendEvents,
} from '../../rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

const rule = (text: string): SendEvents[number] => ({
  type: 'system.message',
  content: [{ type: 'text', text }],
});

/** A session whose model is being asked what `said` begins. */
async function asking(said: string): Promise<string> {
  const id = await rig.session();
  await rig.send(id, message(said));
  await rig.until(id, (events) => typesOf(events).includes('span.model_request_start'));
  return id;
}

/** The roles of the conversation that the model was asked with last. */
function lastRoles(): string[] {
  return (rig.model.requests.at(-1)?.body.messages ?? []).map(({ role }) => String(role));
}

const since = (events: readonly Event[], n: number): string[] => typesOf(events).slice(n);

test('a system message is a turn of its own role behind what the user said, whenever it came', async () => {
  rig.model.on('before', say('one'), say('two'));
  const id = await rig.session();
  await rig.send(id, rule('first of all'));
  await rig.send(id, message('before'));
  await rig.rested(id);
  await rig.send(id, rule('alone'));
  await rig.send(id, message('after'), rule('beside'));
  await rig.rested(id, 2);
  expect(lastRoles()).toEqual(['user', 'system', 'assistant', 'user', 'system']);
  expect(JSON.stringify(rig.model.requests.at(-1)?.body.messages.at(-1))).toMatch(/alone.*beside/);
});

test('alone while a turn runs it is history for the next one', async () => {
  rig.model.on('ruled late', slowly(20, say('a slow answer that takes a while')), say('two'));
  const id = await asking('ruled late');
  const [sent] = await rig.send(id, rule('brief'));
  expect(sent).toMatchObject({ type: 'system.message', processed_at: null });
  expect(since(await rig.rested(id), 4)).toEqual([
    'agent.message',
    'span.model_request_end',
    'system.message',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  await rig.send(id, message('next'));
  await rig.rested(id, 2);
  expect(lastRoles()).toEqual(['user', 'assistant', 'user', 'system']);
});

test('alone before an interrupt it is heard with it, and no turn follows', async () => {
  rig.model.on('ruled and stopped', stall());
  const id = await asking('ruled and stopped');
  await rig.send(id, rule('brief'));
  await rig.send(id, { type: 'user.interrupt' });
  const events = await rig.rested(id);
  expect(typesOf(events).filter((type) => /^(user|system|session.status)/.test(type))).toEqual([
    'user.message',
    'session.status_running',
    'system.message',
    'user.interrupt',
    'session.status_idle',
  ]);
});

test('behind a result that comes while other tools run it stands with that result', async () => {
  const slow = ['bash', { command: 'sleep 1' }] as const;
  rig.model.on('answered early', calls(slow, ['ask', {}]), say('two'));
  const id = await rig.session({
    tools: [
      { type: 'agent_toolset_20260401' },
      { type: 'custom', name: 'ask', description: 'Asks.', input_schema: { type: 'object' } },
    ],
  });
  await rig.send(id, message('answered early'));
  const asked = await rig.until(id, (now) => typesOf(now).includes('agent.custom_tool_use'));
  const custom_tool_use_id = only(asked, 'agent.custom_tool_use').id;
  const answer = { type: 'user.custom_tool_result' as const, custom_tool_use_id };
  const [, sent] = await rig.send(id, answer, rule('brief'));
  expect(sent).toMatchObject({ processed_at: expect.any(String) });
  expect(only(await rig.rested(id), 'session.status_idle').stop_reason.type).toBe('end_turn');
  expect(lastRoles()).toEqual(['user', 'assistant', 'user', 'system']);
});
