/** THREATS.md, "Running it": client aborts at every stage of the check leave no stuck request and no crash. */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createKey,
  plainRequest,
  ready,
  type Sent,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('aborts');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }, keys: { refresh: 1h, stale: 24h, cool_down: 1s } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test: { /*: { service: wiki, allow: [reader] } }
`,
});
const host = 'wiki.test';
const claims = { aud: 'wiki', sub: 'ada', groups: ['reader'] };
const reader = await acme.sign(claims);
const stranger = await acme.sign({ ...claims, groups: [] });
/** Clients that disconnect at once, of each kind. */
const CLIENTS = 12;

beforeAll(() => ready(gateway, host, { token: reader }));

let mark = 0;
let workers = '';

async function workerIds(): Promise<string> {
  const { stdout } = await gateway.box.exec('sh', '-c', 'grep -l "[n]ginx: worker" /proc/[0-9]*/cmdline');
  return stdout.trim();
}

/** Connections of clients that the gateway still has: established, or closed only by the client. */
async function open(): Promise<number> {
  const { stdout } = await gateway.box.exec('cat', '/proc/net/tcp');
  const port = gateway.policy.gateway.listen.toString(16).toUpperCase().padStart(4, '0');
  return stdout.split('\n').filter((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${port} \\S+ 0[18] `).test(line)).length;
}

async function nothingStuck(): Promise<void> {
  await until(async () => (await open()) === 0, { what: 'the gateway to let go of every client' });
  await until(async () => (await echo.held('abort')) === 0, { what: 'the service to be let go' });
}

beforeEach(async () => {
  mark = await waitForWorkers(gateway);
  workers = await workerIds();
});

afterEach(async () => {
  await nothingStuck();
  expect(await workerIds(), 'the same workers').toBe(workers);
  const answers = await Promise.all([
    gateway.send(host, { token: reader }),
    gateway.send(host, { token: stranger }),
    gateway.send(host, {}),
    gateway.send(host, { token: await acme.sign({ ...claims, sub: `new ${mark}` }) }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 403, 401, 200]);
  await waitForWorkers(gateway);
  const troubles = gateway.troubles(mark).filter((line) => !/a client request body is buffered/.test(line));
  expect(troubles, 'the error log').toEqual([]);
});

/** An open TLS connection. */
function dial(): Promise<TLSSocket> {
  const target = gateway.target(host);
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: target.host, port: target.port, servername: host, ca: target.ca! }, () =>
      resolve(socket),
    );
    socket.on('error', reject);
    socket.resume();
  });
}

/** Waits for the state in which clients disconnect; it is told whether all of them are answered. */
type Reached = (answered: () => boolean) => Promise<unknown>;

/** Writes bytes, waits, and disconnects. */
async function goAway(bytes: string, reached: Reached, reset: boolean): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: CLIENTS }, dial));
  let answers = 0;
  for (const socket of sockets) {
    socket.once('data', () => answers++);
    socket.write(Buffer.from(bytes, 'latin1'));
  }
  await reached(() => answers === CLIENTS);
  for (const socket of sockets) {
    if (reset) (socket as unknown as { _parent?: { resetAndDestroy(): void } })._parent?.resetAndDestroy();
    socket.destroy();
  }
}

function session(): Promise<ClientHttp2Session> {
  const target = gateway.target(host);
  return new Promise((resolve, reject) => {
    const one = connectHttp2(`https://${host}:${target.port}`, {
      createConnection: () =>
        connectTls({ host: target.host, port: target.port, servername: host, ca: target.ca!, ALPNProtocols: ['h2'] }),
    });
    one.on('connect', () => resolve(one));
    one.on('error', reject);
  });
}

/** The same over HTTP/2: streams are cancelled, and then the connection. */
async function cancel(sent: Sent, reached: Reached, body = ''): Promise<void> {
  const one = await session();
  let answers = 0;
  const streams = Array.from({ length: CLIENTS }, () => {
    const stream = one.request(
      {
        ':method': sent.method ?? 'GET',
        ':path': sent.path ?? '/',
        ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
        ...(sent.headers as Record<string, string>),
      },
      { endStream: body === '' },
    );
    stream.on('error', () => {});
    stream.on('response', () => answers++);
    if (body !== '') stream.write(body);
    return stream;
  });
  await reached(() => answers === CLIENTS);
  for (const stream of streams.slice(0, CLIENTS / 2)) stream.close(8);
  one.destroy();
}

const atOnce = async () => {};

describe('before the request is sent', () => {
  test('a connection that sends no byte', async () => {
    const { host: address, port } = gateway.target(host);
    const sockets = Array.from({ length: CLIENTS }, () => connectTcp(port, address));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('connect', resolve))));
    for (const [i, socket] of sockets.entries()) {
      if (i % 2) socket.resetAndDestroy();
      else socket.destroy();
    }
  });

  test('half a handshake', async () => {
    const { host: address, port } = gateway.target(host);
    for (let i = 0; i < CLIENTS; i++) {
      const socket = connectTcp(port, address);
      await new Promise((resolve) => socket.on('connect', resolve));
      socket.write(Buffer.from('160301020001000001fc0303', 'hex'));
      socket.destroy();
    }
  });

  test.each([
    ['half a word', 'GET'],
    ['half a header', 'GET / HTTP/1.1\r\nHo'],
    ['half a token', `GET / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${reader.slice(0, 90)}`],
  ])('%s', async (_, bytes) => {
    await goAway(bytes, atOnce, false);
    await goAway(bytes, atOnce, true);
  });
});

describe('while the check runs', () => {
  for (const [who, token] of Object.entries({
    'an anonymous caller': undefined,
    'a known caller': reader,
    'a stranger': stranger,
  })) {
    test(`${who}, closed at once`, async () => {
      const sent: Sent = token === undefined ? {} : { token };
      for (const reset of [false, true]) await goAway(plainRequest(host, sent), atOnce, reset);
      await cancel(sent, atOnce);
    });
  }

  test('new tokens, closed while they are verified', async () => {
    for (let i = 0; i < 5; i++) {
      const token = await acme.sign({ ...claims, sub: `${mark} ${i}` });
      await goAway(plainRequest(host, { token }), atOnce, i % 2 === 0);
      await cancel({ token }, atOnce);
    }
  });

  test('tokens of an unknown key, closed while the check waits for the provider', async () => {
    const next = await createKey('ES256');
    const token = await acme.sign(claims, { key: next });
    for (const go of [
      (reached: Reached) => goAway(plainRequest(host, { token }), reached, false),
      (reached: Reached) => goAway(plainRequest(host, { token }), reached, true),
      (reached: Reached) => cancel({ token }, reached),
    ]) {
      // After the cool-down of the previous fetch.
      await until(
        async () => {
          await issuers.clearHits();
          await acme.serveJwks({ body: JSON.stringify({ keys: [acme.key.jwk] }), hold: 'keys' });
          const requested = async () => ((await issuers.hits())[acme.jwksPath] ?? 0) > 0;
          let held = false;
          // Within the cool-down all are answered, and no fetch is held.
          await go((answered) =>
            until(
              async () => {
                held = await requested();
                return held || answered();
              },
              { what: 'the fetch, or answers without it' },
            ),
          );
          return held;
        },
        { what: 'a fetch that is held' },
      );
      await acme.publish(acme.key);
      await issuers.release('keys');
    }
    // None of the disconnected clients still counts as waiting: the next ones have their turn.
    await acme.publish(acme.key, next);
    const answer = await until(
      async () => {
        const got = await gateway.send(host, { token });
        return got.status === 200 ? got : undefined;
      },
      { what: 'the new key' },
    );
    expect(answer.status).toBe(200);
  });
});

describe('while the body is sent', () => {
  for (const [who, token] of Object.entries({ 'an anonymous caller': undefined, 'a known caller': reader })) {
    test(who, async () => {
      const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`;
      for (const reset of [false, true]) await goAway(head + 'x'.repeat(100_000), atOnce, reset);
      await cancel({ method: 'POST', ...(token === undefined ? {} : { token }) }, atOnce, 'x'.repeat(30_000));
    });
  }
});

describe('while the service answers', () => {
  test('held', async () => {
    const sent: Sent = { path: '/x?echo-hold=abort', token: reader };
    for (const reset of [false, true]) {
      await goAway(plainRequest(host, sent), () => echo.waitForHeld('abort', CLIENTS), reset);
      await nothingStuck();
    }
    await cancel(sent, () => echo.waitForHeld('abort', CLIENTS));
  });

  test('an event stream', async () => {
    const sent: Sent = { path: '/x?echo-events=3&echo-hold=abort', token: reader };
    for (const reset of [false, true]) {
      await goAway(plainRequest(host, sent), () => echo.waitForHeld('abort', CLIENTS), reset);
      await nothingStuck();
    }
    await cancel(sent, () => echo.waitForHeld('abort', CLIENTS));
  });

  test('a large answer', async () => {
    await echo.clear();
    const sent: Sent = { path: '/x?echo-size=50000000', token: reader };
    const arrived = () => until(async () => (await echo.requests()).length >= CLIENTS, { what: 'the requests' });
    for (const reset of [false, true]) {
      await goAway(plainRequest(host, sent), arrived, reset);
      await echo.clear();
    }
    await cancel(sent, arrived);
  });

  test('a WebSocket', async () => {
    await echo.clear();
    const upgrade = plainRequest(host, {
      token: reader,
      headers: [
        ['Host', host],
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Version', '13'],
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ],
    });
    const arrived = () => until(async () => (await echo.requests()).length >= CLIENTS, { what: 'the requests' });
    for (const reset of [false, true]) {
      await goAway(upgrade, arrived, reset);
      await echo.clear();
    }
  });
});
