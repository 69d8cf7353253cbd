import { connect, type Socket } from 'node:net';

const connections = 128;

/**
 * Let the engine keep the memory that its requests need. Its allocator, musl's, takes a block of some
 * kilobytes from the system for one request and gives it back at the end of it, dozens of times each: a
 * third of the engine's time, and more where its threads share processors. Of what many hold at once it
 * takes blocks by the dozen and keeps them while any is held; and each connection holds some of just those
 * sizes. Every second one is closed again, so that half of the blocks are free for requests. The others
 * end with the engine.
 */
export async function keepMemory(port: number): Promise<void> {
  const opened = await Promise.all(Array.from({ length: connections }, () => greet(port)));
  for (const [index, socket] of opened.entries()) if (index % 2 === 1) socket.destroy();
}

/** A connection that has been used: only then has the engine made room for what it reads. */
async function greet(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // It may die at any time, and the host may end before it.
  socket.on('error', () => undefined);
  socket.unref();
  socket.write('GET / HTTP/1.1\r\nhost: engine\r\n\r\n');
  await new Promise<unknown>((resolve) => {
    socket.once('data', resolve);
    socket.once('close', resolve);
  });
  return socket;
}
