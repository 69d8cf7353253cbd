/** Spans of real turns on the local host, with the endpoint where a deployment has it: in the template. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, say } from '../../model/replies.ts';
import { message, startRig, type Rig } from '../../rig.ts';
import { Receiver, type ReceivedSpan } from '../../shared/traces/receiver.ts';

let rig: Rig;
const receiver = new Receiver();

beforeAll(async () => {
  const endpoint = await receiver.start();
  rig = await startRig({
    template: (template) => {
      for (const [id, { Type, Properties = {} }] of Object.entries(template.Resources)) {
        if (Type !== 'AWS::Lambda::Function' || !id.startsWith('StepFunction')) continue;
        const { Variables } = Properties['Environment'] as { Variables: Record<string, string> };
        Variables['OTLP_ENDPOINT'] = endpoint;
      }
      return template;
    },
  });
});
afterAll(async () => {
  await rig.close();
  await receiver.stop();
});

async function spansOf(session_id: string, count: number): Promise<ReceivedSpan[]> {
  for (let look = 0; look < 500; look++) {
    const spans = receiver.spansOf(session_id);
    if (spans.length >= count) return spans;
    await sleep(10);
  }
  throw new Error(`${session_id} never had ${count} spans`);
}

test('a turn is sent behind its rest, and an endpoint that is away fails no turn', async () => {
  const done = say('done');
  rig.model.onTurns('go', call('bash', { command: 'echo 1' }), done, done, done);
  const id = await rig.session();
  await rig.send(id, message('go'));
  await rig.rested(id);
  const spans = await spansOf(id, 4);
  expect(spans.map(({ name }) => name)).toEqual([
    'chat claude-sonnet-5-5',
    'execute_tool bash',
    'chat claude-sonnet-5-5',
    'invoke_agent Ada',
  ]);
  receiver.status = 500;
  await rig.send(id, message('go'));
  const events = await rig.rested(id, 2);
  expect(events.filter(({ type }) => type === 'session.error')).toEqual([]);
  await spansOf(id, 6);
  receiver.status = 200;
  await rig.send(id, message('go'));
  await rig.rested(id, 3);
  const all = await spansOf(id, 10);
  expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(8);
});
