import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { limits } from '#shared/core/limits.ts';
import type { Counting } from '../counting.ts';
import { workerFile } from './worker-file.ts';
import type { FromWorker, FunctionError, Prelude, ToWorker, WorkerData } from './protocol.ts';

/** What Lambda really takes: its quota and 100 bytes more. */
export const payload_bytes_max = limits.lambda_payload_bytes_max + 100;

/** One worker stands for several environments of Lambda, but for a tenant's own. */
const shared_mib = 2_048;

const worker_url = await workerFile();

export interface FunctionSettings {
  readonly short_name: string;
  readonly name: string;
  readonly arn: string;
  readonly role_arn: string;
  readonly timeout_ms: number;
  readonly per_tenant: boolean;
  readonly worker: WorkerData;
  /** Everything that its `process.env` holds. */
  readonly environment: Readonly<Record<string, string>>;
}

export type Outcome =
  | { readonly ok: true; readonly body: string }
  | { readonly ok: false; readonly error: FunctionError };

/** Takes a streamed response. `sent` is called once a chunk has left for the client. */
export interface Sink {
  prelude(prelude: Prelude): void;
  chunk(chunk: Uint8Array, sent: () => void): void;
  end(): void;
}

export interface Invocation {
  readonly outcome: Promise<Outcome>;
  /** Tell a streaming function that its client went away. */
  cancel(): void;
}

export interface InvocationOptions {
  readonly sink?: Sink;
  readonly tenant_id?: string;
}

interface Running {
  readonly settle: (outcome: Outcome) => void;
  readonly sink: Sink | undefined;
  readonly request_id: string;
}

/** One execution environment: a worker thread that serves several invocations at once. */
export class Environment {
  readonly #settings: FunctionSettings;
  readonly #counting: Counting;
  readonly #log: Writable;
  readonly #worker: Worker;
  readonly #running = new Map<number, Running>();
  /** Resolves when it has loaded its function, or has ended before it did. */
  readonly loaded: Promise<void>;
  readonly ended: Promise<void>;
  readonly #is_loaded = Promise.withResolvers<void>();
  last_used_ms = performance.now();
  #next_id = 1;
  /** Takes no more invocations: it is broken, or was told to end. */
  retired = false;

  constructor(settings: FunctionSettings, counting: Counting, log: Writable) {
    this.#settings = settings;
    this.#counting = counting;
    this.#log = log;
    counting.of(settings.short_name).cold_starts += 1;
    const { worker: workerData, environment: env } = settings;
    const { memory_mib } = workerData;
    this.#worker = new Worker(worker_url, {
      workerData,
      env,
      // Nothing of the host's own loader or flags belongs into a function.
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: settings.per_tenant
          ? memory_mib
          : Math.max(4 * memory_mib, shared_mib),
      },
    });
    this.#worker.stdout.pipe(log, { end: false });
    this.#worker.stderr.pipe(log, { end: false });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (cause) => log.write(`${cause.stack ?? cause.message}\n`));
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#crash();
        resolve();
      });
    });
    this.loaded = Promise.race([this.#is_loaded.promise, this.ended]);
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** What V8 holds of memory for it, within its heap and outside; 0 for one that has ended. */
  async memoryBytes(): Promise<number> {
    try {
      const heap = await this.#worker.getHeapStatistics();
      return heap.total_heap_size + heap.external_memory + heap.malloced_memory;
    } catch {
      return 0;
    }
  }

  /** The environment dies as Lambda's does: what runs in it fails with `Runtime.ExitError`. */
  async kill(): Promise<void> {
    this.retired = true;
    await this.#worker.terminate();
  }

  invoke(event: string, { sink, tenant_id }: InvocationOptions): Invocation {
    const id = this.#next_id++;
    const request_id = randomUUID();
    const started = performance.now();
    const outcome = new Promise<Outcome>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      // To be loaded a function has ten seconds of their own, on Lambda; and the worker counts from then.
      void this.loaded.then(() => {
        if (!this.#running.has(id)) return;
        timer = setTimeout(() => this.#timeOut(id), this.#settings.timeout_ms);
        timer.unref();
      });
      const settle = (result: Outcome): void => {
        clearTimeout(timer);
        this.#running.delete(id);
        this.last_used_ms = performance.now();
        this.#count(performance.now() - started, result.ok);
        if (!result.ok) this.#report(request_id, result.error);
        resolve(result);
        if (this.retired && !this.busy) void this.#worker.terminate();
      };
      this.#running.set(id, { settle, sink, request_id });
    });
    const { arn, timeout_ms } = this.#settings;
    const context = { aws_request_id: request_id, arn, timeout_ms, tenant_id };
    this.#post({ type: 'invoke', id, event, context });
    return { outcome, cancel: () => this.#post({ type: 'cancel', id }) };
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'loaded') return this.#is_loaded.resolve();
    const running = this.#running.get(message.id);
    if (running === undefined) return;
    const { settle, sink } = running;
    if (message.type === 'result') settle(checked(message.body));
    else if (message.type === 'error') settle({ ok: false, error: message.error });
    else if (message.type === 'prelude') sink?.prelude(message.prelude);
    else if (message.type === 'end') sink?.end();
    else {
      const { id, chunk } = message;
      const sent = (): void => this.#post({ type: 'sent', id, bytes: chunk.length });
      sink?.chunk(chunk, sent);
    }
  }

  /**
   * Lambda ends the environment of an invocation that takes too long. Where others run in the same
   * worker it takes no more and ends with the last of them.
   */
  #timeOut(id: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.retired = true;
    const seconds = (this.#settings.timeout_ms / 1000).toFixed(2);
    // Settling ends the worker when nothing else runs in it.
    running.settle({
      ok: false,
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${running.request_id} Error: Task timed out after ${seconds} seconds`,
      },
    });
    this.#post({ type: 'cancel', id });
  }

  #crash(): void {
    this.retired = true;
    for (const { settle, request_id } of this.#running.values()) {
      settle({
        ok: false,
        error: {
          errorType: 'Runtime.ExitError',
          errorMessage: `RequestId: ${request_id} Error: Runtime exited with error: exit status 1`,
        },
      });
    }
  }

  /** As Lambda logs how an invocation ended: whoever answers for it knows no more than that it failed. */
  #report(requestId: string, { errorType, errorMessage }: FunctionError): void {
    const record = { requestId, status: 'error', errorType, errorMessage };
    this.#log.write(`${JSON.stringify({ type: 'platform.report', record })}\n`);
  }

  #count(elapsed_ms: number, ok: boolean): void {
    const usage = this.#counting.of(this.#settings.short_name);
    const billed_ms = Math.ceil(elapsed_ms);
    usage.invocations += 1;
    if (!ok) usage.errors += 1;
    usage.milliseconds += billed_ms;
    usage.gigabyte_seconds += (billed_ms / 1000) * (this.#settings.worker.memory_mib / 1024);
  }
}

function checked(body: string): Outcome {
  if (Buffer.byteLength(body) <= payload_bytes_max) return { ok: true, body };
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${payload_bytes_max} bytes).`;
  return { ok: false, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
}
