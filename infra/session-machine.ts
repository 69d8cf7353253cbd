import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { INVOKE, Machine, Retry } from './machine.ts';
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
export function sessionDefinition(functions: {
  readonly step: string;
  readonly grade: string;
}): object {
  return {
    Comment: 'One run of a session: from running to idle.',
    StartAt: 'Step',
    TimeoutSeconds: limits.run_timeout_s,
    States: {
      Step: {
        ...invoke,
        Parameters: { FunctionName: functions.step, Payload: toldStep },
        // Longer than Lambda's own: the function's end is the better error.
        TimeoutSeconds: limits.step_timeout_s + 10,
        ResultSelector: answered,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'GiveUp' }],
        Next: 'Decide',
      },
      Decide: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.next', StringEquals: 'again', Next: 'Step' },
          { Variable: '$.next', StringEquals: 'grade', Next: 'Grade' },
          { Variable: '$.next', StringEquals: 'report', Next: 'Report' },
          { Variable: '$.next', StringEquals: 'wait', Next: 'Wait' },
          { Variable: '$.next', StringEquals: 'threads', Next: 'Threads' },
          { Variable: '$.next', StringEquals: 'done', Next: 'Done' },
        ],
      },
      Threads: threadsState(functions.step),
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
          FunctionName: functions.step,
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
function threadsState(step: string): object {
  const TimeoutSeconds = limits.step_timeout_s + 10;
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
        ThreadStep: {
          ...invoke,
          Parameters: { FunctionName: step, Payload: toldStep },
          TimeoutSeconds,
          ResultSelector: answered,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'ThreadGiveUp' }],
          Next: 'ThreadDecide',
        },
        ThreadDecide: {
          Type: 'Choice',
          Choices: [
            { Variable: '$.next', StringEquals: 'again', Next: 'ThreadStep' },
            { Variable: '$.next', StringEquals: 'wait', Next: 'ThreadWait' },
          ],
          Default: 'ThreadDone',
        },
        ThreadWait: { Type: 'Wait', SecondsPath: '$.wait_seconds', Next: 'ThreadStep' },
        ThreadGiveUp: {
          ...invoke,
          Comment: 'Ends the child with session.error. If that fails too, reconcile finds it.',
          Parameters: {
            FunctionName: step,
            Payload: { ...toldStep, give_up: true, 'error.$': '$.error' },
          },
          TimeoutSeconds,
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
  readonly grade: IFunction;
}

/** The state machine that keeps a session's steps going. */
export class SessionMachine extends Machine {
  constructor(scope: Construct, id: string, { settings, step, grade }: SessionMachineProps) {
    super(scope, id, {
      settings,
      noun: 'session',
      definition: sessionDefinition({ step: step.functionArn, grade: grade.functionArn }),
      functions: [step, grade],
    });
  }
}
