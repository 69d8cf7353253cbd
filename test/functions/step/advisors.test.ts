/** Rule: a coordinator may ask an advisor, on a thread of its own that ends with the answer; a failed consultation never fails the turn. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstText } from '../../model/model.ts';
import { call, costing, fail, say, slowly, type Reply } from '../../model/replies.ts';
import { all, message, only, startRig, typesOf, type Event, type Rig } from '../../rig.ts';
import { childrenOf, logOf, teamSession, textOf } from './team-rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

const ask = (question: string): Reply => call('consult_advisor', { question });

/** A session whose agent has an advisor of this model, and has been told `text`. */
async function advised(text: string, model: string): Promise<string> {
  const worker = await rig.agent({ name: 'Worker' });
  const agents = [worker, { type: 'advisor' as const, model }];
  const id = await teamSession(rig, { lead: { multiagent: { type: 'coordinator', agents } } });
  await rig.send(id, message(text));
  return id;
}

/** What the model was told last of a conversation that began so. */
function heard(text: string): string {
  const last = rig.model.requests.findLast(({ body }) => firstText(body).includes(text));
  return JSON.stringify(last?.body.messages);
}

function ofAdvisor(events: readonly Event[]): string[] {
  return typesOf(
    events.filter((event) => 'agent_name' in event && event.agent_name === 'anthropic.advisor'),
  );
}

const lifecycle = [
  'session.thread_created',
  'session.thread_status_running',
  'session.thread_status_idle',
  'session.thread_status_terminated',
];

test('an advisor is asked on a thread of its own; one that fails is an answer too', async () => {
  rig.model.on(
    ({ body }) => firstText(body) === 'What now? advise-me',
    say('Do the simple thing.'),
    fail(400, 'no'),
  );
  rig.model.onTurns(
    'lead-advised',
    ask('What now? advise-me'),
    ask('What now? advise-me'),
    say('Done.'),
  );
  const id = await advised('lead-advised', 'claude-opus-4-8');
  const events = await rig.rested(id);
  expect(ofAdvisor(events)).toEqual([...lifecycle, ...lifecycle]);
  expect(textOf(only(events, 'agent.thread_message_received'))).toBe('Do the simple thing.');
  expect(all(events, 'agent.tool_use')).toEqual([]);
  expect(heard('lead-advised')).toContain('Do the simple thing.');
  expect(heard('lead-advised')).toContain('could not be asked');
  const children = await childrenOf(rig, id);
  expect(children.map(({ agent, status }) => [agent.type, status])).toEqual([
    ['advisor', 'terminated'],
    ['advisor', 'terminated'],
  ]);
  const logs = await Promise.all(children.map(async (child) => await logOf(rig, id, child.id)));
  const sent = logs.flatMap((log) => all(log, 'agent.thread_message_sent'));
  expect(sent).toMatchObject([{ content: [{ type: 'text', text: 'Do the simple thing.' }] }]);
  expect(logs.flatMap((log) => all(log, 'agent.message'))).toEqual([]);
});

test('of a model whose advice is not shown, clients see a placeholder and the agent all of it', async () => {
  rig.model.on(({ body }) => firstText(body) === 'advise-hidden', say('Mind the seventh gate.'));
  rig.model.onTurns('lead-hidden', ask('advise-hidden'), say('Done.'), say('Again.'));
  const id = await advised('lead-hidden', 'claude-opus-5-5');
  const events = await rig.rested(id);
  const received = only(events, 'agent.thread_message_received');
  expect(received.content).toEqual([{ type: 'redacted' }]);
  const [child] = await childrenOf(rig, id);
  const log = await logOf(rig, id, child?.id ?? '');
  expect(only(log, 'agent.thread_message_sent').content).toEqual([{ type: 'redacted' }]);
  expect(JSON.stringify([events, log])).not.toContain('seventh gate');
  expect(heard('lead-hidden')).toContain('Mind the seventh gate.');
  // A later turn still has it.
  await rig.send(id, message('Go on.'));
  await rig.rested(id, 2);
  expect(heard('lead-hidden')).toContain('Mind the seventh gate.');
});

test('an interrupt of the advisor’s thread ends that consultation alone, and the turn goes on', async () => {
  const long = costing({ input_tokens: 50_000 }, slowly(50, say('word '.repeat(400))));
  rig.model.on(({ body }) => firstText(body) === 'advise-slowly', long);
  rig.model.onTurns('lead-slow', ask('advise-slowly'), say('Without it, then.'));
  const id = await advised('lead-slow', 'claude-opus-4-8');
  await expect
    .poll(() => rig.model.requests.find(({ body }) => firstText(body) === 'advise-slowly')?.reply)
    .toBeDefined();
  const [child] = await childrenOf(rig, id);
  const session_thread_id = child?.id ?? '';
  await rig.send(id, { type: 'user.interrupt', session_thread_id });
  const events = await rig.rested(id);
  expect(only(events, 'user.interrupt')).toMatchObject({ session_thread_id });
  expect(ofAdvisor(events)).toEqual(lifecycle);
  expect(all(events, 'agent.thread_message_received')).toEqual([]);
  expect(textOf(only(events, 'agent.message'))).toBe('Without it, then.');
  expect(heard('lead-slow')).toContain('The advisor was interrupted');
  // As far as it came it is paid for.
  const { usage } = await rig.client.beta.sessions.retrieve(id);
  expect(usage.input_tokens).toBe(50_000);
  // What is over has nothing to stop.
  await expect(rig.send(id, { type: 'user.interrupt', session_thread_id })).rejects.toThrow(
    'is not a thread of this session that can be interrupted',
  );
});

test('a session whose model is more capable than the advisor is refused', async () => {
  const advisor = { type: 'advisor' as const, model: 'claude-sonnet-5-5' };
  const agents = [await rig.agent({ name: 'Worker' }), advisor];
  const multiagent = { type: 'coordinator' as const, agents };
  const id = await rig.agent({ model: 'claude-haiku-4-5', multiagent });
  const { environment_id } = rig;
  const agent = { type: 'agent_with_overrides' as const, id, model: 'claude-opus-5-5' };
  await expect(rig.client.beta.sessions.create({ agent, environment_id })).rejects.toThrow(
    'less capable',
  );
});
