import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { until } from '../harness/until.ts';
import { host } from './load.ts';

/** A slow service: it answers when it is told to. */
export class Hold {
  readonly #waiting: ServerResponse[] = [];
  readonly #server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    if (request.url?.endsWith('/now')) response.end('ok\n');
    else this.#waiting.push(response);
  });

  static async start(port: number): Promise<Hold> {
    const hold = new Hold();
    await new Promise<void>((resolve, reject) => {
      hold.#server.once('error', reject);
      hold.#server.listen({ port, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    return hold;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  release(): void {
    for (const response of this.#waiting.splice(0)) response.end('ok\n');
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/**
 * So many requests at once, each on a connection of its own, held at the slow service.
 *
 * @param meanwhile called when all are there
 * @returns how many were answered with 200 after their release
 */
export async function holdOpen<T>(
  hold: Hold,
  requests: { readonly port: number; readonly path: string; readonly tokens: readonly string[] },
  meanwhile: () => Promise<T>,
): Promise<{ readonly answered: number; readonly value: T }> {
  const { port, path, tokens } = requests;
  const heads: string[] = tokens.map(() => '');
  const sockets = tokens.map((token, i): Socket => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => {
      heads[i] += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    return socket;
  });
  try {
    const early = () => heads.find((head) => head !== '');
    await until(() => hold.waiting === tokens.length || early() !== undefined, {
      what: `${tokens.length} requests at the slow service, ${hold.waiting} are there`,
      timeoutMs: 30_000,
    });
    const first = early();
    if (first !== undefined) throw new Error(`answered before it was released: ${first.split('\r\n')[0]}`);
    const value = await meanwhile();
    hold.release();
    await until(() => heads.every((head) => head !== ''), { what: 'the answers after the release' });
    return { answered: heads.filter((head) => head.startsWith('HTTP/1.1 200 ')).length, value };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
