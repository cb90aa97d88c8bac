import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Ask, type Outgoing, systemAsk } from '../../../src/cli/machine/http.ts';
import { closed } from '../../harness/closed.ts';

/** Calls of the command to servers that send no complete answer. */

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** The port of a server that sends this to each client. */
async function listening(speak: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    open.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.once('data', () => speak(socket));
  });
  open.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Sends something again and again, as long as a client listens. */
function dripping(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 20);
  open.push(() => clearInterval(timer));
}

const request = (port: number, more: Partial<Outgoing> = {}): Outgoing => ({
  ...{ address: '127.0.0.1', port, tls: false, name: 'x.example', authority: 'x.example' },
  ...{ method: 'GET', target: '/', headers: {} },
  ...more,
});

/** With the command's own deadline, which no answer here comes near. */
const ask = systemAsk() as Ask;
const TOO_LATE = { error: 'no complete response in 0.3 seconds' };

describe('a call of the command ends at its deadline', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['while no answer begins', () => {}],
    [
      'while the status line drips',
      (socket) => {
        socket.write('HTTP/1.1 200 ');
        dripping(socket, 'x');
      },
    ],
    [
      'while headers drip',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        dripping(socket, 'a: b\r\n');
      },
    ],
    [
      'while answers of the kind 1xx drip',
      (socket) => {
        dripping(socket, 'HTTP/1.1 102 Processing\r\n\r\n');
      },
    ],
    [
      'while the body drips',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 16000\r\n\r\n');
        dripping(socket, ' ');
      },
    ],
    [
      'while chunks drip',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        dripping(socket, '1\r\n{\r\n');
      },
    ],
  ])('%s', async (_, speak) => {
    expect(await (systemAsk(300) as Ask)(request(await listening(speak)))).toEqual(TOO_LATE);
  });
});

describe('reads no more of an answer than its limit', () => {
  /** Writes as much as the client reads; the promise resolves when it has disconnected. */
  async function endless(more: Partial<Outgoing>) {
    let gone: Promise<unknown> | undefined;
    const port = await listening((socket) => {
      gone = closed(socket);
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
      dripping(socket, 'x'.repeat(64 * 1024));
    });
    const answer = await ask(request(port, more));
    await gone;
    return answer;
  }

  test.each([
    [{ maxBody: 100_000 }, 100_000],
    [{}, 16 * 1024],
  ])('%j', async (more, length) => {
    const answer = await endless(more);
    expect(answer).toMatchObject({ status: 200, body: 'x'.repeat(length) });
  });

  test('which is whole if it is shorter', async () => {
    const port = await listening((socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}'));
    expect(await ask(request(port))).toMatchObject({ status: 404, body: '{}' });
  });

  test('an error says what it means', async () => {
    const plain = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { error } = (await ask({ ...request(plain), tls: true })) as { error: string };
    expect(error).toMatch(/^the TLS handshake failed: .*, or speak plain HTTP \(EPROTO\)$/);
    expect(await ask(request(1))).toEqual({ error: 'nothing listens there (ECONNREFUSED)' });
  });

  test('an answer that breaks off is an error', async () => {
    const port = await listening((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}'));
    expect(await ask(request(port))).toEqual({ error: 'it closed the connection (ECONNRESET)' });
  });
});
