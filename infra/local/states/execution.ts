import type * as Library from 'aws-local-stepfunctions';
import type { StateMachine, StateMachineDefinition } from 'aws-local-stepfunctions';
import type { HostClock } from '../clock.ts';
import { adapt, type Adapted } from './definition.ts';
import { Pace } from './pace.ts';
import { checkSize, runTask, StateError, waitDuration, type TaskRun } from './task.ts';

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Started {
  readonly name: string;
  readonly arn: string;
  readonly machine_arn: string;
  readonly input: string;
}

type Json = Parameters<StateMachine['run']>[0];

/**
 * Needed when an execution runs and not before: it takes a quarter of a second to load, which is most of
 * what the host loads at all.
 */
export async function loadLibrary(): Promise<typeof Library> {
  return await import('aws-local-stepfunctions');
}

/** A machine of the template, ready to run. */
export class Machine {
  readonly arn: string;
  readonly name: string;
  readonly role_arn: string;
  readonly #adapted: Adapted;
  #machine: StateMachine | undefined;

  constructor(about: { arn: string; name: string; role_arn: string }, definition: string) {
    this.arn = about.arn;
    this.name = about.name;
    this.role_arn = about.role_arn;
    this.#adapted = adapt(JSON.parse(definition) as Record<string, unknown>);
  }

  start(started: Started, parts: ExecutionParts): Execution {
    return new Execution(started, parts, this.#adapted, async () => await this.#made());
  }

  async #made(): Promise<StateMachine> {
    const library = await loadLibrary();
    // What the host made of waits is not an ARN; the template's own form is checked at synthesis.
    return (this.#machine ??= new library.StateMachine(
      this.#adapted.definition as unknown as StateMachineDefinition,
      { validationOptions: { noValidate: true } },
    ));
  }
}

export interface ExecutionParts extends Omit<TaskRun, 'signal' | 'pace' | 'retried'> {
  /** Called once for each state that is entered, and for each retry. */
  transition(execution: Execution, state: string): void;
  ended(execution: Execution): void;
}

/** One execution: its state for whoever describes it, and its end. */
export class Execution {
  readonly started: Started;
  readonly start_date: Date;
  status: Status = 'RUNNING';
  stop_date: Date | undefined;
  output: string | undefined;
  error: string | undefined;
  cause: string | undefined;
  readonly #abort = new AbortController();
  readonly #clock: HostClock;

  constructor(
    started: Started,
    parts: ExecutionParts,
    adapted: Adapted,
    machine: () => Promise<StateMachine>,
  ) {
    this.started = started;
    this.#clock = parts.clock;
    this.start_date = parts.clock.now();
    const running = this.#run(parts, adapted, machine);
    const { timeout_seconds } = adapted;
    const cancel =
      timeout_seconds === undefined
        ? undefined
        : parts.clock.after(timeout_seconds * 1000, () => this.stop('TIMED_OUT'));
    void running.finally(() => {
      cancel?.();
      parts.ended(this);
    });
  }

  /** End it from outside. A task that runs is left alone, as on AWS; its answer goes nowhere. */
  stop(status: 'ABORTED' | 'TIMED_OUT', error?: string, cause?: string): void {
    if (this.status !== 'RUNNING') return;
    this.error = error ?? (status === 'TIMED_OUT' ? 'States.Timeout' : undefined);
    this.cause = cause;
    this.#end(status);
    this.#abort.abort();
  }

  async #run(
    parts: ExecutionParts,
    adapted: Adapted,
    make: () => Promise<StateMachine>,
  ): Promise<void> {
    try {
      const machine = await make();
      if (this.status !== 'RUNNING') return;
      const output = await this.#outputOf(machine, parts, adapted);
      checkSize(output, 'output');
      if (this.status !== 'RUNNING') return;
      this.output = JSON.stringify(output);
      this.#end('SUCCEEDED');
    } catch (thrown) {
      this.#fail(await innerOf(thrown));
    }
  }

  async #outputOf(
    machine: StateMachine,
    parts: ExecutionParts,
    adapted: Adapted,
  ): Promise<unknown> {
    const signal = this.#abort.signal;
    const retried = (): void => parts.transition(this, 'retry');
    const run: TaskRun = { ...parts, signal, pace: new Pace(), retried };
    const handlers = adapted.host_states.map((state) => [
      state.name,
      async (input: unknown) => {
        if (state.wait === undefined) return await runTask(state, input, run);
        await parts.clock.sleep(waitDuration(state, input, parts.clock.now()), signal);
        return input;
      },
    ]);
    const { arn, name, machine_arn, input } = this.started;
    const { abort, result, eventLogs } = machine.run(JSON.parse(input) as Json, {
      overrides: { taskResourceLocalHandlers: Object.fromEntries(handlers) },
      context: {
        Execution: { Id: arn, Name: name, RoleArn: '' },
        StateMachine: {
          Id: machine_arn,
          Name: machine_arn.slice(machine_arn.lastIndexOf(':') + 1),
        },
      },
    });
    signal.addEventListener('abort', abort, { once: true });
    void this.#follow(eventLogs, parts);
    return await result;
  }

  async #follow(
    events: ReturnType<StateMachine['run']>['eventLogs'],
    parts: ExecutionParts,
  ): Promise<void> {
    for await (const event of events) {
      if (event.type !== 'StateEntered') continue;
      parts.transition(this, event.state.name);
      try {
        checkSize(event.state.input, `input of ${event.state.name}`);
      } catch (cause) {
        this.#fail(cause);
        this.#abort.abort();
      }
    }
  }

  #fail(thrown: unknown): void {
    if (this.status !== 'RUNNING') return;
    const known = thrown instanceof StateError || thrown instanceof Error;
    this.error = known ? thrown.name : 'States.Runtime';
    this.cause = known ? thrown.message : String(thrown);
    this.#end('FAILED');
  }

  #end(status: Status): void {
    this.status = status;
    this.stop_date = this.#clock.now();
  }
}

/** What went wrong in a state stands inside of the library's own error. */
async function innerOf(thrown: unknown): Promise<unknown> {
  const library = await loadLibrary().catch(() => undefined);
  return library !== undefined && thrown instanceof library.ExecutionError ? thrown.cause : thrown;
}
