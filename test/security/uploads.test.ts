/** What bodies that are not finished leave in the temporary folder of the image, while uploads of the largest size pass. */
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ready, startEcho, startGateway, startIssuer, testStage, tlsOptions } from '../harness/index.ts';

const host = 'wiki.test';
const stage = await testStage('uploads');
const [, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  assertion: { issuer: "https://wiki.test", keys_file: /run/secrets/assertion.jwks }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles: { staff: { group: staff } }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [staff], proxy: { max_body: 8m } }
`,
});
const token = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['staff'] });
const other = await acme.sign({ aud: 'wiki', sub: 'eve', groups: [] });
const MAX = 8 << 20;

/** The files that nginx holds in its temporary folder; it removes their names at once. */
async function stored(): Promise<readonly string[]> {
  const { stdout } = await gateway.box.exec(
    'sh',
    '-c',
    "ls -l /proc/[0-9]*/fd 2>/dev/null | grep 'run/meshgate/tmp' || true",
  );
  return stdout.split('\n').filter(Boolean);
}

const open: (() => void)[] = [];
afterAll(() => {
  for (const close of open) close();
});

interface Unfinished {
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  /** How many bytes are sent; the request says that one more comes. */
  readonly bytes: number;
}

/** Resolves when the server has taken all bytes but the last, or has answered. */
const http1 = ({ method, path, token: mine, bytes }: Unfinished): Promise<void> =>
  new Promise((resolve, reject) => {
    const target = gateway.target(host);
    const socket = connectTls({ host: target.host, port: target.port, ...tlsOptions(target) });
    open.push(() => socket.destroy());
    socket.on('error', reject).on('data', () => resolve());
    const auth = mine === undefined ? '' : `Authorization: Bearer ${mine}\r\n`;
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${auth}Content-Length: ${bytes + 1}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes, 'x'), () => resolve());
  });

const http2 = ({ method, path, token: mine, bytes }: Unfinished): Promise<void> =>
  new Promise((resolve, reject) => {
    const target = gateway.target(host);
    const session = connectHttp2(`https://${host}:${target.port}`, { host: target.host, ...tlsOptions(target) });
    open.push(() => session.destroy());
    session.on('error', reject);
    const auth = mine === undefined ? {} : { authorization: `Bearer ${mine}` };
    const head = { ':method': method, ':path': path, 'content-length': String(bytes + 1), ...auth };
    const stream = session.request(head, { endStream: false });
    stream.on('error', () => resolve()).on('response', () => resolve());
    stream.write(Buffer.alloc(bytes, 'x'), () => resolve());
  });

beforeAll(() => ready(gateway, host, { token }));

const JWKS = '/.meshgate/jwks';
test.each([
  ['two uploads of a person with access', { method: 'POST', path: '/x', token, bytes: MAX - 1 }],
  ['two uploads of a person without access', { method: 'POST', path: '/x', token: other, bytes: MAX - 1 }],
  ['two uploads without a credential', { method: 'POST', path: '/x', bytes: MAX - 1 }],
  ['two bodies of requests for the public keys', { method: 'GET', path: JWKS, bytes: 900_000 }],
] as const)('%s that are not finished store nothing, and a whole one passes', async (_what, sent) => {
  await Promise.all([http1(sent), http2(sent)]);
  expect(await stored()).toEqual([]);
  const body = Buffer.alloc(MAX, 'y');
  expect((await gateway.send(host, { method: 'POST', path: '/x', token, body })).status).toBe(200);
  const [answer] = await gateway.sendHttp2(host, { method: 'POST', path: '/x', token, body });
  expect(answer!.status).toBe(200);
  expect(await stored()).toEqual([]);
});
