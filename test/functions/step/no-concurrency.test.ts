/**
 * An account whose executions are all at work: a young one has ten. Method: Lambda refuses the step's calls of
 * the sandbox for longer than it asks again within one invocation.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsError } from '../../../infra/local/aws-error.ts';
import { call, calls, say } from '../../model/replies.ts';
import { all, message, startRig, type Event, type Rig } from '../../rig.ts';

let rig: Rig;
/** Calls of the sandbox that are taken, and those that are refused behind them. */
let taken = 0;
let refusals = 0;

beforeAll(async () => {
  rig = await startRig({
    hooks: {
      before: ({ function_name, action }) => {
        if (function_name !== 'step' || action !== 'Invoke') return;
        taken -= 1;
        if (taken >= 0 || refusals === 0) return;
        refusals -= 1;
        throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
      },
    },
  });
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  await rig.close();
});

function answersIn(events: readonly Event[]): unknown[] {
  return all(events, 'agent.tool_result').map(({ content, is_error }) => {
    const [block] = content ?? [];
    return [block?.type === 'text' ? block.text : undefined, is_error];
  });
}

test('a command that finds no execution waits with the machine and is run, once', async () => {
  rig.model.on('wait for room', call('bash', { command: 'echo x >> a; cat a' }), say('Done.'));
  [taken, refusals] = [0, 15];
  const id = await rig.session();
  await rig.send(id, message('wait for room'));
  const events = await rig.rested(id);
  expect(refusals).toBe(0);
  expect(answersIn(events)).toEqual([['x', false]]);
}, 60_000);

test('what was begun beside it is recorded as it went', async () => {
  rig.model.on(
    'room for one',
    calls(['bash', { command: 'echo a' }], ['bash', { command: 'echo b' }]),
    say('Done.'),
  );
  [taken, refusals] = [1, 15];
  const id = await rig.session();
  await rig.send(id, message('room for one'));
  const events = await rig.rested(id);
  expect(answersIn(events)).toEqual(
    expect.arrayContaining([
      ['a', false],
      ['b', false],
    ]),
  );
  expect(answersIn(events)).toHaveLength(2);
}, 60_000);
