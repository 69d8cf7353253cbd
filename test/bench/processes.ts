import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Counters } from '../../infra/local/counting.ts';
import type { Question, Ready } from './host-process.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Out of a terminal's reach: its Ctrl-C is for us, and they end when we stop them or are gone. */
const ours = { detached: true } as const;

export interface ModelProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** The scripted model with no latency, in a process of its own. */
export async function startModelProcess(): Promise<ModelProcess> {
  const child = fork(path('../model/main.ts'), {
    ...ours,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  for await (const line of createInterface(child.stdout as Readable)) {
    const { url } = JSON.parse(line) as { url: string };
    return { url, stop: async () => await stop(child) };
  }
  throw new Error('the scripted model did not start');
}

export interface HostProcess extends Ready {
  readonly boot_ms: number;
  /** All AWS use since the start. */
  counters(): Promise<Counters>;
  /** Megabytes of the host with all its threads and children; NaN where there is no /proc. */
  memoryMb(): number;
  /** Megabytes that V8 holds for the function that holds most: its heap and what stands outside. */
  functionMemoryMb(): Promise<number>;
  stop(): Promise<void>;
}

/** The local host in a process of its own, on an empty folder. */
export async function startHostProcess(model_url: string, data_dir: string): Promise<HostProcess> {
  const started = performance.now();
  const child = fork(path('host-process.ts'), [data_dir, model_url], {
    ...ours,
    // What the host prints belongs to no table.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // Before the folder goes that it writes to.
  const kill = (): void => void child.kill('SIGKILL');
  process.prependListener('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const ready = await answerOf<Ready>(child);
  const ask = async <T>(question: Question): Promise<T> => {
    child.send(question);
    return await answerOf<T>(child);
  };
  return {
    ...ready,
    boot_ms: performance.now() - started,
    counters: async () => await ask<Counters>('counters'),
    memoryMb: () => (hasProc ? memoryOf(child.pid ?? 0) / 1_048_576 : Number.NaN),
    functionMemoryMb: async () => {
      const bytes = Object.values(await ask<Record<string, number>>('memory'));
      if (bytes.every((each) => each === 0)) throw new Error('no function says what it holds');
      return Math.max(...bytes) / 1_048_576;
    },
    stop: async () => await stop(child),
  };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const gone = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the host ended with ${String(code)}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), gone])) as [T];
    return message;
  } finally {
    waiting.abort();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(late);
}

const hasProc = existsSync('/proc/self/status');

/** Resident bytes of a process and everything that it started. */
function memoryOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return own + children.reduce((sum, child) => sum + memoryOf(Number(child)), 0);
  } catch {
    // A thread or child that ended while we looked.
    return 0;
  }
}
