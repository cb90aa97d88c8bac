import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Box } from './container.ts';

const forward = `
const { connect, createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer((client) => {
  const service = connect(workerData);
  client.pipe(service).pipe(client);
  client.on('error', () => service.destroy());
  service.on('error', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/**
 * A port of `localhost` that leads to a container's port, for programs that accept plain HTTP only from there. Its own
 * thread serves it, so it works while the test waits for such a program. It ends with the test file.
 */
export async function localPort(box: Box, inside: number): Promise<number> {
  const worker = new Worker(forward, { eval: true, workerData: { host: box.host, port: inside } });
  worker.unref();
  // State: the thread listens.
  const [port] = await once(worker, 'message');
  return port as number;
}
