/** IPv6 on both sides: clients, probes, trusted proxies and services of the gateway at addresses of IPv6. */
import { beforeAll, expect, test } from 'vitest';
import { ready, startGateway, startIssuer, startService, testStage } from '../harness/index.ts';

const stage = await testStage('ipv6');
const issuers = await startIssuer(stage);
const acme = await issuers.create('acme');
const policy = (versions: string) => `
version: 1
gateway:
  insecure_http: true
  ip_versions: ${versions}
  listen: 8090
  health: { listen: 8091 }
  trusted_proxies: ["::1/128"]
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { all: [{ group: staff }, { network: ["2001:db8::/32"] }] }
services:
  wiki: { insecure_url: "http://[::1]:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff] }
    /open/*: { service: wiki, allow: [anyone] }
`;
const gateway = await startGateway(stage, { policy: policy('[4, 6]'), ipv6: true });
// The service and its clients are in the network of the gateway, whose loopback address of IPv6 all of them reach.
const wiki = await startService(stage, 'echo', { alias: 'wiki', inside: gateway.box, env: { ADDRESS: '::' } });
const token = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['staff'] });

interface Requested {
  readonly status: number;
  readonly text: string;
}

/** Sends a request from the container. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<Requested> {
  const code = `
    const { request } = require('node:http');
    const [url, headers] = process.argv.slice(1);
    request(url, { headers: JSON.parse(headers) }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      console.log(JSON.stringify({ status: answer.statusCode, text }));
    }).end();
  `;
  const { stdout, stderr } = await wiki.exec('node', '-e', code, url, JSON.stringify(headers));
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

beforeAll(() => ready(gateway, 'wiki.test', { path: '/open/x' }));

test.each(['127.0.0.1', '[::1]'])('a client reaches a service at an address of IPv6 through %s', async (address) => {
  const { status, text } = await ask(`http://${address}:8090/open/page`, { Host: 'wiki.test' });
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ url: '/open/page', remote: { address: '::1' } });
});

test.each([
  ['an address of the network gives the role', '2001:db8::9', 200],
  ['another address does not', '2001:db9::9', 403],
])('a trusted proxy of IPv6 says who the client is: %s', async (_, client, status) => {
  const headers = { Host: 'wiki.test', Authorization: `Bearer ${token}`, 'X-Forwarded-For': client };
  const answer = await ask('http://[::1]:8090/page', headers);
  expect(answer.status).toBe(status);
  if (status === 200) expect(JSON.parse(answer.text).headers).toContainEqual(['X-Real-IP', client]);
  // The same header from an address that is not trusted changes nothing.
  expect((await ask('http://127.0.0.1:8090/page', headers)).status).toBe(403);
});

test.each(['127.0.0.1', '[::1]'])('health at %s', async (address) => {
  expect(await ask(`http://${address}:8091/.meshgate/healthz`)).toMatchObject({ status: 200, text: 'ok' });
});

test('with IPv6 alone, the gateway does not listen with IPv4', async () => {
  const other = await startGateway(stage, { policy: policy('[6]'), ipv6: true, alias: 'gateway-2' });
  const { stdout } = await other.box.exec('sh', '-c', 'cat /proc/net/tcp; echo; cat /proc/net/tcp6');
  const [four = '', six = ''] = stdout.split('\n\n');
  const ports = [8090, 8091].map((port) => `:${port.toString(16).toUpperCase()} `);
  for (const port of ports) {
    expect(four).not.toContain(port);
    expect(six).toContain(`${'0'.repeat(32)}${port}`);
  }
});
