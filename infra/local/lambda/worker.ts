/**
 * The thread that a function runs in: Lambda's runtime, as far as a Node handler sees it.
 * It is run from a compiled copy (see worker-file.ts) and imports nothing that Node does not bring.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type {
  FromWorker,
  FunctionError,
  InvocationContext,
  Prelude,
  ToWorker,
  WorkerData,
} from './protocol.ts';

type Handler = (event: unknown, context: unknown) => unknown;
type StreamHandler = (event: unknown, stream: ResponseStream, context: unknown) => Promise<unknown>;

const { module, handler: handler_name, memory_mib, skew } = workerData as WorkerData;
const streaming = Symbol('streaming');
/** How much of a stream may be under way before the handler's writes wait. */
const unsent_bytes_max = 262_144;
const streams = new Map<number, ResponseStream>();

function post(message: FromWorker): void {
  parentPort?.postMessage(message);
}

/** A response that goes out as it is written. It is destroyed when its client goes away. */
class ResponseStream extends Writable {
  readonly #id: number;
  #prelude: Prelude = {};
  #opened = false;
  #unsent_bytes = 0;
  #resume: (() => void) | undefined;

  constructor(id: number) {
    super({ decodeStrings: true });
    this.#id = id;
  }

  get opened(): boolean {
    return this.#opened;
  }

  setPrelude(prelude: Prelude): void {
    this.#prelude = prelude;
  }

  setContentType(type: string): void {
    this.#prelude = {
      ...this.#prelude,
      headers: { ...this.#prelude.headers, 'content-type': type },
    };
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#open();
    this.#unsent_bytes += chunk.length;
    post({ type: 'chunk', id: this.#id, chunk });
    if (this.#unsent_bytes < unsent_bytes_max) done();
    else this.#resume = done;
  }

  override _final(done: () => void): void {
    this.#open();
    post({ type: 'end', id: this.#id });
    done();
  }

  sent(bytes: number): void {
    this.#unsent_bytes -= bytes;
    if (this.#unsent_bytes >= unsent_bytes_max) return;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  #open(): void {
    if (this.#opened) return;
    this.#opened = true;
    post({ type: 'prelude', id: this.#id, prelude: this.#prelude });
  }
}

/** The trace of the invocation that the code which asks belongs to. */
const trace = new AsyncLocalStorage<string>();
const untold = (): undefined => undefined;

Object.assign(globalThis, {
  awslambda: {
    /** What Lambda's runtime keeps where several invocations share a process: each call to AWS sends the trace along. */
    InvokeStore: {
      getXRayTraceId: () => trace.getStore(),
      getTraceparent: untold,
      getTracestate: untold,
      getBaggage: untold,
    },
    streamifyResponse: (handler: object) => Object.assign(handler, { [streaming]: true }),
    HttpResponseStream: {
      from(stream: ResponseStream, prelude: Prelude): ResponseStream {
        stream.setPrelude(prelude);
        return stream;
      },
    },
  },
});

/** The host's clock is the function's clock. */
const machine_now = Date.now;
Date.now = () => machine_now() + (skew[0] ?? 0);
globalThis.Date = new Proxy(Date, {
  construct: (target, args, self) =>
    Reflect.construct(target, args.length === 0 ? [target.now()] : args, self) as object,
});

const loaded = await load();
post({ type: 'loaded' });

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'invoke') {
    const { id, event, context } = message;
    void trace.run(traceOf(context), () => invoke(id, event, context));
  } else if (message.type === 'sent') streams.get(message.id)?.sent(message.bytes);
  else streams.get(message.id)?.destroy();
});

async function load(): Promise<Handler | StreamHandler> {
  const exported = (await import(pathToFileURL(module).href)) as Record<string, unknown>;
  const handler = exported[handler_name];
  if (typeof handler === 'function') return handler as Handler;
  throw new Error(`${module} exports no function ${handler_name}`);
}

/** Not sampled: nothing collects spans here. */
function traceOf({ aws_request_id }: InvocationContext): string {
  const [time = '', ...rest] = aws_request_id.split('-');
  return `Root=1-${time}-${rest.join('')};Sampled=0`;
}

async function invoke(id: number, event: string, about: InvocationContext): Promise<void> {
  const context = contextOf(about);
  try {
    if (streaming in loaded) {
      await stream(id, JSON.parse(event), context);
      post({ type: 'result', id, body: 'null' });
      return;
    }
    const result = await (loaded as Handler)(JSON.parse(event), context);
    post({ type: 'result', id, body: JSON.stringify(result) ?? 'null' });
  } catch (cause) {
    post({ type: 'error', id, error: describe(cause) });
  }
}

async function stream(id: number, event: unknown, context: unknown): Promise<void> {
  const response = new ResponseStream(id);
  streams.set(id, response);
  const closed = new Promise((resolve) => response.once('close', resolve));
  // A cut connection shows as `close`; an error nobody listens to would end the worker.
  response.on('error', () => undefined);
  try {
    await (loaded as StreamHandler)(event, response, context);
    await closed;
  } finally {
    response.destroy();
    streams.delete(id);
  }
}

function contextOf({ aws_request_id, arn, timeout_ms, tenant_id }: InvocationContext): object {
  const deadline = performance.now() + timeout_ms;
  return {
    awsRequestId: aws_request_id,
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: '$LATEST',
    invokedFunctionArn: arn,
    memoryLimitInMB: String(memory_mib),
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    callbackWaitsForEmptyEventLoop: true,
    ...(tenant_id === undefined ? {} : { tenantId: tenant_id }),
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
  };
}

/** Lambda names an error by its class and keeps its stack. */
function describe(cause: unknown): FunctionError {
  if (!(cause instanceof Error)) {
    return { errorType: typeof cause, errorMessage: String(cause), trace: [] };
  }
  const trace = (cause.stack ?? '').split('\n');
  return { errorType: cause.name, errorMessage: cause.message, trace };
}
