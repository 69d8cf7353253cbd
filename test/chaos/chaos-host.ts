import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../infra/local/dynamodb/engine.ts';
import type { HostStart, Obeyed, Order, Up } from './host-process.ts';

export type HostOptions = Pick<HostStart, 'data_dir' | 'model_url' | 'seed' | 'share'>;

/** A local host in a process of its own, that dies at any time and comes back on the same data. */
export class ChaosHost {
  readonly api_key = 'chaos-admin-key';
  readonly #options: HostOptions;
  readonly #port: number;
  readonly #waiting = new Map<number, (obeyed: Obeyed | undefined) => void>();
  readonly #counts: Readonly<Record<string, number>>[] = [];
  #child: ChildProcess | undefined;
  #up: Up | undefined;
  #starting: Promise<void> = Promise.resolve();
  #orders = 0;
  #starts = 0;
  #seen: { readonly now_ms: number; readonly at: number } | undefined;
  #calm = false;

  private constructor(options: HostOptions, port: number) {
    this.#options = options;
    this.#port = port;
  }

  static async start(options: HostOptions): Promise<ChaosHost> {
    const host = new ChaosHost(options, await freePort());
    await host.#boot();
    return host;
  }

  /** Where and how it was last up. */
  get up(): Up {
    if (this.#up === undefined) throw new Error('the host was never up');
    return this.#up;
  }

  /** How often which fault was put in, of all hosts so far. */
  get faults(): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const counts of this.#counts)
      for (const [what, n] of Object.entries(counts)) sum[what] = (sum[what] ?? 0) + n;
    return sum;
  }

  /** @returns undefined when the host died before it had obeyed */
  async order(order: Order): Promise<Obeyed | undefined> {
    await this.#starting;
    const n = (this.#orders += 1);
    const obeyed = new Promise<Obeyed | undefined>((resolve) => this.#waiting.set(n, resolve));
    this.#child?.send({ n, order }, (error) => {
      if (error !== null) this.#settle(n, undefined);
    });
    return await obeyed;
  }

  /** Kill it as the system does when memory is short, and start another on its data. */
  async crash(): Promise<void> {
    await this.#starting;
    this.#starting = this.#restart();
    await this.#starting;
  }

  /** Kill the engine of the table; the host starts it again. */
  async killEngine(): Promise<void> {
    await this.#starting;
    const text = await readFile(join(this.#options.data_dir, 'dynamodb.pid'), 'utf8').catch(
      () => '',
    );
    const pid = Number(text);
    if (!Number.isInteger(pid) || pid <= 1) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is being started again already.
    }
  }

  async calm(): Promise<void> {
    this.#calm = true;
    await this.order({ type: 'calm' });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const gone = once(child, 'exit');
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.send({ n: 0, order: { type: 'stop' } satisfies Order }, () => undefined);
    if (child.exitCode === null && child.signalCode === null) await gone;
    clearTimeout(late);
  }

  async #restart(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await this.#boot();
  }

  async #boot(): Promise<void> {
    const start: HostStart = {
      ...this.#options,
      port: this.#port,
      api_key: this.api_key,
      // Each host has faults of its own, which follow from the run's seed.
      seed: this.#options.seed + this.#starts * 7_919,
      share: this.#calm ? 0 : this.#options.share,
      start_ms: this.#clockMs(),
    };
    const index = (this.#starts += 1) - 1;
    const log = openSync(join(this.#options.data_dir, 'host.log'), 'a');
    const child = fork(
      fileURLToPath(new URL('host-process.ts', import.meta.url)),
      [JSON.stringify(start)],
      { stdio: ['ignore', 'ignore', log, 'ipc'] },
    );
    this.#child = child;
    child.once('exit', () => {
      for (const n of this.#waiting.keys()) this.#settle(n, undefined);
    });
    const gone = once(child, 'exit').then(([code]) => {
      throw new Error(`the host ended with ${String(code)}: see host.log in its data`);
    });
    gone.catch(() => undefined);
    const [up] = (await Promise.race([once(child, 'message'), gone])) as [Up];
    this.#up = up;
    child.on('message', (obeyed: Obeyed) => {
      this.#seen = { now_ms: obeyed.now_ms, at: performance.now() };
      this.#counts[index] = obeyed.counts;
      this.#settle(obeyed.n, obeyed);
    });
  }

  /** The clock of the machine goes on while a host is down. */
  #clockMs(): number | undefined {
    const seen = this.#seen;
    return seen === undefined ? undefined : seen.now_ms + performance.now() - seen.at;
  }

  #settle(n: number, obeyed: Obeyed | undefined): void {
    this.#waiting.get(n)?.(obeyed);
    this.#waiting.delete(n);
  }
}
