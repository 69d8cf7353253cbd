/**
 * Rule: whoever runs a step, and how often, the log is the same. Step Functions may repeat a task,
 * a start may be lost after the write that promised it, and two executions may meet at one thread.
 */
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsError } from '../../infra/local/aws-error.ts';
import { primaryThreadId } from '#shared/core/id.ts';
import { executionName } from '#shared/sessions/session.ts';
import { call, calls, say, slowly } from '../model/replies.ts';
import { all, message, startRig, typesOf, type Event, type Rig } from '../rig.ts';

let rig: Rig;
let lose_starts = false;
let machine_arn = '';

beforeAll(async () => {
  rig = await startRig({
    hooks: {
      before: (made) => {
        if (made.action !== 'StartExecution' || made.function_name !== 'api') return;
        machine_arn = String((made.body as { stateMachineArn?: string }).stateMachineArn);
        if (lose_starts) throw new AwsError('ServiceUnavailable', 'lost', 503);
      },
    },
  });
  rig.model.onTurns(
    'work',
    calls(
      ['bash', { command: 'echo one >> /mnt/session/outputs/log' }],
      ['bash', { command: 'echo two >> /mnt/session/outputs/log' }],
    ),
    call('bash', { command: 'echo three >> /mnt/session/outputs/log' }),
    slowly(20, say('and that was all of the work that was to do')),
  );
});
afterAll(async () => {
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

const whole = [
  'user.message',
  'session.status_running',
  'session.thread_status_running',
  'span.model_request_start',
  'agent.tool_use',
  'agent.tool_use',
  'span.model_request_end',
  'agent.tool_result',
  'agent.tool_result',
  'span.model_request_start',
  'agent.tool_use',
  'span.model_request_end',
  'agent.tool_result',
  'span.model_request_start',
  'agent.message',
  'span.model_request_end',
  'session.thread_status_idle',
  'session.usage',
  'session.status_idle',
];

function checkWhole(events: readonly Event[]): void {
  expect(typesOf(events)).toEqual(whole);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const answered = all(events, 'agent.tool_result').map(({ tool_use_id }) => tool_use_id);
  expect(new Set(answered).size).toBe(answered.length);
}

function stepOf(session_id: string, execution = executionName(session_id, 1)) {
  return { session_id, thread_id: primaryThreadId(session_id), run: 1, execution };
}

test('a task that Step Functions repeats while it runs, and after, changes nothing', async () => {
  const id = await rig.session();
  await rig.send(id, message('work'));
  await Promise.all(
    Array.from({ length: 4 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 40));
      return await rig.host.invoke('step', stepOf(id));
    }),
  );
  checkWhole(await rig.rested(id));
  expect(await rig.host.invoke('step', stepOf(id))).toMatchObject({ next: 'done' });
  checkWhole(await rig.events(id));
});

test('two executions that race for one thread make one turn', async () => {
  const id = await rig.session();
  const sfn = new SFNClient(rig.host.aws);
  const { session_id, thread_id, run } = stepOf(id);
  await rig.send(id, message('work'));
  await sfn.send(
    new StartExecutionCommand({
      stateMachineArn: machine_arn,
      name: `racer-${session_id}`,
      input: JSON.stringify({ session_id, thread_id, run, inbox: [], threads: [] }),
    }),
  );
  const events = await rig.rested(id);
  checkWhole(events);
  expect(all(events, 'session.status_running')).toHaveLength(1);
});

test('a start that is lost after the write is made by reconcile, once', async () => {
  const id = await rig.session();
  lose_starts = true;
  await rig.send(id, message('work')).finally(() => (lose_starts = false));
  expect((await rig.client.beta.sessions.retrieve(id)).status).toBe('running');
  await rig.host.advance(180_000);
  await Promise.all([
    rig.host.invoke('reconcile', { min_age_seconds: 0 }),
    rig.host.invoke('reconcile', { min_age_seconds: 0 }),
  ]);
  checkWhole(await rig.rested(id));
});
