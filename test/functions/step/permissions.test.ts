/**
 * Who may run what: always_ask waits for the client without limit, auto is judged by a request of
 * its own that sees only the user's words and the call, and what cannot be judged is asked.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BetaManagedAgentsAgentToolset20260401Params } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import { call, calls, fail, say } from '../../model/replies.ts';
import type { ModelRequest } from '../../model/model.ts';
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

function asking(
  ...names: ('bash' | 'write' | 'read')[]
): BetaManagedAgentsAgentToolset20260401Params[] {
  const configs = names.map((name) => ({
    name,
    permission_policy: { type: 'always_ask' as const },
  }));
  return [{ type: 'agent_toolset_20260401', configs }];
}

const judged: BetaManagedAgentsAgentToolset20260401Params[] = [
  { type: 'agent_toolset_20260401', default_config: { permission_policy: { type: 'auto' } } },
];

test('a call that asks waits, and runs when the client allows it', async () => {
  rig.model.on('allow', call('bash', { command: 'echo allowed' }), say('thanks'));
  const id = await rig.session({ tools: asking('bash') });
  await rig.send(id, message('allow'));
  const waiting = await rig.rested(id);
  const use = only(waiting, 'agent.tool_use');
  expect(use).toMatchObject({ evaluated_permission: 'ask', evaluation: { type: 'always_ask' } });
  await rig.send(id, { type: 'user.tool_confirmation', tool_use_id: use.id, result: 'allow' });
  const events = await rig.rested(id, 2);
  expect(typesOf(events).slice(waiting.length, waiting.length + 4)).toEqual([
    'user.tool_confirmation',
    'session.status_running',
    'session.thread_status_running',
    'agent.tool_result',
  ]);
  expect(only(events, 'agent.tool_result').content?.[0]).toMatchObject({
    text: expect.stringContaining('allowed'),
  });
});

test('a denied call is not run, and the model is told why', async () => {
  rig.model.on('deny', call('bash', { command: 'echo x > /mnt/session/outputs/x' }), say('fine'));
  const id = await rig.session({ tools: asking('bash') });
  await rig.send(id, message('deny'));
  const use = only(await rig.rested(id), 'agent.tool_use');
  await rig.send(id, {
    type: 'user.tool_confirmation',
    tool_use_id: use.id,
    result: 'deny',
    deny_message: 'not on a Friday',
  });
  const result = only(await rig.rested(id, 2), 'agent.tool_result');
  expect(result.is_error).toBe(true);
  expect(result.content?.[0]).toMatchObject({ text: expect.stringContaining('not on a Friday') });
});

test('allowed calls of a mixed batch run at once, and each answer leaves the rest to wait for', async () => {
  rig.model.on(
    'mixed',
    calls(
      ['bash', { command: 'echo now' }],
      ['write', { file_path: '/mnt/session/outputs/a', content: 'a' }],
      ['write', { file_path: '/mnt/session/outputs/b', content: 'b' }],
    ),
    say('all three'),
  );
  const id = await rig.session({ tools: asking('write') });
  await rig.send(id, message('mixed'));
  const first = await rig.rested(id);
  expect(all(first, 'agent.tool_result')).toHaveLength(1);
  const stop = only(first, 'session.status_idle').stop_reason;
  const asked = stop.type === 'requires_action' ? stop.event_ids : [];
  expect(asked).toHaveLength(2);
  const [one = '', two = ''] = asked;
  await rig.send(id, { type: 'user.tool_confirmation', tool_use_id: one, result: 'allow' });
  const second = await rig.rested(id, 2);
  expect(all(second, 'session.status_idle').at(-1)?.stop_reason).toEqual({
    type: 'requires_action',
    event_ids: [two],
  });
  await rig.send(id, { type: 'user.tool_confirmation', tool_use_id: two, result: 'allow' });
  const events = await rig.rested(id, 3);
  expect(all(events, 'agent.tool_result')).toHaveLength(3);
  expect(only(events, 'agent.message').content[0]).toMatchObject({ text: 'all three' });
});

test('confirming a call that did not ask is refused by its id', async () => {
  rig.model.on('unasked', call('bash', { command: 'true' }), say('done'));
  const id = await rig.session();
  await rig.send(id, message('unasked'));
  const use = only(await rig.rested(id), 'agent.tool_use');
  const confirmation = {
    type: 'user.tool_confirmation' as const,
    tool_use_id: use.id,
    result: 'allow' as const,
  };
  await expect(rig.send(id, confirmation)).rejects.toThrow(use.id);
});

test('an interrupt closes calls that wait, without running them', async () => {
  rig.model.on('close', call('bash', { command: 'echo never' }), say('new start'));
  const id = await rig.session({ tools: asking('bash') });
  await rig.send(id, message('close'));
  const waiting = await rig.rested(id);
  await rig.send(id, { type: 'user.interrupt' });
  const events = await rig.rested(id, 2);
  expect(typesOf(events).slice(waiting.length)).toEqual([
    'user.interrupt',
    'agent.tool_result',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  await rig.send(id, message('again'));
  expect(only(await rig.rested(id, 3), 'agent.message').content[0]).toMatchObject({
    text: 'new start',
  });
});

test('what was sent before a call asked is answered once an interrupt has closed the call', async () => {
  rig.model.on(
    'queued before',
    calls(['bash', { command: 'sleep 1' }], ['write', { file_path: '/tmp/a', content: 'a' }]),
    say('the second'),
  );
  const id = await rig.session({ tools: asking('write') });
  await rig.send(id, message('queued before'));
  await rig.until(id, (events) => typesOf(events).includes('agent.tool_use'));
  await rig.send(id, message('meanwhile'));
  const waiting = await rig.rested(id);
  expect(only(waiting, 'session.status_idle').stop_reason.type).toBe('requires_action');
  await rig.send(id, { type: 'user.interrupt' });
  const events = await rig.rested(id, 3);
  expect(typesOf(events).filter((type) => /^(user|agent.message)/.test(type))).toEqual([
    'user.message',
    'user.interrupt',
    'user.message',
    'agent.message',
  ]);
});

/** The judge's requests have no tools; the agent's always have. */
function isJudge(request: ModelRequest): boolean {
  return (request.body.tools ?? []).length === 0;
}

test.each([
  ['allow', { type: 'allow' }, 'end_turn'],
  ['deny', { type: 'deny', reason_code: 'high_risk' }, 'end_turn'],
  ['unsure', { type: 'ask', reason_code: 'indeterminate' }, 'requires_action'],
  ['nonsense', { type: 'ask', reason_code: 'indeterminate' }, 'requires_action'],
  ['error', { type: 'ask', reason_code: 'indeterminate' }, 'requires_action'],
])('a judge that says %s', async (verdict, evaluated, stop) => {
  const text = `judge ${verdict}`;
  const said =
    verdict === 'nonsense' ? say('whatever') : say(JSON.stringify({ verdict, reason: 'r' }));
  rig.model.on(
    (request) => isJudge(request) && JSON.stringify(request.body.messages).includes(text),
    verdict === 'error' ? fail(500) : said,
  );
  rig.model.on(text, call('bash', { command: `echo ${verdict}` }), say('went on'));
  const id = await rig.session({ tools: judged });
  await rig.send(id, message(text));
  const events = await rig.rested(id);
  const use = only(events, 'agent.tool_use');
  expect(use.evaluation).toEqual({ type: 'auto', evaluated_permission: evaluated });
  expect(use.evaluated_permission).toBe(evaluated.type);
  expect(only(events, 'session.status_idle').stop_reason.type).toBe(stop);
  if (verdict === 'deny') {
    expect(only(events, 'agent.tool_result').content).toEqual([
      { type: 'text', text: 'Permission to use bash has been denied.' },
    ]);
  }
  const asked = rig.model.requests.find(
    (request) => isJudge(request) && JSON.stringify(request.body.messages).includes(text),
  );
  expect(JSON.stringify(asked?.body)).not.toContain('agent_toolset');
});
