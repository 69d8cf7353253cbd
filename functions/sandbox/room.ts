import { Worker } from 'node:worker_threads';
import { limits } from '#shared/core/limits.ts';
import { SandboxRequest, type SandboxReply } from '#shared/tools/sandbox.ts';
import { toolset } from '#shared/tools/toolset.ts';

/** What a room's thread is told, and what it says. */
export interface Asked {
  readonly id: number;
  readonly event: unknown;
}
export type Said =
  | { readonly id: number; readonly reply: SandboxReply }
  | { readonly id: number; readonly error: string };

interface Waiting {
  readonly done: (reply: SandboxReply) => void;
  readonly fail: (error: Error) => void;
}

/** After this a thread has not noticed that its time is over: it is in a loop that never yields. */
const GRACE_MS = 3_000;

/**
 * Python takes the path of the file that its thread was started from for its own name, and from 190 to
 * 230 characters of it cannot end: it hangs, or aborts when the program is done. Measured with each
 * length; a local host's copy of the sandbox lies that deep. Threads of a thread inherit this.
 */
const SHORT_NAME = ['--import', 'data:text/javascript,process.argv[1]="python3"'];

/** Strings and objects of a thread; contents are counted by the file system itself. */
const HEAP_MB_MAX = 1_024;

/**
 * The thread that the interpreter runs in. It has no environment variables, so that not even an
 * interpreter that is broken out of finds any; and it can be ended from outside when a command holds
 * it (a pattern that backtracks) or fills its memory, with an answer instead of a dead function.
 */
export class Room {
  readonly #entry: URL;
  readonly #mark: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #last_id = 0;

  /** @param entry A module that, as a worker with `mark` as its data, answers {@link Asked}. */
  constructor(entry: URL, mark: string) {
    this.#entry = entry;
    this.#mark = mark;
  }

  /** Start the thread before the first call needs it. */
  open(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#entry, {
      workerData: this.#mark,
      env: {},
      execArgv: SHORT_NAME,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    worker.on('message', (said: Said) => {
      const waiting = this.#waiting.get(said.id);
      this.#waiting.delete(said.id);
      if ('reply' in said) waiting?.done(said.reply);
      else waiting?.fail(new Error(said.error));
    });
    worker.on('error', (error: Error & { code?: string }) => {
      const is_full = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#close(worker, is_full ? stopped('it used too much memory') : error);
    });
    worker.on('exit', () => this.#close(worker, new Error('the thread ended')));
    // A thread that waits for calls keeps no process alive. Last, because a listener holds it again.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  /** @throws Error for a failure of ours: Lambda reports it, and the caller takes the call for lost. */
  async serve(event: unknown): Promise<SandboxReply> {
    const id = ++this.#last_id;
    const worker = this.open();
    const answer = new Promise<SandboxReply>((done, fail) => {
      this.#waiting.set(id, { done, fail });
    });
    const watch = setTimeout(() => {
      this.#close(worker, stopped('it did not end in time'));
    }, deadlineMs(event));
    // Only while a call waits does the thread keep the process alive.
    worker.ref();
    try {
      worker.postMessage({ id, event } satisfies Asked);
      return await answer;
    } finally {
      clearTimeout(watch);
      if (this.#waiting.size === 0) worker.unref();
    }
  }

  /** End the thread; who waits for it gets `end`. The next call finds a new one. */
  #close(worker: Worker, end: SandboxReply | Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { done, fail } of waiting) {
      if (end instanceof Error) fail(end);
      else done(end);
    }
    void worker.terminate();
  }
}

function stopped(why: string): SandboxReply {
  return {
    content: [
      {
        type: 'text',
        text: `The call was stopped because ${why}. No file was changed by it and the shell is as it was before.`,
      },
    ],
    is_error: true,
    changes: [],
  };
}

function deadlineMs(event: unknown): number {
  const { call } = SandboxRequest.pick({ call: true }).loose().parse(event);
  const timeout_ms =
    call.tool === 'bash' ? (toolset.bash.input.safeParse(call.input).data?.timeout_ms ?? 0) : 0;
  return Math.min(timeout_ms || limits.bash_timeout_ms, limits.bash_timeout_ms) + GRACE_MS;
}
