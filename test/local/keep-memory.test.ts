import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { keepMemory } from '../../infra/local/dynamodb/keep-memory.ts';

const sockets = new Set<Socket>();
const closing: (() => void)[] = [];

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const close of closing.splice(0)) close();
});

/** Listens as an engine would. @returns its port */
async function listen(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    answer(socket);
  });
  server.listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('every second connection stays, once all have been used', async () => {
  let used = 0;
  const port = await listen((socket) => {
    socket.once('data', () => {
      used += 1;
      socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    });
  });
  await keepMemory(port);
  expect(used).toBe(128);
  await expect.poll(() => sockets.size).toBe(64);
});

test('an engine that dies meanwhile is nobody’s failure', async () => {
  const port = await listen((socket) => socket.resetAndDestroy());
  await expect(keepMemory(port)).resolves.toBeUndefined();
  const [close] = closing.splice(0);
  close?.();
  await expect(keepMemory(port)).resolves.toBeUndefined();
});
