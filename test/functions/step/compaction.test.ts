/**
 * What a thread knows behind a compaction, wherever it goes on: seen through the SDK on the local
 * host, whose functions are killed in between.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelRequest } from '../../model/model.ts';
import { call, costing, fail, say, stall, type Reply } from '../../model/replies.ts';
import { all, message, only, startRig, typesOf, type Rig } from '../../rig.ts';
import { outcome } from './outcome-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

const last = ({ body }: ModelRequest): string => JSON.stringify(body.messages.at(-1));
const first = ({ body }: ModelRequest): string => JSON.stringify(body.messages[0]);
const summarises = (request: ModelRequest): boolean =>
  last(request).includes('Write the summary that will stand');

/** The conversation about `what`: its summary is `what`, too. */
function about(what: string, replies: readonly Reply[], after: readonly Reply[]): void {
  const is = (request: ModelRequest): boolean => JSON.stringify(request.body).includes(what);
  rig.model.on(
    (request) => summarises(request) && is(request),
    say(`<summary>so far: ${what}</summary>`),
  );
  rig.model.on((request) => first(request).includes(`so far: ${what}`), ...after);
  rig.model.on((request) => first(request).includes(what), ...replies);
}

const full = (said: Reply): Reply => costing({ input_tokens: 990_000 }, said);

test('what the user has said still counts in a function that begins behind the compaction', async () => {
  const url = 'http://10.0.0.1/guide';
  about(
    `Read ${url} later`,
    [full(say('Yes.'))],
    [say('Gone on.'), call('web_fetch', { url }), say('Read.')],
  );
  const id = await rig.session({
    tools: [
      {
        type: 'agent_toolset_20260401',
        configs: [{ name: 'web_fetch', url_sources: { user_input: 'all' } }],
      },
    ],
  });
  await rig.send(id, message(`Read ${url} later`));
  await rig.rested(id);
  await rig.send(id, message('Go on.'));
  expect(typesOf(await rig.rested(id, 2))).toContain('agent.thread_context_compacted');
  await rig.host.kill('step');
  await rig.send(id, message('Read it now.'));
  const [said] = only(await rig.rested(id, 3), 'agent.tool_result').content ?? [];
  // It may be fetched, but for where it leads.
  expect(said).toMatchObject({ text: expect.stringContaining('not on the public internet') });
});

test('the task and its rubric stand before the model also in a function that begins behind the compaction', async () => {
  const task = 'Report of a cold start';
  about(task, [full(call('bash', { command: 'true' }))], [call('ask', {}), stall()]);
  const id = await rig.session({
    tools: [
      { type: 'agent_toolset_20260401' },
      { type: 'custom', name: 'ask', description: 'Ask.', input_schema: { type: 'object' } },
    ],
  });
  await rig.send(id, outcome(task));
  const asked = only(await rig.rested(id), 'agent.custom_tool_use');
  await rig.host.kill('step');
  await rig.send(id, {
    type: 'user.custom_tool_result',
    custom_tool_use_id: asked.id,
    content: [{ type: 'text', text: 'Forty-two.' }],
  });
  const answered = (): ModelRequest | undefined =>
    rig.model.requests.find((request) => last(request).includes('Forty-two.'));
  await expect.poll(answered).toBeDefined();
  expect(first(answered() as ModelRequest)).toContain('The report has a source');
  await rig.send(id, { type: 'user.interrupt' });
});

test('a prompt that is found too long after an overload is compacted all the same', async () => {
  const what = 'too long at the second try';
  const too_long = fail(400, 'prompt is too long: 300000 tokens > 200000 maximum');
  about(what, [say('Yes.'), fail(529), too_long], [say('Short.')]);
  const id = await rig.session();
  await rig.send(id, message(what));
  await rig.rested(id);
  await rig.send(id, message('Go on.'));
  const events = await rig.rested(id, 2);
  expect(all(events, 'session.error')).toHaveLength(1);
  expect(all(events, 'agent.message').at(-1)?.content[0]).toMatchObject({ text: 'Short.' });
});
