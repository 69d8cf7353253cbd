import type { Writable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { limits } from '#shared/core/limits.ts';
import { AwsError } from '../aws-error.ts';
import type { Counting } from '../counting.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { Request } from '../iam/statement.ts';
import { record } from '../template/template.ts';
import { jsonFailure, jsonReply, type Plan, type Service, type WireRequest } from '../wire.ts';
import type { Execution, ExecutionParts, Machine } from './execution.ts';

/** How many ended executions can still be described. On AWS it is 90 days of them. */
const ended_max = 10_000;

export interface StatesParts extends Pick<ExecutionParts, 'pools' | 'clock'> {
  readonly machines: readonly Machine[];
  readonly authorizer: Authorizer;
  readonly counting: Counting;
  readonly log: Writable;
}

type Body = Readonly<Record<string, unknown>>;
type Operation = (body: Body) => unknown;

/**
 * Step Functions: Start, Describe, Stop and List of executions. Executions live in memory: one that was
 * running when the host was killed is gone, like a StartExecution that never arrived, and the
 * reconcile function starts it again.
 */
export class StatesService implements Service {
  readonly #parts: StatesParts;
  readonly #executions = new Map<string, Execution>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    StartExecution: (body) => this.#start(body),
    DescribeExecution: (body) => describe(this.#find(body)),
    StopExecution: (body) => this.#stop(body),
    ListExecutions: (body) => this.#list(body),
  };

  constructor(parts: StatesParts) {
    this.#parts = parts;
  }

  plan({ headers, body }: WireRequest): Plan {
    const action = String(headers['x-amz-target'] ?? '').replace('AWSStepFunctions.', '');
    const request = record(JSON.parse(body.toString('utf8')));
    const resource = target(request);
    const permission: Request = { action: `states:${action}`, resource, context: {} };
    return {
      action,
      resource,
      body: request,
      permissions: [permission],
      run: async () => {
        const operation = this.#operations[action];
        if (operation !== undefined) return jsonReply(operation(request));
        throw new AwsError('UnknownOperationException', `The local host does not speak ${action}.`);
      },
    };
  }

  failure = jsonFailure;

  /** Executions that run, for whoever waits until the host is quiet. */
  get running(): number {
    return [...this.#executions.values()].filter(({ status }) => status === 'RUNNING').length;
  }

  /** The host ends: nothing may call a function any more. */
  abortAll(): void {
    for (const execution of this.#executions.values()) execution.stop('ABORTED');
  }

  #start(body: Body): object {
    const machine = this.#machine(body);
    const name = typeof body['name'] === 'string' ? body['name'] : randomUUID();
    const input = typeof body['input'] === 'string' ? body['input'] : '{}';
    checkStart(name, input);
    const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const present = this.#executions.get(arn);
    if (present !== undefined) {
      const same = present.status === 'RUNNING' && present.started.input === input;
      if (!same) throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
      return { executionArn: arn, startDate: seconds(present.start_date) };
    }
    const { authorizer, counting, log } = this.#parts;
    const caller = { role_arn: machine.role_arn, session: name.slice(0, 64) };
    const started = { name, arn, machine_arn: machine.arn, input };
    counting.executions_started += 1;
    const execution = machine.start(started, {
      ...this.#parts,
      authorize: (resource) =>
        authorizer.check(caller, { action: 'lambda:InvokeFunction', resource, context: {} }),
      transition: (_, state) => {
        counting.state_transitions += 1;
        log.write(`${JSON.stringify({ execution: name, state })}\n`);
      },
      ended: ({ status, error, cause }) => {
        log.write(`${JSON.stringify({ execution: name, status, error, cause })}\n`);
      },
    });
    this.#executions.set(arn, execution);
    this.#forget();
    return { executionArn: arn, startDate: seconds(execution.start_date) };
  }

  #stop(body: Body): object {
    const execution = this.#find(body);
    const { error, cause } = body;
    execution.stop(
      'ABORTED',
      typeof error === 'string' ? error : undefined,
      typeof cause === 'string' ? cause : undefined,
    );
    return { stopDate: seconds(execution.stop_date ?? execution.start_date) };
  }

  #list(body: Body): object {
    const machine = this.#machine(body);
    const max = Number(body['maxResults'] ?? 0) || 100;
    const all = [...this.#executions.values()].filter(
      ({ started, status }) =>
        started.machine_arn === machine.arn && status === (body['statusFilter'] ?? status),
    );
    const from = Number(body['nextToken'] ?? 0);
    const page = all.toReversed().slice(from, from + max);
    const more = from + max < all.length ? { nextToken: String(from + max) } : {};
    return { executions: page.map(summary), ...more };
  }

  #machine(body: Body): Machine {
    const arn = body['stateMachineArn'];
    const machine = this.#parts.machines.find((each) => each.arn === arn);
    if (machine !== undefined) return machine;
    const message = `State Machine Does Not Exist: '${String(arn)}'`;
    throw new AwsError('StateMachineDoesNotExist', message);
  }

  #find(body: Body): Execution {
    const arn = String(body['executionArn']);
    const execution = this.#executions.get(arn);
    if (execution !== undefined) return execution;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  #forget(): void {
    if (this.#executions.size <= ended_max) return;
    for (const [arn, { status }] of this.#executions) {
      if (status === 'RUNNING') continue;
      this.#executions.delete(arn);
      return;
    }
  }
}

function target({ executionArn, stateMachineArn }: Body): string {
  const arn = executionArn ?? stateMachineArn;
  return typeof arn === 'string' ? arn : '*';
}

/** @throws AwsError `InvalidName`, `InvalidExecutionInput` */
function checkStart(name: string, input: string): void {
  // oxlint-disable-next-line no-control-regex -- these are what AWS refuses
  if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}$/.test(name)) {
    throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
  }
  if (Buffer.byteLength(input) > limits.state_payload_bytes_max) {
    throw new AwsError(
      'InvalidExecutionInput',
      `Input exceeds ${limits.state_payload_bytes_max} bytes.`,
    );
  }
  try {
    JSON.parse(input);
  } catch {
    throw new AwsError('InvalidExecutionInput', 'Invalid State Machine Execution Input');
  }
}

function summary(execution: Execution): object {
  const { started, status, start_date, stop_date } = execution;
  return {
    executionArn: started.arn,
    stateMachineArn: started.machine_arn,
    name: started.name,
    status,
    startDate: seconds(start_date),
    ...(stop_date === undefined ? {} : { stopDate: seconds(stop_date) }),
  };
}

function describe(execution: Execution): object {
  const { started, output, error, cause } = execution;
  return { ...summary(execution), input: started.input, output, error, cause };
}

function seconds(date: Date): number {
  return date.getTime() / 1000;
}
