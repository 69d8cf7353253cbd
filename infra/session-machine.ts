import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  type CfnStateMachine,
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Fault } from '#shared/core/fault.ts';
import { limits } from '#shared/core/limits.ts';
import type { Settings } from './settings.ts';
import { allow, give, star, type Grant } from './grants.ts';

const retryable: Extract<Fault['name'], 'RetryableFault'> = 'RetryableFault';

/** What the step itself says will pass. 5+10+20+40+80+160 s: over five minutes, then the turn is given up. */
const faultRetry = { ErrorEquals: [retryable], IntervalSeconds: 5, BackoffRate: 2, MaxAttempts: 6 };

/**
 * What Lambda says when it did not run the step to its end: throttled, killed, out of time, lost.
 * A repeated step answers as the first, so all of it may be repeated. 1+2+4+…+128 s: four minutes.
 */
const platformRetry = {
  ErrorEquals: [
    'Lambda.TooManyRequestsException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.Unknown',
    'Sandbox.Timedout',
    'Runtime.ExitError',
    'States.Timeout',
  ],
  IntervalSeconds: 1,
  BackoffRate: 2,
  MaxAttempts: 8,
  // Throttled executions come in herds: spread them.
  JitterStrategy: 'FULL',
};

const Retry = [faultRetry, platformRetry];

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
export class SessionMachine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: SessionMachineProps) {
    super(scope, id);
    const { settings, step, grade } = props;
    const functions = { step: step.functionArn, grade: grade.functionArn };
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      description: `${settings.stack_name}: session machine`,
    });
    give(role, [allow('Tasks', ['lambda:InvokeFunction'], Object.values(functions))]);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(
        Stack.of(this).toJsonString(sessionDefinition(functions)),
      ),
      role,
      tracingEnabled: true,
      logs: {
        level: LogLevel.ERROR,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Logs', {
          // This prefix is what keeps CloudWatch's one resource policy from growing with each machine.
          logGroupName: `/aws/vendedlogs/states/${settings.stack_name}-session`,
          retention: settings.log_retention_days,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    Validations.of(role).acknowledge({
      id: star('*'),
      reason: 'Log deliveries and X-Ray know no resources: Step Functions documents `*` for both.',
    });
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        "Errors are logged; the thread's own log in the table has every event, and logging all would keep it twice.",
    });
  }

  get arn(): string {
    return this.machine.stateMachineArn;
  }

  /** Starting a run, and seeing whether one is alive. */
  runs(): Grant[] {
    const { partition, region, account } = Stack.of(this);
    const { stateMachineName } = this.machine;
    const id = Stack.of(this).getLogicalId(this.machine.node.defaultChild as CfnStateMachine);
    const here = `arn:${partition}:states:${region}:${account}:execution:`;
    return [
      allow('Start', ['states:StartExecution'], [this.arn]),
      {
        ...allow('Executions', ['states:DescribeExecution'], [`${here}${stateMachineName}:*`]),
        wildcard: {
          id: star(
            `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<${id}.Name>:*`,
          ),
          reason: 'Executions of this machine alone; their names are made at run time.',
        },
      },
    ];
  }
}
