import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BootError } from '../boot-error.ts';
import { keepMemory } from './keep-memory.ts';

const setpriv = '/usr/bin/setpriv';
const taskset = '/usr/bin/taskset';
const start_ms_max = 5_000;
/** An engine that dies at once is not started in a tight loop. */
const restart_pause_ms = 100;

/** A DynamoDB of this machine: where it listens. */
export interface Engine {
  readonly url: string;
  /** Started by this host, which is its only client. */
  readonly own: boolean;
  stop(): Promise<void>;
}

/**
 * The DynamoDB engine: `AWS_ENDPOINT_URL_DYNAMODB` when it is set, else dynoxide with its file in the
 * data folder. It is started again when it dies, and ends with the host where the system can do that.
 * @throws BootError where there is no engine for this platform.
 */
export async function startEngine(data_dir: string): Promise<Engine> {
  const given = process.env['AWS_ENDPOINT_URL_DYNAMODB'];
  if (given !== undefined && given !== '') return { url: given, own: false, stop: async () => {} };
  const binary = findBinary();
  if (binary === undefined) {
    throw new BootError(
      `There is no DynamoDB engine for ${process.platform}-${process.arch} in node_modules. Start DynamoDB ` +
        'Local or another emulator and set AWS_ENDPOINT_URL_DYNAMODB to its address, ' +
        'for instance http://127.0.0.1:8000.',
    );
  }
  const dynoxide = new Dynoxide(binary, data_dir, await launcher());
  await dynoxide.start();
  return dynoxide;
}

function findBinary(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const name = `@dynoxide/${process.platform}-${process.arch}/package.json`;
    const binary = join(require.resolve(name), '..', 'dynoxide');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

class Dynoxide implements Engine {
  readonly own = true;
  readonly #binary: string;
  readonly #pid_file: string;
  readonly #database: string;
  readonly #log: string;
  #port = 0;
  readonly #launcher: Launcher;
  #child: ChildProcess | undefined;
  #started = false;
  #stopped = false;

  constructor(binary: string, data_dir: string, launched: Launcher) {
    this.#binary = binary;
    this.#launcher = launched;
    this.#pid_file = join(data_dir, 'dynamodb.pid');
    this.#database = join(data_dir, 'dynamodb.sqlite');
    this.#log = join(data_dir, 'logs', 'dynamodb.log');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await this.#endOrphan();
    this.#port = await freePort();
    await this.#spawn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await Promise.race([once(child, 'exit'), setTimeout(2_000, undefined, { ref: false })]);
      child.kill('SIGKILL');
    }
    await rm(this.#pid_file, { force: true });
  }

  async #spawn(): Promise<void> {
    const serve = ['serve', '--port', String(this.#port), '--db-path', this.#database];
    const { prefix, env } = this.#launcher;
    const [command = this.#binary, ...args] = [...prefix, this.#binary, ...serve];
    const log = openSync(this.#log, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], env });
    closeSync(log);
    this.#child = child;
    child.once('exit', () => {
      // What cannot start once, because of its file or its port, cannot start again.
      if (this.#started && !this.#stopped) void this.#restart();
    });
    child.on('error', () => undefined);
    if (child.pid !== undefined) await writeFile(this.#pid_file, String(child.pid));
    await this.#listening(child);
    this.#started = true;
    void keepMemory(this.#port);
  }

  /** Calls meanwhile are answered 500, which the SDK tries again. */
  async #restart(): Promise<void> {
    await setTimeout(restart_pause_ms);
    if (!this.#stopped) await this.#spawn().catch(() => undefined);
  }

  async #listening(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + start_ms_max;
    // oxlint-disable-next-line no-await-in-loop -- asks until it answers
    while (!(await canConnect(this.#port))) {
      if (this.#stopped) return;
      const is_over = !this.#started && child.exitCode !== null;
      // oxlint-disable-next-line no-await-in-loop -- thrown
      if (is_over || Date.now() > deadline) throw new BootError(await this.#failure());
      // oxlint-disable-next-line no-await-in-loop -- as above
      await setTimeout(5);
    }
  }

  async #failure(): Promise<string> {
    const said = (await readFile(this.#log, 'utf8').catch(() => '')).trim().split('\n').at(-1);
    return `The DynamoDB engine does not start on ${this.#database}${said ? `: ${said}` : '.'}`;
  }

  /** End the engine of a host that was killed: two of them on one file would not agree. */
  async #endOrphan(): Promise<void> {
    const pid = Number(await readFile(this.#pid_file, 'utf8').catch(() => ''));
    if (!Number.isInteger(pid) || pid <= 1 || !(await isOurs(pid, this.#database))) return;
    process.kill(pid, 'SIGKILL');
    // oxlint-disable-next-line no-await-in-loop -- waits for the kernel to take it away
    while (await isOurs(pid, this.#database)) await setTimeout(5);
  }
}

/** What the engine is started with. */
export interface Launcher {
  /** Before its own name. */
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Ends with who starts it, and runs on one processor with one thread. It allocates by mapping memory,
 * again and again: with two each unmapping interrupts both processors. Measured with one thread, a read
 * takes a third of the time and a transaction three quarters.
 */
export async function launcher(): Promise<Launcher> {
  return {
    prefix: [...boundToParent(), ...(await onOneProcessor())],
    env: { ...process.env, TOKIO_WORKER_THREADS: '1' },
  };
}

/** Where util-linux is installed the kernel ends the engine together with the host. */
function boundToParent(): string[] {
  return existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : [];
}

/**
 * A prefix that keeps the engine on one of the processors that we may use. Its memory is then known to
 * one processor only, and unmapping interrupts no other. Measured: a tenth more turns a second.
 */
async function onOneProcessor(): Promise<string[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const ranges = /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1]?.split(',') ?? [];
  const processors = ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
  if (processors.length < 2 || !existsSync(taskset)) return [];
  return [taskset, '-c', String(processors[randomInt(processors.length)])];
}

async function isOurs(pid: number, database: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.split('\0').includes(database);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
