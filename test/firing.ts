import { fire, goOn, heal, type FirePorts } from '#shared/dream-schedules/fire.ts';
import type { Firing } from '#shared/dream-schedules/firing.ts';
import { findRun } from '#shared/dream-schedules/read-schedule.ts';
import { syncTimers } from '#shared/dream-schedules/sync-timers.ts';
import type { RunRow } from '#shared/dream-schedules/run.ts';
import { DUE_AT, type Timer, type Timers } from '#shared/schedules/timers.ts';

/** EventBridge Scheduler without its clock: timers are called when a test says so. */
export class MemoryTimers implements Timers {
  readonly all = new Map<string, Timer>();
  /** Thrown at the next call. */
  failure: Error | undefined;

  async put(name: string, timer: Timer): Promise<void> {
    this.#fail();
    this.all.set(name, timer);
  }

  async remove(name: string): Promise<void> {
    this.#fail();
    this.all.delete(name);
  }

  #fail(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }
}

/** The fire function in the same process. */
export class DirectFiring implements Firing {
  readonly timers = new MemoryTimers();
  readonly #ports: () => FirePorts;
  /** The fire function is away: what it is told is lost. */
  is_away = false;

  constructor(ports: () => Omit<FirePorts, 'timers'>) {
    this.#ports = () => ({ ...ports(), timers: this.timers });
  }

  async sync(id: string): Promise<void> {
    await syncTimers(this.#there(), id);
  }

  async run(id: string, run_id: string): Promise<void> {
    const ports = this.#there();
    const run = await findRun(ports.table, id, run_id);
    if (run !== undefined) await goOn(ports, run);
  }

  async heal(id: string): Promise<void> {
    await heal(this.#there(), id);
  }

  /** Let a timer call, as it stands. */
  async call(name: string, scheduled_at: string): Promise<RunRow | undefined> {
    const timer = this.timers.all.get(name);
    if (timer === undefined || !timer.is_enabled) return undefined;
    const input = JSON.stringify(timer.input).replace(DUE_AT, scheduled_at);
    return await fire(this.#there(), JSON.parse(input));
  }

  #there(): FirePorts {
    if (this.is_away) throw new Error('the fire function is away');
    return this.#ports();
  }
}
