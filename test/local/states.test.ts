/** Machines as Step Functions runs them: names, limits, retries on the host's clock, deaths of functions. */
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HostClock } from '../../infra/local/clock.ts';
import { Machine, type ExecutionParts } from '../../infra/local/states/execution.ts';
import { Pace } from '../../infra/local/states/pace.ts';
import { retryDelay, runTask, StateError } from '../../infra/local/states/task.ts';
import type { Template } from '../../infra/local/template/template.ts';
import { aFunction, allow, attribute, role, startRig, type Rig } from './fixture.ts';

/** Fails as often as its event says, then answers. */
const step = `const made = new Map();
export const handler = async ({ name, act, fail = 0 }) => {
  const n = (made.get(name) ?? 0) + 1;
  made.set(name, n);
  if (n <= fail) { class RetryableFault extends Error { name = 'RetryableFault'; } throw new RetryableFault('again'); }
  if (act === 'hang') await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (act === 'silent') return {};
  if (act === 'large') return { n, text: 'x'.repeat(262_144) };
  return { n };
};`;

const retry = [
  { ErrorEquals: ['RetryableFault'], IntervalSeconds: 3_600, MaxAttempts: 2, BackoffRate: 2 },
  { ErrorEquals: ['Runtime.ExitError'], IntervalSeconds: 1, MaxAttempts: 3 },
];

const definition = {
  StartAt: 'Step',
  TimeoutSeconds: 500_000,
  States: {
    Step: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: {
        FunctionName: '${StepArn}',
        Payload: { 'name.$': '$$.Execution.Name', 'act.$': '$.act', 'fail.$': '$.fail' },
      },
      ResultSelector: { 'n.$': '$.Payload.n' },
      ResultPath: '$.result',
      Retry: retry,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Caught' }],
      Next: 'Next',
    },
    Next: {
      Type: 'Choice',
      Choices: [{ Variable: '$.act', StringEquals: 'wait', Next: 'Wait' }],
      Default: 'Done',
    },
    Wait: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Done' },
    Caught: { Type: 'Pass', Next: 'Done' },
    Done: { Type: 'Succeed' },
  },
};

const resources: Template['Resources'] = {
  ...role('Step'),
  ...aFunction('Step', step, { Timeout: 120 }),
  ...role('Machine', allow('lambda:InvokeFunction', attribute('Step'))),
  ...role('Poor'),
  ...Object.fromEntries(
    ['Machine', 'Poor'].map((id) => [
      id,
      {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          DefinitionString: JSON.stringify(definition),
          DefinitionSubstitutions: { StepArn: attribute('Step') },
          RoleArn: attribute(`${id}Role`),
        },
      },
    ]),
  ),
  ...role('Own', allow('states:StartExecution', { Ref: 'Machine' })),
  ...aFunction('Own', step),
};

let rig: Rig;
let sfn: SFNClient;
const arn = 'arn:aws:states:us-east-1:123456789012:stateMachine:Machine';

beforeAll(async () => {
  rig = await startRig(resources);
  sfn = new SFNClient(rig.host.aws);
});
afterAll(() => rig.stop());

const start = (name: string, input: object, stateMachineArn = arn) =>
  sfn.send(
    new StartExecutionCommand({
      stateMachineArn,
      name,
      input: JSON.stringify({ act: '', fail: 0, ...input }),
    }),
  );
const describe = (executionArn = '') => sfn.send(new DescribeExecutionCommand({ executionArn }));

async function ended(executionArn = '') {
  await expect
    .poll(async () => (await describe(executionArn)).status, { timeout: 8_000 })
    .not.toBe('RUNNING');
  return await describe(executionArn);
}

test('an execution runs to its output, which is described', async () => {
  const { executionArn } = await start('plain', {});
  const { status, output } = await ended(executionArn);
  expect([status, JSON.parse(output ?? '')]).toEqual([
    'SUCCEEDED',
    { act: '', fail: 0, result: { n: 1 } },
  ]);
});

test('a name is taken: the same input is answered while it runs, and refused after', async () => {
  const first = await start('twice', { act: 'wait', seconds: 100 });
  const again = await start('twice', { act: 'wait', seconds: 100 });
  expect(again.executionArn).toBe(first.executionArn);
  const taken = expect.objectContaining({ name: 'ExecutionAlreadyExists' });
  await expect(start('twice', { act: 'other' })).rejects.toEqual(taken);
  await expect.poll(() => rig.host.running()).toBe(1);
  // The wait begins only once the function has answered.
  await expect
    .poll(async () => {
      await rig.host.advance(100_000);
      return (await describe(first.executionArn)).status;
    })
    .toBe('SUCCEEDED');
  await expect(start('twice', { act: 'wait', seconds: 100 })).rejects.toEqual(taken);
});

test('retries wait on the host’s clock, twice as long each time', async () => {
  const began = rig.host.clock.now_ms();
  const { executionArn } = await start('retried', { fail: 2 });
  await expect
    .poll(async () => {
      await rig.host.advance(1_800_000);
      return (await describe(executionArn)).status;
    })
    .toBe('SUCCEEDED');
  expect(rig.host.clock.now_ms() - began).toBeGreaterThanOrEqual(3 * 3_600_000);
  expect(JSON.parse((await describe(executionArn)).output ?? '')).toMatchObject({
    result: { n: 3 },
  });
});

test('a killed function is a retry of its state', async () => {
  const { executionArn } = await start('killed', { act: 'hang' });
  await expect.poll(() => rig.host.counters().functions['step']?.cold_starts).toBeGreaterThan(0);
  const before = rig.host.counters().functions['step']?.cold_starts ?? 0;
  await rig.host.kill('step');
  await expect
    .poll(async () => {
      await rig.host.advance(1_000);
      return rig.host.counters().functions['step']?.cold_starts ?? 0;
    })
    .toBe(before + 1);
  await sfn.send(new StopExecutionCommand({ executionArn: executionArn ?? '', cause: 'enough' }));
  expect(await describe(executionArn)).toMatchObject({ status: 'ABORTED', cause: 'enough' });
});

test('an error that no retrier takes is caught with its name and cause', async () => {
  const { executionArn } = await start('caught', { fail: 9 });
  await expect
    .poll(async () => {
      await rig.host.advance(10_000_000);
      return (await describe(executionArn)).status;
    })
    .toBe('SUCCEEDED');
  const { error } = JSON.parse((await describe(executionArn)).output ?? '');
  expect(error).toMatchObject({ Error: 'RetryableFault', Cause: expect.stringContaining('again') });
});

test('a state over 256 KiB fails the execution, and nothing catches that', async () => {
  const { executionArn } = await start('large', { act: 'large' });
  expect(await ended(executionArn)).toMatchObject({
    status: 'FAILED',
    error: 'States.DataLimitExceeded',
  });
  const input = start('input', { text: 'x'.repeat(262_144) });
  await expect(input).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
});

test.each([
  ['of the input', 'no-input', { act: undefined }, '$.act'],
  ['of a result', 'no-result', { act: 'silent' }, '$.Payload.n'],
])(
  'a path %s that leads to nothing fails the execution, and nothing catches that',
  async (_, name, input, path) => {
    const { executionArn } = await start(name, input);
    expect(await ended(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining(`'${path}'`),
    });
  },
);

test('a machine over its own timeout ends as TIMED_OUT', async () => {
  const { executionArn } = await start('late', { act: 'wait', seconds: 900_000 });
  await rig.host.advance(500_001_000);
  expect(await describe(executionArn)).toMatchObject({ status: 'TIMED_OUT' });
});

test('a machine whose role may not invoke the function fails', async () => {
  const { executionArn } = await start('poor', {}, arn.replace(/Machine$/, 'Poor'));
  const { output } = await ended(executionArn);
  expect(JSON.parse(output ?? '').error).toMatchObject({
    Error: 'Lambda.AWSLambdaException',
    Cause: expect.stringContaining('lambda:InvokeFunction'),
  });
});

test('who may start may not describe', async () => {
  const own = new SFNClient(rig.host.awsAs('own'));
  const started = await own.send(
    new StartExecutionCommand({ stateMachineArn: arn, name: 'own', input: '{"act":"","fail":0}' }),
  );
  const read = own.send(new DescribeExecutionCommand({ executionArn: started.executionArn ?? '' }));
  await expect(read).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('executions are listed by status, the newest first', async () => {
  const { executions } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn: arn, statusFilter: 'TIMED_OUT' }),
  );
  expect(executions?.map(({ name }) => name)).toEqual(['late']);
});

test('what is not there is said by name', async () => {
  const none = { name: 'ExecutionDoesNotExist' };
  const gone = arn.replace('stateMachine', 'execution');
  await expect(describe(`${gone}:none`)).rejects.toMatchObject(none);
  const machine = start('x', {}, `${arn}2`);
  await expect(machine).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  await expect(start('a b', {})).rejects.toMatchObject({ name: 'InvalidName' });
});

test.each<[name: string, made: number, delay: number | undefined]>([
  ['A', 0, 2_000],
  ['A', 1, 6_000],
  ['A', 2, 10_000],
  ['A', 3, undefined],
  ['States.Timeout', 0, undefined],
  ['B', 0, 1_000],
])('the error %s after %i attempts waits %j ms', (name, made, delay) => {
  const retriers = [
    { ErrorEquals: ['A'], IntervalSeconds: 2, BackoffRate: 3, MaxDelaySeconds: 10 },
    { ErrorEquals: ['States.TaskFailed'] },
  ];
  expect(retryDelay(retriers, [made, made], new StateError(name, ''))).toBe(delay);
});

test('an execution that is stopped before it could begin enters no state', async () => {
  const about = { arn: 'machine', name: 'machine', role_arn: 'role' };
  const states = { StartAt: 'Only', States: { Only: { Type: 'Succeed' } } };
  const machine = new Machine(about, JSON.stringify(states));
  const run = async (stops: boolean): Promise<string[]> => {
    const entered: string[] = [];
    const ended = Promise.withResolvers<void>();
    const parts: ExecutionParts = {
      pools: [],
      clock: new HostClock(),
      authorize: () => undefined,
      transition: (_, state) => void entered.push(state),
      ended: () => ended.resolve(),
    };
    const started = { name: 'n', arn: 'a', machine_arn: 'machine', input: '{}' };
    const execution = machine.start(started, parts);
    if (stops) execution.stop('ABORTED');
    await ended.promise;
    return [execution.status, ...entered];
  };
  expect(await run(false)).toEqual(['SUCCEEDED', 'Only']);
  expect(await run(true)).toEqual(['ABORTED']);
});

test('a task whose execution is stopped before its turn calls no function', async () => {
  const stopping = new AbortController();
  const called: string[] = [];
  const state = {
    name: 'Step',
    resource: 'arn',
    retriers: [],
    timeout_seconds: undefined,
    wait: undefined,
  };
  const run = {
    pools: [],
    clock: new HostClock(),
    signal: stopping.signal,
    authorize: (arn: string) => void called.push(arn),
    retried: () => undefined,
    pace: new Pace(1, async () => stopping.abort(new Error('stopped'))),
  };
  await run.pace.turn();
  await expect(runTask(state, {}, run)).rejects.toThrow('stopped');
  expect(called).toEqual([]);
});
