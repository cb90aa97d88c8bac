import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { plainRequest, sendRaw } from '../../harness/raw.ts';

/** A server that answers the first bytes with exact ones. */
async function answering(bytes: string, close = true) {
  const server = createServer((socket) => {
    socket.once('data', () => (close ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { target: { host: '127.0.0.1', port, tls: false, name: 'x' }, stop: () => server.close() };
}

test('answers are separated by length, chunks and close', async () => {
  const { target, stop } = await answering(
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab' +
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' +
      'HTTP/1.1 100 Continue\r\n\r\n' +
      'HTTP/1.0 404 Not Found\r\n\r\nuntil the end',
  );
  const { answers, rest } = await sendRaw(target, plainRequest('x', {}), { untilClosed: true });
  stop();
  expect(answers.map(({ status, text }) => [status, text])).toEqual([
    [200, 'ab'],
    [200, 'abc'],
    [404, 'until the end'],
  ]);
  expect(rest.length).toBe(0);
});

test('the bytes after a switch of protocols are a tunnel', async () => {
  const { target, stop } = await answering('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nraw', false);
  const { answers, rest } = await sendRaw(target, 'GET / HTTP/1.1\r\n\r\n', { untilText: 'raw' });
  stop();
  expect(answers[0]?.status).toBe(101);
  expect(rest.toString()).toBe('raw');
});
