import { limits } from '#shared/core/limits.ts';
import { AwsError } from '../aws-error.ts';
import type { HostClock } from '../clock.ts';
import type { FunctionPool } from '../lambda/pool.ts';
import { record } from '../template/template.ts';
import type { HostState, Retrier } from './definition.ts';
import type { Pace } from './pace.ts';

/** An error of a state: `name` is what `Retry` and `Catch` match, the message is its `Cause`. */
export class StateError extends Error {
  override readonly name: string;
  /** The library asks these two. AWS lets no retrier or catcher have a `States.DataLimitExceeded`. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
    this.isRetryable = name !== 'States.DataLimitExceeded';
    this.isCatchable = this.isRetryable;
  }
}

/** @throws StateError `States.DataLimitExceeded` */
export function checkSize(value: unknown, what: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? 'null');
  if (bytes <= limits.state_payload_bytes_max) return;
  throw new StateError(
    'States.DataLimitExceeded',
    `The ${what} has ${bytes} bytes, more than the ${limits.state_payload_bytes_max} that a state may have.`,
  );
}

export interface TaskRun {
  readonly pools: readonly FunctionPool[];
  readonly clock: HostClock;
  readonly signal: AbortSignal;
  /** @throws AwsError when the machine's role may not invoke the function. */
  authorize(function_arn: string): void;
  /** Of the execution that the task belongs to. */
  readonly pace: Pace;
  /** Called for each attempt after the first: AWS bills it as a transition. */
  retried(): void;
}

/** Do a task with its retries, whose delays are the host clock's. */
export async function runTask(state: HostState, input: unknown, run: TaskRun): Promise<unknown> {
  const attempts = state.retriers.map(() => 0);
  await run.pace.turn();
  // Stopped meanwhile: the function is called no more.
  run.signal.throwIfAborted();
  for (;;) {
    try {
      checkSize(input, `input of ${state.name}`);
      // oxlint-disable-next-line no-await-in-loop -- an attempt after the other
      const result = await attempt(state, input, run);
      checkSize(result, `result of ${state.name}`);
      return result;
    } catch (cause) {
      const delay_ms = retryDelay(state.retriers, attempts, cause);
      if (delay_ms === undefined || run.signal.aborted) throw cause;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await run.clock.sleep(delay_ms, run.signal);
      run.retried();
    }
  }
}

/** One attempt, which its function outlives when it takes too long, as on AWS. */
async function attempt(state: HostState, input: unknown, run: TaskRun): Promise<unknown> {
  const { timeout_seconds } = state;
  if (timeout_seconds === undefined) return await invoke(state, input, run);
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new StateError(
    'States.Timeout',
    `${state.name} took more than ${timeout_seconds} s.`,
  );
  const timer = setTimeout(() => reject(late), timeout_seconds * 1000);
  try {
    return await Promise.race([invoke(state, input, run), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first retrier that matches decides; each counts its own attempts, as ASL says. */
export function retryDelay(
  retriers: readonly Retrier[],
  attempts: number[],
  cause: unknown,
): number | undefined {
  const name = cause instanceof Error ? cause.name : 'States.TaskFailed';
  if (cause instanceof StateError && !cause.isRetryable) return undefined;
  const at = retriers.findIndex(({ ErrorEquals }) => covers(ErrorEquals, name));
  const retrier = retriers[at];
  const made = attempts[at];
  if (retrier === undefined || made === undefined || made >= (retrier.MaxAttempts ?? 3)) {
    return undefined;
  }
  attempts[at] = made + 1;
  const seconds = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** made;
  const bounded = Math.min(seconds, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return 1000 * bounded * (retrier.JitterStrategy === 'FULL' ? Math.random() : 1);
}

function covers(wanted: readonly string[], name: string): boolean {
  if (wanted.includes(name) || wanted.includes('States.ALL')) return true;
  return wanted.includes('States.TaskFailed') && name !== 'States.Timeout';
}

/** The two ways to call a function from a task: the `lambda:invoke` integration, and its plain ARN. */
async function invoke(state: HostState, input: unknown, run: TaskRun): Promise<unknown> {
  const integrated = state.resource.endsWith(':states:::lambda:invoke');
  const { FunctionName, Payload, TenantId } = record(input);
  const target = integrated ? String(FunctionName) : state.resource;
  const event = integrated ? (Payload ?? {}) : input;
  const pool = run.pools.find(({ settings }) => [settings.arn, settings.name].includes(target));
  if (pool === undefined) {
    throw new StateError('Lambda.ResourceNotFoundException', `Function not found: ${target}`);
  }
  try {
    run.authorize(pool.settings.arn);
    const options = typeof TenantId === 'string' ? { tenant_id: TenantId } : {};
    const outcome = await pool.invoke(JSON.stringify(event), options).outcome;
    if (!outcome.ok) throw new StateError(outcome.error.errorType, JSON.stringify(outcome.error));
    const result: unknown = JSON.parse(outcome.body);
    return integrated ? { ExecutedVersion: '$LATEST', Payload: result, StatusCode: 200 } : result;
  } catch (cause) {
    if (!(cause instanceof AwsError)) throw cause;
    throw new StateError('Lambda.AWSLambdaException', cause.message);
  }
}

/** How long a wait lasts, in milliseconds of the host's clock. */
export function waitDuration(state: HostState, input: unknown, now: Date): number {
  const { Seconds, SecondsPath, Timestamp, TimestampPath } = state.wait ?? {};
  if (typeof Seconds === 'number') return Seconds * 1000;
  if (SecondsPath !== undefined) return 1000 * Number(pathOf(input, SecondsPath));
  const until = Timestamp ?? pathOf(input, TimestampPath);
  return Math.max(0, new Date(String(until)).getTime() - now.getTime());
}

/** A reference path (`$.a.b`) into a wait's input. @throws StateError `States.Runtime` */
function pathOf(input: unknown, path: unknown): unknown {
  const parts = String(path)
    .replace(/^\$\.?/, '')
    .split('.')
    .filter(Boolean);
  const value = parts.reduce<unknown>((at, part) => record(at)[part], input);
  if (typeof value === 'number' || typeof value === 'string') return value;
  throw new StateError('States.Runtime', `The path ${String(path)} of a wait leads to nothing.`);
}
