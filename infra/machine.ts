import { Aws, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
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
import { createHash } from 'node:crypto';
import type { Fault } from '#shared/core/fault.ts';
import type { SandboxBusy } from '#shared/tools/sandbox.ts';
import type { Settings } from './settings.ts';
import { allow, give, star, type Grant } from './grants.ts';
import { stateMachines } from './trust.ts';

/** The integration by which a task calls a function: its ARN is of the partition that the stack is in. */
export const INVOKE = `arn:${Aws.PARTITION}:states:::lambda:invoke`;

const retryable: Extract<Fault['name'], 'RetryableFault'> = 'RetryableFault';

/** What the task itself says will pass. 5+10+20+40+80+160 s: over five minutes, then it is given up. */
const faultRetry = { ErrorEquals: [retryable], IntervalSeconds: 5, BackoffRate: 2, MaxAttempts: 6 };

const busy: SandboxBusy['name'] = 'SandboxBusy';

/**
 * No concurrency left, for the task or for a tool of it: a wait and no failure, and a young account has ten
 * executions in all, and 25 sandboxes, idle ones counted. A quarter of an hour on average, before what would
 * take a turn's place is given up for want of it.
 */
const throttleRetry = {
  ErrorEquals: ['Lambda.TooManyRequestsException', busy],
  IntervalSeconds: 1,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 36,
  // Throttled executions come in herds: spread them.
  JitterStrategy: 'FULL',
};

/** What Lambda says when the function has died under the task: for want of memory, as far as anybody knows. */
export const died = [
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
  'Runtime.Unknown',
];

/** What Lambda says when it did not run the task to its end: lost, not ready, left by Node. */
const lost = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ResourceConflictException',
  'Lambda.ResourceNotReadyException',
  'Sandbox.Failure',
  'Runtime.NodeJsExit',
  'Runtime.UnhandledPromiseRejection',
  'States.Timeout',
];

/** A repeated task answers as the first, so all of it may be repeated. 1+2+4+…+128 s: four minutes. */
const platformRetry = {
  IntervalSeconds: 1,
  BackoffRate: 2,
  MaxAttempts: 8,
  JitterStrategy: 'FULL',
};

/** How a task is repeated; behind it comes its Catch. */
export const Retry = [
  faultRetry,
  throttleRetry,
  { ErrorEquals: [...lost, ...died], ...platformRetry },
];

/** Of a task that another takes over when its function has died. */
export const RetryUnlessDied = [faultRetry, throttleRetry, { ErrorEquals: lost, ...platformRetry }];

export interface MachineProps {
  readonly settings: Settings;
  /** Of its log and its grants. */
  readonly noun: 'session' | 'dream';
  /** In the Amazon States Language, as data: what deploys, what the local host runs, what tests read. */
  readonly definition: object;
  /** What its tasks call. */
  readonly functions: readonly IFunction[];
}

/** The names of the two grants, which one role may have for both machines. */
const sids = {
  session: ['Start', 'Executions'],
  dream: ['StartDreams', 'Dreams'],
} as const;

/** A Standard machine with a role and a log of its own. */
export class Machine extends Construct {
  readonly machine: StateMachine;
  readonly #noun: MachineProps['noun'];

  constructor(scope: Construct, id: string, props: MachineProps) {
    super(scope, id);
    const { settings, noun, functions } = props;
    this.#noun = noun;
    const role = new Role(this, 'Role', {
      assumedBy: stateMachines(this),
      description: `${settings.stack_name}: ${noun} machine`,
    });
    const arns = functions.map(({ functionArn }) => functionArn);
    give(role, [allow('Tasks', ['lambda:InvokeFunction'], arns)]);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: nameOf(props),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(props.definition)),
      role,
      tracingEnabled: true,
      logs: {
        level: LogLevel.ERROR,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Logs', {
          // This prefix is what keeps CloudWatch's one resource policy from growing with each machine.
          logGroupName: `/aws/vendedlogs/states/${settings.stack_name}-${noun}`,
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
        'Errors are logged; what a run has done stands in the table, and logging all would keep it twice.',
    });
  }

  get arn(): string {
    return this.machine.stateMachineArn;
  }

  /** Starting a run. */
  start(): Grant {
    return allow(sids[this.#noun][0], ['states:StartExecution'], [this.arn]);
  }

  /** Starting a run, and seeing whether one is alive. */
  runs(): Grant[] {
    const { partition, region, account } = Stack.of(this);
    const { stateMachineName } = this.machine;
    const id = Stack.of(this).getLogicalId(this.machine.node.defaultChild as CfnStateMachine);
    const here = `arn:${partition}:states:${region}:${account}:execution:`;
    const describe = ['states:DescribeExecution'];
    return [
      this.start(),
      {
        ...allow(sids[this.#noun][1], describe, [`${here}${stateMachineName}:*`]),
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

/**
 * Step Functions takes no name of an execution twice within 90 days, and a table that was restored counts
 * runs that there have been already: so it gets machines of its own, for which all names are free.
 */
function nameOf({ settings, noun }: MachineProps): string | undefined {
  const { restored_table, stack_name } = settings;
  if (restored_table === undefined) return undefined;
  const digest = createHash('sha256').update(restored_table).digest('hex').slice(0, 8);
  return `${stack_name}-${noun}-${digest}`;
}
