import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError } from './boot-error.ts';

export interface DataDir {
  readonly path: string;
  readonly logs: string;
  /** Nothing was in it: no host has left anything half done. */
  readonly is_new: boolean;
  release(): Promise<void>;
}

/**
 * Take the data folder for this host alone. The lock is a socket that somebody listens on, so it ends
 * with its process, however that ends. @throws BootError when another host has the folder, or when the
 * folder cannot be written.
 */
export async function takeDataDir(path: string): Promise<DataDir> {
  const logs = join(path, 'logs');
  const found = await readdir(path).catch(() => []);
  try {
    await mkdir(logs, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    const message = `DATA_DIR ${path} cannot be written (${String(cause)}). Set it to a folder that can.`;
    throw new BootError(message, { cause });
  }
  const whole = await realpath(path);
  // Not its path: containers that share a network have each their own folder of one name.
  const { dev, ino } = await stat(whole, { bigint: true });
  const name = createHash('sha256').update(`${dev} ${ino}`).digest('hex').slice(0, 24);
  const server = await listen(addressOf(name), path);
  return {
    path: whole,
    logs,
    is_new: found.length === 0,
    release: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * Linux has names for sockets that are no files: a host with another TMPDIR must meet the same lock, else
 * it would end the first one's engine as one that was left behind.
 */
function addressOf(name: string): string {
  if (process.platform === 'linux') return `\0reverie-${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\reverie-${name}`;
  return join(tmpdir(), `reverie-${name}.sock`);
}

async function listen(address: string, path: string): Promise<Server> {
  const attempt = async (): Promise<Server | undefined> => {
    const server = createServer((socket) => socket.end());
    server.unref();
    try {
      server.listen(address);
      await once(server, 'listening');
      return server;
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')
        return undefined;
      const message = `DATA_DIR ${path} cannot be locked: ${String(cause)}`;
      throw new BootError(message, { cause });
    }
  };
  const first = await attempt();
  if (first !== undefined) return first;
  if (await answers(address)) throw taken(path);
  // The file of a host that was killed: nobody listens any more.
  await rm(address, { force: true });
  const second = await attempt();
  if (second !== undefined) return second;
  throw taken(path);
}

function taken(path: string): BootError {
  return new BootError(
    `Another local host is using ${path}. Stop it, or set DATA_DIR to another folder.`,
  );
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
