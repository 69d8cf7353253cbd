/** The session machine as it deploys: valid, bounded, and retrying what may pass and nothing else. */
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { Fault, faults, type FaultKind } from '../../shared/core/fault.ts';
import { limits } from '../../shared/core/limits.ts';
import { only, plain, synth } from './stack.ts';

// It has no types, and it is CommonJS that exports a function.
const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
  isValid: boolean;
  errors: unknown[];
};

interface Retry {
  readonly ErrorEquals: string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds?: number;
}

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { Next: string }[];
  readonly Catch?: readonly { ErrorEquals: string[]; Next: string }[];
  readonly Retry?: Retry[];
  readonly TimeoutSeconds?: number;
  readonly Parameters?: { FunctionName: string; Payload: Record<string, unknown> };
  readonly MaxConcurrency?: number;
  readonly ItemsPath?: string;
  readonly ItemSelector?: Record<string, unknown>;
  readonly ItemProcessor?: { StartAt: string; States: Record<string, State> };
}

const { template } = synth();
const machine = only(template, 'AWS::StepFunctions::StateMachine', 'Session').Properties;
const text = String(plain(machine['DefinitionString']))
  .replaceAll('<AWS::Partition>', 'aws')
  .replaceAll(
    /<(Step|StepLarge|Grade)Function\.Arn>/g,
    'arn:aws:lambda:us-east-1:111122223333:function:$1',
  );
const definition = JSON.parse(text) as {
  QueryLanguage?: string;
  StartAt: string;
  TimeoutSeconds: number;
  States: Record<string, State>;
};
const states = Object.entries(definition.States);
/** Of the whole machine, and of the children within its Map. */
const threads = definition.States['Threads'];
const children = Object.entries(threads?.ItemProcessor?.States ?? {});
const tasks = [...states, ...children].filter(([, { Type }]) => Type === 'Task');

test('it is valid Amazon States Language', () => {
  expect(validate(definition)).toMatchObject({ isValid: true, errors: [] });
});

test('the validator would see a state that nobody defined', () => {
  const broken = { ...definition, StartAt: 'Nowhere' };
  expect(validate(broken).isValid).toBe(false);
});

test('it is a Standard machine in JSONPath, logged from ERROR on and traced', () => {
  expect(definition.QueryLanguage ?? 'JSONPath').toBe('JSONPath');
  expect(machine).toMatchObject({
    StateMachineType: 'STANDARD',
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: true },
    TracingConfiguration: { Enabled: true },
  });
});

function edgesOf(of: readonly (readonly [string, State])[]): string[] {
  const edges = of.flatMap(([name, { Next, Default, Choices, Catch }]) =>
    [
      Next,
      Default,
      ...(Choices ?? []).map((each) => each.Next),
      ...(Catch ?? []).map((each) => each.Next),
    ]
      .filter((next) => next !== undefined)
      .map((next) => `${name} > ${next}`),
  );
  return edges.toSorted();
}

test('children run side by side, at most 25, and none ends the Map by its failure', () => {
  expect(threads).toMatchObject({
    Type: 'Map',
    MaxConcurrency: 25,
    ItemsPath: '$.threads',
    ItemProcessor: { StartAt: 'ThreadStep' },
  });
  expect(threads).not.toHaveProperty('Catch');
  expect(edgesOf(children)).toEqual([
    'ThreadDecide > ThreadDone',
    'ThreadDecide > ThreadLargeStep',
    'ThreadDecide > ThreadStep',
    'ThreadDecide > ThreadWait',
    'ThreadGiveUp > ThreadDone',
    'ThreadGiveUp > ThreadDone',
    'ThreadLargeStep > ThreadDecide',
    'ThreadLargeStep > ThreadGiveUp',
    'ThreadStep > ThreadDecide',
    'ThreadStep > ThreadGiveUp',
    'ThreadStep > ThreadLargeStep',
    'ThreadWait > ThreadStep',
  ]);
  for (const [name, { Type, Catch }] of children) {
    if (Type === 'Task') expect([name, Catch?.at(-1)?.ErrorEquals]).toEqual([name, ['States.ALL']]);
  }
  expect(threads?.ItemSelector).toEqual({
    'session_id.$': '$.session_id',
    'thread_id.$': '$$.Map.Item.Value.thread_id',
    'run.$': '$$.Map.Item.Value.run',
    inbox: [],
    threads: [],
  });
});

test('a run goes Step, Decide, and then again, through Grade or Wait, or to Done, by a report or not', () => {
  expect(definition.StartAt).toBe('Step');
  expect(edgesOf(states)).toEqual([
    'Decide > Done',
    'Decide > Grade',
    'Decide > LargeStep',
    'Decide > Report',
    'Decide > Step',
    'Decide > Threads',
    'Decide > Wait',
    'DropReport > Done',
    'GiveUp > Done',
    'Grade > Decide',
    'Grade > GiveUp',
    'LargeStep > Decide',
    'LargeStep > GiveUp',
    'Report > Done',
    'Report > DropReport',
    'Step > Decide',
    'Step > GiveUp',
    'Step > LargeStep',
    'Threads > Done',
    'Wait > Step',
  ]);
});

test('an answer that is none of the seven fails the execution, which is an alarm', () => {
  expect(definition.States['Decide']).not.toHaveProperty('Default');
});

const named = (name: string) =>
  tasks.flatMap(([, { Retry = [] }]) =>
    Retry.filter(({ ErrorEquals }) => ErrorEquals.includes(name)),
  );

test('what a step says will pass is retried by its name, what it says will not is never', () => {
  expect(named('RetryableFault')).toHaveLength(tasks.length);
  expect(named('TerminalFault')).toEqual([]);
  expect(named('States.ALL')).toEqual([]);
  expect(named('States.TaskFailed')).toEqual([]);
});

test('the names are those that Fault gives itself', () => {
  const kinds = Object.keys(faults) as FaultKind[];
  const names = new Set(kinds.map((kind) => new Fault(kind, 'x').name));
  expect(names).toEqual(new Set(['RetryableFault', 'TerminalFault']));
});

const waits: [name: string, seconds: number][] = [
  ['RetryableFault', 315],
  ['Lambda.TooManyRequestsException', 1_863],
  ['SandboxBusy', 1_863],
  ['Lambda.ServiceException', 255],
  ['Lambda.AWSLambdaException', 255],
  ['Lambda.SdkClientException', 255],
  ['Lambda.ClientExecutionTimeoutException', 255],
  ['Lambda.Unknown', 255],
  ['Lambda.ResourceConflictException', 255],
  ['Lambda.ResourceNotReadyException', 255],
  ['Sandbox.Timedout', 255],
  ['Sandbox.Failure', 255],
  ['Runtime.ExitError', 255],
  ['Runtime.OutOfMemory', 255],
  ['Runtime.Unknown', 255],
  ['Runtime.NodeJsExit', 255],
  ['Runtime.UnhandledPromiseRejection', 255],
  ['States.Timeout', 255],
];

test.each(waits)(
  '%s is waited for %i s in all, at each task that no other takes over',
  (name, seconds) => {
    const totals = named(name).map(
      ({ IntervalSeconds, BackoffRate, MaxAttempts, MaxDelaySeconds = Infinity }) =>
        Array.from({ length: MaxAttempts }, (_, n) =>
          Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** n),
        ).reduce((a, b) => a + b),
    );
    const takers = tasks.filter(([, { Catch = [] }]) =>
      Catch.every(({ ErrorEquals }) => !ErrorEquals.includes(name)),
    );
    expect(totals).toEqual(takers.map(() => seconds));
  },
);

test('the table has every error that is retried', () => {
  const all = tasks.flatMap(([, { Retry = [] }]) =>
    Retry.flatMap(({ ErrorEquals }) => ErrorEquals),
  );
  expect(new Set(all)).toEqual(new Set(waits.map(([name]) => name)));
});

test('nothing runs without an end', () => {
  expect(definition.TimeoutSeconds).toBe(limits.run_timeout_s);
  expect(tasks.map(([, { TimeoutSeconds }]) => TimeoutSeconds)).toEqual(tasks.map(() => 910));
  expect(limits.step_timeout_s).toBeLessThan(910);
});

test('only ids and counts travel, and the step is told which execution it is', () => {
  const step = definition.States['Step'] as State & { ResultSelector: Record<string, string> };
  const told = {
    'session_id.$': '$.session_id',
    'thread_id.$': '$.thread_id',
    'run.$': '$.run',
    'inbox.$': '$.inbox',
    'execution.$': '$$.Execution.Name',
  };
  const toldStep = { ...told, 'threads.$': '$.threads', 'machine.$': '$$.StateMachine.Id' };
  expect(step.Parameters?.Payload).toEqual(toldStep);
  expect(definition.States['Grade']?.Parameters?.Payload).toEqual(told);
  expect(definition.States['Report']?.Parameters).toEqual({
    FunctionName: definition.States['Grade']?.Parameters?.FunctionName,
    Payload: { ...told, report: true },
  });
  expect(definition.States['DropReport']?.Parameters?.Payload).toEqual({
    ...told,
    report: true,
    give_up: true,
    'error.$': '$.error',
  });
  expect(definition.States['GiveUp']?.Parameters?.Payload).toEqual({
    ...toldStep,
    give_up: true,
    'error.$': '$.error',
  });
  expect(Object.keys(step.ResultSelector)).toEqual([
    'session_id.$',
    'thread_id.$',
    'run.$',
    'inbox.$',
    'next.$',
    'wait_seconds.$',
    'threads.$',
  ]);
});

test.each([
  ['Step', 'LargeStep', 'GiveUp'],
  ['ThreadStep', 'ThreadLargeStep', 'ThreadGiveUp'],
])(
  'what has died as %s goes on as %s, and only what died there too is given up',
  (small, large, giveUp) => {
    const of = new Map(tasks);
    const caught = of.get(small)?.Catch?.[0];
    expect(caught?.Next).toBe(large);
    const died = caught?.ErrorEquals ?? [];
    expect(died).toEqual(
      expect.arrayContaining(['Runtime.ExitError', 'Runtime.OutOfMemory', 'Sandbox.Timedout']),
    );
    const retried = (name: string): string[] =>
      (of.get(name)?.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
    for (const error of died) {
      expect(retried(small)).not.toContain(error);
      expect(retried(large)).toContain(error);
    }
    expect(of.get(large)?.Catch).toMatchObject([{ ErrorEquals: ['States.ALL'], Next: giveUp }]);
    const called = (name: string): unknown => of.get(name)?.Parameters?.FunctionName;
    expect([small, large, giveUp].map(called).map((arn) => String(arn).split(':').at(-1))).toEqual([
      'Step',
      'StepLarge',
      'StepLarge',
    ]);
    expect(of.get(large)?.Parameters?.Payload).toEqual(of.get(small)?.Parameters?.Payload);
  },
);
