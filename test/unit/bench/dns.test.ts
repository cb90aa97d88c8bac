import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { expect, test } from 'vitest';
import { startDns } from '../../bench/dns.ts';

/** A UDP port that is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

test('each name has the IPv4 address of this machine, and no IPv6 address', async () => {
  const port = await freePort();
  const dns = await startDns(port);
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  expect(await resolver.resolve4('issuer.bench.test')).toEqual(['127.0.0.1']);
  await expect(resolver.resolve6('issuer.bench.test')).rejects.toThrow('ENODATA');
  dns.close();
});
