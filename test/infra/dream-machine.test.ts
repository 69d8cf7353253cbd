/** The dream machine as it deploys: valid, bounded, resumable, and nothing but ids in its states. */
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { limits } from '../../shared/core/limits.ts';
import { processings, timeoutMs } from '../../shared/dreams/dream.ts';
import { stage_tasks } from '../../shared/dreams/stages/run-stage.ts';
import { only, plain, synth } from './stack.ts';

// It has no types, and it is CommonJS that exports a function.
const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
  isValid: boolean;
  errors: unknown[];
};

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { Next: string; StringEquals: string }[];
  readonly Catch?: readonly { ErrorEquals: string[]; ResultPath: string; Next: string }[];
  readonly Retry?: readonly { ErrorEquals: string[] }[];
  readonly TimeoutSeconds?: number;
  readonly ResultSelector?: Record<string, string>;
  readonly ResultPath?: string | null;
  readonly MaxConcurrency?: number;
  readonly ItemSelector?: Record<string, string>;
  readonly ItemProcessor?: Machine;
  readonly Parameters?: { Payload: Record<string, unknown> };
}

interface Machine {
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly States: Record<string, State>;
}

const { template } = synth();
const machine = only(template, 'AWS::StepFunctions::StateMachine', 'Dreams').Properties;
const text = String(plain(machine['DefinitionString']))
  .replaceAll('<AWS::Partition>', 'aws')
  .replaceAll('<DreamFunction.Arn>', 'arn:aws:lambda:us-east-1:111122223333:function:Dream');
const definition = JSON.parse(text) as Machine;
const inner = definition.States['Sessions']?.ItemProcessor;
const states = [...Object.entries(definition.States), ...Object.entries(inner?.States ?? {})];
const tasks = states.filter(([, { Type }]) => Type === 'Task');

test('it is valid Amazon States Language', () => {
  expect(validate(definition)).toMatchObject({ isValid: true, errors: [] });
});

test('it is a Standard machine, logged from ERROR on and traced', () => {
  expect(machine).toMatchObject({
    StateMachineType: 'STANDARD',
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: true },
    TracingConfiguration: { Enabled: true },
  });
});

const edgesOf = (from: Record<string, State>): string[] =>
  Object.entries(from)
    .flatMap(([name, { Next, Default, Choices = [], Catch = [] }]) =>
      [Next, Default, ...[...Choices, ...Catch].map((each) => each.Next)]
        .filter((next) => next !== undefined)
        .map((next) => `${name} > ${next}`),
    )
    .toSorted();

test('every stage says where it goes, whatever fails goes to Fail, and all end through Settle', () => {
  expect(definition.StartAt).toBe('Gather');
  const stages = ['Consolidate', 'Gate', 'Gather', 'Publish', 'Verify'];
  expect(edgesOf(definition.States)).toEqual(
    [
      ...stages.flatMap((stage) => [`Decide > ${stage}`, `${stage} > Decide`, `${stage} > Fail`]),
      'Decide > Sessions',
      'Decide > Settle',
      'Decide > Done',
      'Decide > Batch',
      'Decide > Pause',
      'Batch > Decide',
      'Batch > Fail',
      'Pause > Batch',
      'Sessions > Consolidate',
      'Sessions > Fail',
      'Fail > Settle',
      'Settle > Done',
    ].toSorted(),
  );
});

test('sessions are read 25 at once, each again and again until it is read', () => {
  expect(definition.States['Sessions']).toMatchObject({
    Type: 'Map',
    MaxConcurrency: 25,
    ItemSelector: {
      'dream_id.$': '$.dream_id',
      'run.$': '$.run',
      'session_n.$': '$$.Map.Item.Value',
    },
    // 100 answers would only be in the way.
    ResultPath: null,
  });
  expect(edgesOf(inner?.States ?? {})).toEqual([
    'Reflect > Reflected',
    'Reflected > Read',
    'Reflected > Reflect',
  ]);
});

test('each task is one that the function knows, under the name of its state', () => {
  const names = tasks.map(([name, { Parameters }]) => {
    expect(Parameters?.Payload['task']).toBe(name.toLowerCase());
    return name.toLowerCase();
  });
  expect(names.toSorted()).toEqual(stage_tasks.toSorted());
});

test('a dream that waits for a batch pauses as long as its answer says, and looks again', () => {
  expect(definition.States['Pause']).toMatchObject({
    Type: 'Wait',
    SecondsPath: '$.seconds',
    Next: 'Batch',
  });
});

test('an answer that is none of those fails the execution: reconcile brings the dream back', () => {
  expect(definition.States['Decide']).not.toHaveProperty('Default');
  const choices = definition.States['Decide']?.Choices ?? [];
  for (const { Next, StringEquals } of choices) expect(StringEquals).toBe(Next.toLowerCase());
});

test('only ids and numbers travel; what a Catch has caught goes to Fail and no further', () => {
  for (const [name, { ResultSelector, ResultPath, Catch = [] }] of tasks) {
    for (const each of Catch) expect(each).toMatchObject({ ResultPath: '$.error', Next: 'Fail' });
    if (ResultPath === null) continue;
    const more =
      {
        Gather: ['sessions.$'],
        Reflect: ['session_n.$'],
        Batch: ['sessions.$', 'seconds.$'],
      }[name] ?? [];
    const all = ['dream_id.$', 'run.$', 'next.$', ...more];
    expect(Object.keys(ResultSelector ?? {})).toEqual(all);
  }
});

test('what may pass is repeated at each task, by the names that pass and no others', () => {
  const session = only(template, 'AWS::StepFunctions::StateMachine', 'Session').Properties;
  const { States } = JSON.parse(String(plain(session['DefinitionString']))) as Machine;
  for (const [, { Retry }] of tasks) expect(Retry).toEqual(States['LargeStep']?.Retry);
});

test('nothing runs without an end', () => {
  const run_ms = limits.dream_run_timeout_s * 1_000;
  expect(definition.TimeoutSeconds).toBe(limits.dream_run_timeout_s);
  for (const processing of processings) expect(timeoutMs({ processing })).toBeLessThan(run_ms);
  expect(new Set(tasks.map(([, { TimeoutSeconds }]) => TimeoutSeconds))).toEqual(new Set([910]));
  expect(limits.dream_timeout_s).toBeLessThan(910);
});
