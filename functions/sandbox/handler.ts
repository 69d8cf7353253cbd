import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { systemDialer } from '#shared/tools/public-fetch.ts';
import type { SandboxReply } from '#shared/tools/sandbox.ts';
import { Room, type Asked, type Said } from './room.ts';

/** Tells this module, loaded as a thread of its own {@link Room}, from a host's thread that serves it. */
const MARK = 'reverie-sandbox-room';

/** One file in the bundle, so the module is its own thread's entry. */
const room = new Room(new URL(import.meta.url), MARK);

if (!isMainThread && workerData === MARK) await answer();
// While the function starts: the first call then finds the interpreter loaded.
else room.open();

/**
 * The sandbox: bash and the file tools, for one session per execution environment. It has no AWS
 * permission; everything comes in the request and goes in the reply.
 */
export async function handler(event: unknown): Promise<SandboxReply> {
  return await room.serve(event);
}

/** The thread's side. The interpreter is loaded here only. */
async function answer(): Promise<void> {
  const { serve } = await import('./serve.ts');
  const ports = { dialer: systemDialer, nowMs: Date.now };
  parentPort?.on('message', ({ id, event }: Asked) => {
    serve(ports, event).then(
      (reply) => parentPort?.postMessage({ id, reply } satisfies Said),
      (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        parentPort?.postMessage({ id, error: text } satisfies Said);
      },
    );
  });
}
