import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { ulid } from 'ulid';
import { serve } from '../../../functions/sandbox/serve.ts';
import type { Blobs } from '#shared/core/blobs.ts';
import { systemClock } from '#shared/core/clock.ts';
import { newId } from '#shared/core/id.ts';
import type { Dialer } from '#shared/tools/public-fetch.ts';
import { makeToolRunner } from '#shared/tools/runner.ts';
import type { Sandbox, SandboxReply, SandboxRequest } from '#shared/tools/sandbox.ts';
import type { Search } from '#shared/tools/search.ts';
import type { ToolCall, ToolOutcome } from '#shared/tools/tools.ts';
import { startTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

/** A bucket in memory whose URLs are served on loopback, with ranges, as S3 has them. */
export class ServedBlobs extends MemoryBlobs implements Blobs {
  #server: Server | undefined;
  readonly requests: string[] = [];

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      const key = decodeURIComponent((request.url ?? '').slice(1));
      this.requests.push(`${request.method} ${key}`);
      if (request.method === 'PUT') {
        const parts: Buffer[] = [];
        request.on('data', (part: Buffer) => parts.push(part));
        request.on('end', () => {
          this.objects.set(key, Buffer.concat(parts));
          response.end();
        });
        return;
      }
      const body = this.objects.get(key);
      if (body === undefined) {
        response.writeHead(404).end();
        return;
      }
      const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
      const end = to === '' ? body.length : Number(to) + 1;
      response.writeHead(request.headers.range === undefined ? 200 : 206);
      response.end(body.subarray(Number(from), end));
    });
    await new Promise<void>((done) => this.#server?.listen(0, '127.0.0.1', done));
    return this;
  }

  #url(key: string): string {
    const address = this.#server?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port ?? 0}/${encodeURIComponent(key)}`;
  }

  override async presignGet(key: string): Promise<string> {
    return this.#url(key);
  }

  override async presignPut(key: string): Promise<string> {
    return this.#url(key);
  }

  stop(): void {
    this.#server?.close();
  }
}

/** The sandbox function in this process, its requests and replies as JSON, as Lambda carries them. */
export class LocalSandbox implements Sandbox {
  readonly dialer: Dialer;
  readonly requests: SandboxRequest[] = [];
  /** Called before each call; throws what the call shall fail of. */
  before: (request: SandboxRequest) => void | Promise<void> = () => {};

  /** The function's own entry, with its thread, in place of what the thread runs. */
  handler: ((event: unknown) => Promise<SandboxReply>) | undefined;

  constructor(dialer: Dialer) {
    this.dialer = dialer;
  }

  async invoke(request: SandboxRequest): Promise<SandboxReply> {
    this.requests.push(request);
    await this.before(request);
    const event: unknown = JSON.parse(JSON.stringify(request));
    const run =
      this.handler ?? ((sent: unknown) => serve({ dialer: this.dialer, nowMs: Date.now }, sent));
    const reply = await run(event);
    return JSON.parse(JSON.stringify(reply)) as SandboxReply;
  }
}

/** Names of a made-up internet; every public address leads to `port` on loopback. */
export function dialerTo(port: number, names: Record<string, string[]> = {}): Dialer {
  return {
    resolve: async (name) => names[name] ?? ['93.184.215.14'],
    connect: () => connect({ host: '127.0.0.1', port }),
  };
}

export async function startRig(
  options: { search?: Search; port?: number; memories_max?: number } = {},
) {
  const started = await startTable();
  const blobs = await new ServedBlobs().start();
  const dialer = dialerTo(options.port ?? 1);
  const sandbox = new LocalSandbox(dialer);
  const ports = {
    table: started.table,
    blobs,
    clock: systemClock,
    newName: () => ulid(),
    newId,
    memories_max: options.memories_max ?? 2_000,
    version_days: 0,
    sandbox,
    dialer,
    ...(options.search === undefined ? {} : { search: options.search }),
  };
  const runner = makeToolRunner(ports);
  return {
    ...ports,
    runner,
    files: runner.files,
    /** Another step function, with no memory of this one's. */
    another: () => makeToolRunner(ports),
    stop: async () => {
      blobs.stop();
      await started.stop();
    },
  };
}

export type Rig = Awaited<ReturnType<typeof startRig>>;

let calls = 0;

export function aCall(name: string, input: unknown, patch: Partial<ToolCall> = {}): ToolCall {
  return {
    session_id: 'sesn_1',
    workspace_id: 'wrkspc_1',
    thread_id: 'sthr_1',
    event_id: `sevt_${String(++calls).padStart(8, '0')}`,
    name,
    input,
    environment: { networking: { type: 'limited', allowed_hosts: [] } },
    ...patch,
  };
}

/** The text of an outcome, an error marked by its first letter. */
export function textOf({ content, is_error }: ToolOutcome): string {
  const text = content.map((block) => (block.type === 'text' ? block.text : `<${block.type}>`));
  return `${is_error ? '! ' : ''}${text.join('\n')}`;
}

/** A session of its own for each test, so that tests can share one table. */
export function inSession(rig: Rig, session_id: string, patch: Partial<ToolCall> = {}) {
  return async (name: string, input: unknown): Promise<string> => {
    const call = aCall(name, input, { session_id, ...patch });
    return textOf(await rig.runner.run(call, new AbortController().signal));
  };
}

/** A shell of a new session for each command, with one that may come before it. */
export function newShells(rig: () => Rig, name: string) {
  let sessions = 0;
  return async (command: string, before = ''): Promise<string> => {
    const use = inSession(rig(), `sesn_${name}_${++sessions}`);
    if (before !== '') await use('bash', { command: before });
    return await use('bash', { command });
  };
}
