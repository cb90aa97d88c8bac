/** How requests are forwarded: limits, time-outs and streams. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { gatewayCase, ready, startEcho, startGateway, startIssuer, testStage, until } from '../harness/index.ts';

const stage = await testStage('proxying');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const policy = `
version: 1
gateway: { insecure_http: true, listen: 8080, public_port: 8443 }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test:
    proxy: { max_body: 512k }
    /*: { service: wiki, allow: [staff] }
    /large/*: { service: wiki, allow: [staff], proxy: { max_body: 2m } }
    /quick/*: { service: wiki, allow: [staff], proxy: { read_timeout: 1s } }
    /events/*: { service: wiki, allow: [staff], proxy: { stream: true } }
`;
const gateway = await startGateway(stage, { policy });
const setup = { gateway, echoes: [wiki] };
const token = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['staff'] });
const host = 'wiki.test';

beforeAll(() => ready(gateway, host, { token }));

/** nginx's log line about a body that it keeps in a file until it is complete. */
const kept = /a client request body is buffered to a temporary file/;
const body = (size: number) => Buffer.alloc(size, 'x');

gatewayCase(setup, {
  name: 'a service receives the scheme, the port and the host of the public URL, whatever the client says',
  host,
  request: {
    path: '/page',
    token,
    headers: {
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-Port': '8080',
      'X-Forwarded-Host': 'evil.test',
      'X-Forwarded-Scheme': 'http',
      'X-Forwarded-Ssl': 'off',
      Forwarded: 'proto=http;host=evil.test',
    },
  },
  status: 200,
  upstream: {
    headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '8443', 'X-Forwarded-Host': host },
    absent: ['X-Forwarded-Scheme', 'X-Forwarded-Ssl', 'Forwarded'],
  },
});

describe('max_body', () => {
  gatewayCase(setup, {
    name: 'a body within the host’s limit',
    host,
    request: { method: 'POST', path: '/page', token, body: body(512 * 1024) },
    status: 200,
    upstream: { method: 'POST', headers: { 'Content-Length': String(512 * 1024) } },
    log: { forbidden: [kept] },
  });

  gatewayCase(setup, {
    name: 'one byte more reaches no service',
    host,
    request: { method: 'POST', path: '/page', token, body: body(512 * 1024 + 1) },
    status: 413,
    log: { expected: [/client intended to send too large body/] },
  });

  gatewayCase(setup, {
    name: 'a route with a larger limit',
    host,
    request: { method: 'POST', path: '/large/x', token, body: body(2 * 1024 * 1024) },
    status: 200,
    upstream: { url: '/large/x' },
    log: { forbidden: [kept] },
  });
});

describe('read_timeout', () => {
  gatewayCase(setup, {
    name: 'a service that is silent for longer',
    host,
    request: { path: '/quick/x?echo-hold=silent', token },
    status: 504,
    upstream: { url: '/quick/x?echo-hold=silent' },
    log: {
      fields: { 'meshgate.rule': 'wiki.test/quick/*#1', 'meshgate.reason': '' },
      expected: [/upstream timed out/],
    },
  });
});

/** Resolves to a response once its headers are there. */
function ask(path: string): Promise<IncomingMessage> {
  const { host: address, port } = gateway.target(host);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      ...{ host: address, port, path, agent: false as const },
      headers: { Host: host, Authorization: `Bearer ${token}` },
    });
    request.on('response', resolve).on('error', reject).end();
  });
}

describe('stream', () => {
  test.each([
    ['first', '/events/x?'],
    ['second', '/events/x?'],
    ['third', '/page?echo-header=X-Accel-Buffering:no&'],
    ['fourth', '/page?echo-header=X-Accel-Buffering:no&'],
  ])('events arrive while the response is open (%s run, %s)', async (run, path) => {
    const answer = await ask(`${path}echo-events=3&echo-hold=events-${run}`);
    let seen = '';
    answer.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    await until(() => seen.includes('data: 3\n\n'), { what: 'three events at the client' });
    expect(seen).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
    expect(await wiki.held(`events-${run}`)).toBe(1);
    await wiki.release(`events-${run}`);
    await until(() => answer.complete, { what: 'the end of the answer' });
  });

  test.each(['first', 'second'])('a body arrives while the request is open (%s run)', async (run) => {
    await wiki.clear();
    const path = `/events/upload-${run}`;
    const head = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Length: 20\r\n\r\n`;
    const { port, host: address } = gateway.target(host);
    const socket = connect(port, address);
    let seen = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      seen += text;
    });
    socket.write(`${head}0123456789`);
    await until(async () => (await wiki.requests()).some(({ url }) => url === path), {
      what: 'half of the request at the service',
    });
    expect((await wiki.requests())[0]?.body).toBeUndefined();
    socket.write('0123456789');
    await until(() => /^HTTP\/1\.1 200/.test(seen), { what: 'the head of the answer at the client' });
    socket.destroy();
    expect((await wiki.requests())[0]?.body?.length).toBe(20);
  });
});
