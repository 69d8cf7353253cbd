/** What one function has used. All are sums since the start or the last reset. */
export interface Usage {
  /** AWS calls by `service:Action`. */
  readonly calls: Record<string, number>;
  read_units: number;
  write_units: number;
  invocations: number;
  errors: number;
  cold_starts: number;
  /** Billed time, as Lambda counts it: each invocation, rounded up to a millisecond. */
  milliseconds: number;
  gigabyte_seconds: number;
}

export interface Counters {
  readonly functions: Readonly<Record<string, Usage>>;
  readonly state_transitions: number;
  readonly executions_started: number;
  readonly api_requests: number;
}

/** Counts what the account's bill and the tests ask for. */
export class Counting {
  #functions: Record<string, Usage> = {};
  #calls_made: Record<string, number> = {};
  state_transitions = 0;
  executions_started = 0;
  api_requests = 0;

  of(function_name: string): Usage {
    return (this.#functions[function_name] ??= {
      calls: {},
      read_units: 0,
      write_units: 0,
      invocations: 0,
      errors: 0,
      cold_starts: 0,
      milliseconds: 0,
      gigabyte_seconds: 0,
    });
  }

  /** Count a call. @returns Which call of its function this is, from 1; a reset does not change that. */
  call(function_name: string, service: string, action: string): number {
    const { calls } = this.of(function_name);
    const name = `${service}:${action}`;
    calls[name] = (calls[name] ?? 0) + 1;
    return (this.#calls_made[function_name] = (this.#calls_made[function_name] ?? 0) + 1);
  }

  snapshot(): Counters {
    const { state_transitions, executions_started, api_requests } = this;
    const functions = structuredClone(this.#functions);
    return { functions, state_transitions, executions_started, api_requests };
  }

  reset(): void {
    this.#functions = {};
    this.state_transitions = 0;
    this.executions_started = 0;
    this.api_requests = 0;
  }
}
