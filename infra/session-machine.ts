import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { died, INVOKE, Machine, Retry, RetryUnlessDied } from './machine.ts';
import type { Settings } from './settings.ts';

/** What the step is told: ids, never content. The name is the fence against a second execution of the run. */
const told = {
  'session_id.$': '$.session_id',
  'thread_id.$': '$.thread_id',
  'run.$': '$.run',
  'inbox.$': '$.inbox',
  'execution.$': '$$.Execution.Name',
};

/** What only the step is told: the children that it is to run, and the machine that it may start others of. */
const toldStep = { ...told, 'threads.$': '$.threads', 'machine.$': '$$.StateMachine.Id' };

/** What travels on: the seven fields that the states below read, whatever else the step may answer. */
const answered = {
  'session_id.$': '$.Payload.session_id',
  'thread_id.$': '$.Payload.thread_id',
  'run.$': '$.Payload.run',
  'inbox.$': '$.Payload.inbox',
  'next.$': '$.Payload.next',
  'wait_seconds.$': '$.Payload.wait_seconds',
  'threads.$': '$.Payload.threads',
};

const invoke = { Type: 'Task', Resource: INVOKE, Retry };

interface Functions {
  readonly step: string;
  readonly largeStep: string;
  readonly grade: string;
}

/**
 * A task that works on a thread, and the same with more memory: where the step says so, and where its
 * function has died, as one does for want of it. `of` goes before the names of the states.
 */
function stepStates({ step, largeStep }: Functions, of: '' | 'Thread'): object {
  const task = {
    ...invoke,
    // Longer than Lambda's own: the function's end is the better error.
    TimeoutSeconds: limits.step_timeout_s + 10,
    ResultSelector: answered,
    Next: `${of}Decide`,
  };
  const giveUp = { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: `${of}GiveUp` };
  const goOn = { ErrorEquals: died, ResultPath: '$.error', Next: `${of}LargeStep` };
  return {
    [`${of}Step`]: {
      ...task,
      Retry: RetryUnlessDied,
      Parameters: { FunctionName: step, Payload: toldStep },
      Catch: [goOn, giveUp],
    },
    [`${of}LargeStep`]: {
      ...task,
      Comment: 'The same step with more memory.',
      Parameters: { FunctionName: largeStep, Payload: toldStep },
      Catch: [giveUp],
    },
  };
}

/** Behind the rest of a run: the session is idle, and whatever happens here never touches it. */
function reportStates(grade: string): object {
  return {
    Report: {
      ...invoke,
      Comment:
        "The session is idle already: a grader reports on the run by the agent's outcome model.",
      Parameters: { FunctionName: grade, Payload: { ...told, report: true } },
      TimeoutSeconds: limits.step_timeout_s + 10,
      ResultPath: null,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'DropReport' }],
      Next: 'Done',
    },
    DropReport: {
      ...invoke,
      Comment: 'Writes that there is no report. If that fails too, the execution fails: an alarm.',
      Parameters: {
        FunctionName: grade,
        Payload: { ...told, report: true, give_up: true, 'error.$': '$.error' },
      },
      TimeoutSeconds: limits.step_timeout_s + 10,
      ResultPath: null,
      Next: 'Done',
    },
  };
}

/**
 * The run of a session in the Amazon States Language (JSONPath), as data: this is what deploys,
 * what the local host runs and what the tests read.
 */
export function sessionDefinition(functions: Functions): object {
  return {
    Comment: 'One run of a session: from running to idle.',
    StartAt: 'Step',
    TimeoutSeconds: limits.run_timeout_s,
    States: {
      ...stepStates(functions, ''),
      Decide: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.next', StringEquals: 'again', Next: 'Step' },
          { Variable: '$.next', StringEquals: 'large', Next: 'LargeStep' },
          { Variable: '$.next', StringEquals: 'grade', Next: 'Grade' },
          { Variable: '$.next', StringEquals: 'report', Next: 'Report' },
          { Variable: '$.next', StringEquals: 'wait', Next: 'Wait' },
          { Variable: '$.next', StringEquals: 'threads', Next: 'Threads' },
          { Variable: '$.next', StringEquals: 'done', Next: 'Done' },
        ],
      },
      Threads: threadsState(functions),
      Grade: {
        ...invoke,
        Comment:
          'A grader in a context of its own judges the outcome; the step goes on from there.',
        Parameters: { FunctionName: functions.grade, Payload: told },
        TimeoutSeconds: limits.step_timeout_s + 10,
        ResultSelector: answered,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'GiveUp' }],
        Next: 'Decide',
      },
      ...reportStates(functions.grade),
      Wait: { Type: 'Wait', SecondsPath: '$.wait_seconds', Next: 'Step' },
      GiveUp: {
        ...invoke,
        Comment:
          'Ends the turn with session.error. If that fails too, the execution fails: an alarm.',
        Parameters: {
          FunctionName: functions.largeStep,
          Payload: { ...toldStep, give_up: true, 'error.$': '$.error' },
        },
        TimeoutSeconds: limits.step_timeout_s + 10,
        ResultPath: null,
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
    },
  };
}

/**
 * Children of one session side by side, each until it rests. What becomes of one is data in its own
 * rows: none fails another, and the primary thread is not held, for it has an execution of its own.
 * Their histories are one: 25 that work for a whole day would fill it, and reconcile goes on with them.
 */
function threadsState(functions: Functions): object {
  return {
    Type: 'Map',
    ItemsPath: '$.threads',
    ItemSelector: {
      'session_id.$': '$.session_id',
      'thread_id.$': '$$.Map.Item.Value.thread_id',
      'run.$': '$$.Map.Item.Value.run',
      inbox: [],
      threads: [],
    },
    MaxConcurrency: limits.session_children_max,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'INLINE' },
      StartAt: 'ThreadStep',
      States: {
        ...stepStates(functions, 'Thread'),
        ThreadDecide: {
          Type: 'Choice',
          Choices: [
            { Variable: '$.next', StringEquals: 'again', Next: 'ThreadStep' },
            { Variable: '$.next', StringEquals: 'large', Next: 'ThreadLargeStep' },
            { Variable: '$.next', StringEquals: 'wait', Next: 'ThreadWait' },
          ],
          Default: 'ThreadDone',
        },
        ThreadWait: { Type: 'Wait', SecondsPath: '$.wait_seconds', Next: 'ThreadStep' },
        ThreadGiveUp: {
          ...invoke,
          Comment: 'Ends the child with session.error. If that fails too, reconcile finds it.',
          Parameters: {
            FunctionName: functions.largeStep,
            Payload: { ...toldStep, give_up: true, 'error.$': '$.error' },
          },
          TimeoutSeconds: limits.step_timeout_s + 10,
          ResultPath: null,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'ThreadDone' }],
          Next: 'ThreadDone',
        },
        ThreadDone: { Type: 'Succeed' },
      },
    },
    ResultPath: null,
    Next: 'Done',
  };
}

export interface SessionMachineProps {
  readonly settings: Settings;
  readonly step: IFunction;
  readonly largeStep: IFunction;
  readonly grade: IFunction;
}

/** The state machine that keeps a session's steps going. */
export class SessionMachine extends Machine {
  constructor(scope: Construct, id: string, props: SessionMachineProps) {
    const { settings, step, largeStep, grade } = props;
    super(scope, id, {
      settings,
      noun: 'session',
      definition: sessionDefinition({
        step: step.functionArn,
        largeStep: largeStep.functionArn,
        grade: grade.functionArn,
      }),
      functions: [step, largeStep, grade],
    });
  }
}
