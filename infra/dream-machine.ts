import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { INVOKE, Machine, Retry } from './machine.ts';
import type { Settings } from './settings.ts';

/** What travels: which dream, which run, and the state that comes next. */
const answered = {
  'dream_id.$': '$.Payload.dream_id',
  'run.$': '$.Payload.run',
  'next.$': '$.Payload.next',
};

const told = { 'dream_id.$': '$.dream_id', 'run.$': '$.run' };

/** The tasks of the dream itself, one after the other. Each answers the name of what comes next. */
const stages = ['Gather', 'Consolidate', 'Verify', 'Gate', 'Publish'] as const;

/** A field of what travels that names the state to come. */
const choice = (Next: string) => ({
  Variable: '$.next',
  StringEquals: Next.toLowerCase(),
  Next,
});

const taskOf =
  (dream: string) =>
  (name: string, payload: object = {}) => ({
    Type: 'Task',
    Resource: INVOKE,
    Parameters: { FunctionName: dream, Payload: { ...told, task: name.toLowerCase(), ...payload } },
    // Longer than Lambda's own: the function's end is the better error.
    TimeoutSeconds: limits.dream_timeout_s + 10,
    Retry,
  });

/** What only a dream by batches comes to: others make no transition more for it. */
function waiting(task: ReturnType<typeof taskOf>, Catch: object): object {
  return {
    Batch: {
      ...task('Batch'),
      Comment: 'Sends what a stage has asked, and brings the answers home.',
      ResultSelector: {
        ...answered,
        'sessions.$': '$.Payload.sessions',
        'seconds.$': '$.Payload.seconds',
      },
      Catch,
      Next: 'Decide',
    },
    Pause: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Batch' },
  };
}

/**
 * A dream in the Amazon States Language (JSONPath), as data. A task that is out of time names itself,
 * and goes on where it was; one that has asked for what a batch is to answer names Batch; one of a dream
 * that is canceled or over names Settle. No text travels: the sessions of the Map are numbers.
 */
export function dreamDefinition(dream: string): object {
  const task = taskOf(dream);
  const Catch = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Fail' }];
  const stage = (name: (typeof stages)[number]) => [
    name,
    {
      ...task(name),
      ResultSelector:
        name === 'Gather' ? { ...answered, 'sessions.$': '$.Payload.sessions' } : answered,
      Catch,
      Next: 'Decide',
    },
  ];
  return {
    Comment: 'One run of a dream: from its inputs to its report.',
    StartAt: 'Gather',
    TimeoutSeconds: limits.dream_run_timeout_s,
    States: {
      ...Object.fromEntries(stages.map(stage)),
      Decide: {
        Type: 'Choice',
        Choices: [...stages, 'Sessions', 'Settle', 'Done', 'Batch', 'Pause'].map(choice),
      },
      Sessions: {
        Type: 'Map',
        Comment: 'Each session is read by itself, piece after piece.',
        ItemsPath: '$.sessions',
        ItemSelector: { ...told, 'session_n.$': '$$.Map.Item.Value' },
        MaxConcurrency: limits.dream_sessions_parallel_max,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Reflect',
          States: {
            Reflect: {
              ...task('Reflect', { 'session_n.$': '$.session_n' }),
              ResultSelector: { ...answered, 'session_n.$': '$.Payload.session_n' },
              Next: 'Reflected',
            },
            Reflected: {
              Type: 'Choice',
              Choices: [choice('Reflect')],
              Default: 'Read',
            },
            Read: { Type: 'Succeed' },
          },
        },
        ResultPath: null,
        Catch,
        // It looks at the dream itself, so also one that was canceled meanwhile goes on from there.
        Next: 'Consolidate',
      },
      ...waiting(task, Catch),
      Fail: {
        ...task('Fail', { 'error.$': '$.error' }),
        Comment: 'Says why in the dream. If that fails too, the execution fails.',
        ResultPath: null,
        Next: 'Settle',
      },
      Settle: {
        ...task('Settle'),
        Comment: 'Frees what the dream holds and ends its session.',
        ResultPath: null,
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
    },
  };
}

export interface DreamMachineProps {
  readonly settings: Settings;
  readonly dream: IFunction;
}

/** The state machine of a dream. */
export class DreamMachine extends Machine {
  constructor(scope: Construct, id: string, { settings, dream }: DreamMachineProps) {
    super(scope, id, {
      settings,
      noun: 'dream',
      definition: dreamDefinition(dream.functionArn),
      functions: [dream],
    });
  }
}
