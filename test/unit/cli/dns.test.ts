import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemDns } from '../../../src/cli/machine/dns.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

const A = 1;

/** A DNS server on this machine. It answers a question with a code and, for code 0 and the type A, an address. */
async function server(code: number, hasAddress = true): Promise<string> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const sentQuery = query.subarray(12, end);
    const answers = code === 0 && hasAddress && sentQuery.readUInt16BE(sentQuery.length - 4) === A;
    const header = Buffer.from([...query.subarray(0, 2), 0x81, 0x80 | code, 0, 1, 0, answers ? 1 : 0, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    socket.send(Buffer.concat([header, sentQuery, ...(answers ? [record] : [])]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return `127.0.0.1:${(socket.address() as AddressInfo).port}`;
}

const inDns = systemDns();

test.each([
  ['knows the name', 0, true, true],
  ['knows no address of the name', 0, false, false],
  ['does not know the name', 3, true, false],
  ['fails', 2, true, undefined],
  ['refuses', 5, true, undefined],
])('a server that %s', async (_, code, hasAddress, expected) => {
  expect(await inDns?.('login.example.com', [await server(code, hasAddress)])).toBe(expected);
});

test('a name that only /etc/hosts has is not in DNS', async () => {
  expect(await inDns?.('localhost', [await server(3)])).toBe(false);
});
