import { createServer } from 'node:net';

/** Offsets from the first port. */
export const ports = { backend: 0, hold: 1, issuer: 2, ingress: 3, dns: 4, systems: 5, last: 21 } as const;

/** An error that names the setting, unless the ports of the benchmark are free. */
export async function checkFree(first: number): Promise<void> {
  for (let port = first; port <= first + ports.last; port++) {
    if (!(await isFree(port))) {
      throw new Error(`port ${port} on 127.0.0.1 is taken: set BENCH_PORT to the first of ${ports.last + 1} free ones`);
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
