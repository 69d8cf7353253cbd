import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { Machine, Retry } from './machine.ts';
import type { Settings } from './settings.ts';

/** What the step is told: ids, never content. The name is the fence against a second execution of the run. */
const told = {
  'session_id.$': '$.session_id',
  'thread_id.$': '$.thread_id',
  'run.$': '$.run',
  'inbox.$': '$.inbox',
  'execution.$': '$$.Execution.Name',
};

/** What travels on: the six fields that the states below read, whatever else the step may answer. */
const answered = {
  'session_id.$': '$.Payload.session_id',
  'thread_id.$': '$.Payload.thread_id',
  'run.$': '$.Payload.run',
  'inbox.$': '$.Payload.inbox',
  'next.$': '$.Payload.next',
  'wait_seconds.$': '$.Payload.wait_seconds',
};

const invoke = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Retry };

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
        Parameters: { FunctionName: functions.step, Payload: told },
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
          { Variable: '$.next', StringEquals: 'done', Next: 'Done' },
        ],
      },
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
          Payload: { ...told, give_up: true, 'error.$': '$.error' },
        },
        TimeoutSeconds: limits.step_timeout_s + 10,
        ResultPath: null,
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
    },
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
