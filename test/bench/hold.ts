import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { until } from '../harness/until.ts';
import { host } from './load.ts';

/** Slow requests that arrive at the same time. */
const atOnce = 32;

/** The only path on which the slow service is slow. */
export const slowPath = '/slow';

/** The path on which it sends one event at once, and another one on release. */
export const eventsPath = '/events';

/** The path at which it switches to another protocol, sends one message at once, and another one on release. */
export const socketPath = '/socket';

/** What a held request waits for: its answer, an event, or a message of a WebSocket. */
export type HeldPath = typeof slowPath | typeof eventsPath | typeof socketPath;

const opened = 'data: opened\n\n';
const closed = 'data: closed\n\n';

/** A slow service: it answers, or continues, on release. */
export class Hold {
  readonly #waiting: (ServerResponse | Duplex)[] = [];
  readonly #server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    if (request.url === slowPath) this.#waiting.push(response);
    else if (request.url === eventsPath) this.#open(response);
    else response.end('ok\n');
  }).on('upgrade', (_, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${opened}`);
    this.#waiting.push(socket);
  });

  static async start(port: number): Promise<Hold> {
    const hold = new Hold();
    await new Promise<void>((resolve, reject) => {
      hold.#server.once('error', reject);
      hold.#server.listen({ port, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    return hold;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** As event servers do that expect a proxy in front. */
  #open(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write(opened);
    this.#waiting.push(response);
  }

  release(): void {
    for (const held of this.#waiting.splice(0)) held.end('headersSent' in held && !held.headersSent ? 'ok\n' : closed);
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
 * @param requests to {@link eventsPath} and {@link socketPath} each has heard its first event or message by then
 * @returns how many were answered with 200 or 101, to the end
 */
export async function holdOpen<T>(
  hold: Hold,
  requests: { readonly port: number; readonly tokens: readonly string[]; readonly path?: HeldPath },
  meanwhile: () => Promise<T>,
): Promise<{ readonly answered: number; readonly value: T }> {
  const { port, tokens, path = slowPath } = requests;
  const streams = path !== slowPath;
  const status = path === socketPath ? 'HTTP/1.1 101 ' : 'HTTP/1.1 200 ';
  const more = path === socketPath ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : '';
  const failed: string[] = [];
  const heads: string[] = tokens.map(() => '');
  const sockets: Socket[] = [];
  const open = (token: string, i: number): Socket => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => {
      heads[i] += chunk.toString('latin1');
    });
    socket.on('error', (error) => failed.push(error.message));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`);
    return socket;
  };
  try {
    const isEarly = (head: string) => (streams ? head !== '' && !head.startsWith(status) : head !== '');
    const early = () => failed[0] ?? heads.find(isEarly);
    const arrived = () =>
      hold.waiting === sockets.length &&
      (!streams || heads.slice(0, sockets.length).every((head) => head.includes(opened)));
    // In groups, as in real traffic: a few arrive at once, and many are open.
    while (sockets.length < tokens.length) {
      for (const token of tokens.slice(sockets.length, sockets.length + atOnce))
        sockets.push(open(token, sockets.length));
      await until(() => arrived() || early() !== undefined, {
        what: `${sockets.length} requests at the slow service`,
        timeoutMs: 30_000,
        help: () => `${hold.waiting} are there`,
      });
      if (early() !== undefined) break;
    }
    const first = early();
    if (first !== undefined) throw new Error(`answered before it was released: ${first.split('\r\n')[0]}`);
    const value = await meanwhile();
    hold.release();
    const done = (head: string) => (streams ? head.includes(closed) : head !== '');
    await until(() => heads.every(done), { what: 'the answers after the release' });
    return { answered: heads.filter((head) => head.startsWith(status)).length, value };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
