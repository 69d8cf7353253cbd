import { list, record } from '../template/template.ts';

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'NONE' | 'FULL';
}

/** A state whose work the host does itself: a task, or a wait on the host's clock. */
export interface HostState {
  readonly name: string;
  readonly resource: string;
  readonly retriers: readonly Retrier[];
  /** How long one attempt may take. */
  readonly timeout_seconds: number | undefined;
  /** Of a wait: its state as the template has it. */
  readonly wait: Readonly<Record<string, unknown>> | undefined;
}

export interface Adapted {
  /** What the library runs. */
  readonly definition: Record<string, unknown>;
  readonly host_states: readonly HostState[];
  readonly timeout_seconds: number | undefined;
}

/** Longer than any run, and still a delay that a timer of Node takes (24 days). */
const no_timeout_seconds = 2_000_000;

/**
 * Make a definition one that the library runs on the host's clock. The library waits by the machine's
 * own timers and gives a task 60 s where AWS gives it all the time it wants: so waits become tasks of
 * the host, and retries and timeouts are the host's.
 */
export function adapt(definition: Record<string, unknown>): Adapted {
  const host_states: HostState[] = [];
  const { TimeoutSeconds, ...rest } = definition;
  return {
    definition: { ...rest, States: adaptStates(record(rest['States']), host_states) },
    host_states,
    timeout_seconds: typeof TimeoutSeconds === 'number' ? TimeoutSeconds : undefined,
  };
}

function adaptStates(states: Record<string, unknown>, found: HostState[]): Record<string, unknown> {
  const adapted = Object.entries(states).map(([name, state]) => [
    name,
    adaptState(name, record(state), found),
  ]);
  return Object.fromEntries(adapted);
}

function adaptState(
  name: string,
  state: Record<string, unknown>,
  found: HostState[],
): Record<string, unknown> {
  const { Type, Resource, Retry, TimeoutSeconds } = state;
  if (Type === 'Task') {
    const timeout_seconds = typeof TimeoutSeconds === 'number' ? TimeoutSeconds : undefined;
    const retriers = list(Retry) as Retrier[];
    found.push({ name, resource: String(Resource), retriers, timeout_seconds, wait: undefined });
    return { ...without(state, 'Retry'), TimeoutSeconds: no_timeout_seconds };
  }
  if (Type === 'Wait') {
    found.push({ name, resource: 'wait', retriers: [], timeout_seconds: undefined, wait: state });
    const rest = without(state, 'Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath');
    return { ...rest, Type: 'Task', Resource: 'wait', TimeoutSeconds: no_timeout_seconds };
  }
  const nested = { ...state };
  for (const part of ['ItemProcessor', 'Iterator']) {
    const inner = record(state[part]);
    if (state[part] === undefined) continue;
    nested[part] = { ...inner, States: adaptStates(record(inner['States']), found) };
  }
  if (state['Branches'] !== undefined) {
    nested['Branches'] = list(state['Branches']).map((branch) => ({
      ...record(branch),
      States: adaptStates(record(record(branch)['States']), found),
    }));
  }
  return nested;
}

function without(state: Record<string, unknown>, ...fields: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(state).filter(([field]) => !fields.includes(field)));
}
