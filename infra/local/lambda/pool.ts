import { join } from 'node:path';
import pLimit from 'p-limit';
import { AwsError } from '../aws-error.ts';
import type { Counting } from '../counting.ts';
import { LogFile } from '../log-file.ts';
import {
  Environment,
  payload_bytes_max,
  type FunctionSettings,
  type Invocation,
  type InvocationOptions,
  type Outcome,
} from './function.ts';

/** A tenant's environment costs tens of megabytes; beyond this many the longest idle one ends. */
const tenants_max = 12;
const tenant_idle_ms = 120_000;
/** A crowd of tenants that all load at once would leave no processor to anything else for half a minute. */
const starts_at_once = 2;
/** Loading one takes some hundred milliseconds of a processor: not while the tenant's call runs. */
const spare_delay_ms = 1_000;

type Begin = (environment: Environment | undefined) => void;

const neverStarted: Outcome = {
  ok: false,
  error: { errorType: 'Runtime.ExitError', errorMessage: 'The host stopped before it was loaded.' },
};

/** One function and the environments that run it: one for all, or one for each tenant. */
export class FunctionPool {
  readonly settings: FunctionSettings;
  readonly #counting: Counting;
  readonly #log: LogFile;
  /** By tenant, those that take invocations. */
  readonly #environments = new Map<string, Environment>();
  /** Also those that only finish what they have begun. */
  readonly #alive = new Set<Environment>();
  /** By tenant, those that wait for their turn to be loaded. */
  readonly #starting = new Map<string, Begin[]>();
  readonly #starts = pLimit(starts_at_once);
  #stopped = false;
  #is_warmed = false;
  /** Loaded and nobody's yet: the next tenant does not wait for a thread to start. */
  #spare: Environment | undefined;
  #spare_timer: NodeJS.Timeout | undefined;
  readonly #sweep: NodeJS.Timeout;

  constructor(settings: FunctionSettings, counting: Counting, logs: string) {
    this.settings = settings;
    this.#counting = counting;
    this.#log = new LogFile(join(logs, `${settings.short_name}.log`));
    // Every environment of the function pipes into it.
    this.#log.setMaxListeners(0);
    this.#sweep = setInterval(() => this.#endIdle(), tenant_idle_ms / 4);
    this.#sweep.unref();
  }

  /** Load the function before the first call needs it, and of a tenant's own one always one more. */
  async warm(): Promise<void> {
    if (this.#stopped) return;
    this.#is_warmed = true;
    const { per_tenant } = this.settings;
    const environment = per_tenant ? (this.#spare ??= this.#open()) : this.#environment('');
    await environment.loaded;
  }

  /** @throws AwsError for a payload over 6 MB, or a tenant that is missing or not wanted. */
  invoke(event: string, options: InvocationOptions = {}): Invocation {
    if (Buffer.byteLength(event) > payload_bytes_max) {
      throw new AwsError(
        'RequestTooLargeException',
        `Request must be smaller than ${payload_bytes_max} bytes for the InvokeFunction operation`,
        413,
      );
    }
    const { per_tenant } = this.settings;
    if (per_tenant !== (options.tenant_id !== undefined)) {
      const message = per_tenant
        ? 'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request.'
        : 'The invoked function is not enabled with tenancy configuration. Remove the tenant ID.';
      throw new AwsError('InvalidParameterValueException', message);
    }
    const tenant = options.tenant_id ?? '';
    if (!per_tenant || this.#usable(tenant) !== undefined) {
      return this.#environment(tenant).invoke(event, options);
    }
    const outcome = new Promise<Outcome>((resolve) => {
      this.#whenStarted(tenant, (environment) =>
        resolve(environment?.invoke(event, options).outcome ?? neverStarted),
      );
    });
    // A tenant's function answers whole: there is no stream whose client could leave.
    return { outcome, cancel: () => undefined };
  }

  /** Of the environment that holds most. */
  async memoryBytes(): Promise<number> {
    const each = await Promise.all([...this.#alive].map((one) => one.memoryBytes()));
    return Math.max(0, ...each);
  }

  /** End every environment; what runs in them fails as in a crash. */
  async kill(): Promise<void> {
    clearTimeout(this.#spare_timer);
    this.#spare = undefined;
    this.#environments.clear();
    await Promise.all([...this.#alive].map((environment) => environment.kill()));
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    this.#stopped = true;
    await this.kill();
    await new Promise((resolve) => this.#log.end(resolve));
  }

  #usable(tenant: string): Environment | undefined {
    const found = this.#environments.get(tenant);
    return found?.retired === false ? found : undefined;
  }

  /** Give the tenant's environment to `begin` once it is its turn to load; nothing when the host has stopped. */
  #whenStarted(tenant: string, begin: Begin): void {
    const waiting = this.#starting.get(tenant);
    if (waiting !== undefined) return void waiting.push(begin);
    const begins = [begin];
    this.#starting.set(tenant, begins);
    void this.#starts(async () => {
      this.#starting.delete(tenant);
      const environment = this.#stopped ? undefined : this.#environment(tenant);
      // At once: one that is not busy yet could be ended for the next tenant.
      for (const each of begins) each(environment);
      await environment?.loaded;
    });
  }

  #environment(tenant: string): Environment {
    const found = this.#usable(tenant);
    if (found !== undefined) return found;
    if (this.#environments.size >= tenants_max) this.#endLongestIdle();
    const environment = this.#takeSpare() ?? this.#open();
    this.#environments.set(tenant, environment);
    void environment.ended.then(() => {
      if (this.#environments.get(tenant) === environment) this.#environments.delete(tenant);
    });
    return environment;
  }

  #open(): Environment {
    const environment = new Environment(this.settings, this.#counting, this.#log);
    this.#alive.add(environment);
    void environment.ended.then(() => this.#alive.delete(environment));
    return environment;
  }

  /** A spare that has died is no spare; the next one is loaded when the tenant's first call is over. */
  #takeSpare(): Environment | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    if (this.settings.per_tenant && this.#is_warmed) {
      clearTimeout(this.#spare_timer);
      this.#spare_timer = setTimeout(() => void this.warm(), spare_delay_ms).unref();
    }
    return spare !== undefined && this.#alive.has(spare) ? spare : undefined;
  }

  /** When all are busy none ends, and there are more for a while. */
  #endLongestIdle(): void {
    const idle = [...this.#environments.entries()].filter(([, { busy }]) => !busy);
    const [oldest] = idle.toSorted(([, a], [, b]) => a.last_used_ms - b.last_used_ms);
    if (oldest !== undefined) this.#end(...oldest);
  }

  #endIdle(): void {
    if (!this.settings.per_tenant) return;
    for (const [tenant, environment] of this.#environments) {
      const idle_ms = performance.now() - environment.last_used_ms;
      if (!environment.busy && idle_ms > tenant_idle_ms) this.#end(tenant, environment);
    }
  }

  #end(tenant: string, environment: Environment): void {
    this.#environments.delete(tenant);
    void environment.kill();
  }
}
