import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { nodeImage } from '../harness/images.ts';
import {
  type Box,
  type Gateway,
  type Issuer,
  ready,
  type Stage,
  startContainer,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
} from '../harness/index.ts';

/** The limits of the chart. */
const values = parse(readFileSync('nginx/chart/values.yaml', 'utf8'));
const megabytes = (text: string): number => Number(/^(\d+)Mi$/.exec(text)?.[1]);

const host = 'wiki.test';
const keysFile = '/run/secrets/session.jwks';

const policyFor = (issuer: string) => `
version: 1
gateway:
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: ${keysFile}, people: 100 }
  assertion: { issuer: "https://wiki.test", keys_file: /run/secrets/assertion.jwks }
providers:
  acme: { issuer: "${issuer}", audiences: [wiki], ca_file: /run/provider/ca.pem, client: { id: gateway } }
roles: { staff: { group: staff } }
services: { wiki: { insecure_url: "http://wiki:8080" } }
hosts:
  ${host}:
    /*: { service: wiki, allow: [staff] }
    /public/*: { service: wiki, allow: [anyone] }
`;

let stage: Stage;
let gateway: Gateway;
let token: string;
let acme: Issuer;

beforeAll(async () => {
  stage = await testStage('flood');
  const [, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
  acme = await issuers.create('acme');
  gateway = await startGateway(stage, {
    policy: policyFor(acme.url),
    files: { [keysFile]: newRing(Math.floor(Date.now() / 1000) - 7200) },
    workers: values.workers,
    memory: megabytes(values.resources.limits.memory),
  });
  token = await acme.sign({ aud: 'wiki', sub: 'carol', groups: ['staff'] });
  await ready(gateway, host, { token });
});

/** Starts an address that floods; it holds all that it got until it is stopped. */
const flood = (kind: string, connections: number, more: object = {}, target = gateway): Promise<Box> => {
  const { host: at, port, name } = target.target(host);
  return startContainer(stage, {
    image: nodeImage,
    alias: 'flood',
    command: ['node', '/srv/flood.mjs'],
    env: { FLOOD: JSON.stringify({ kind, host: at, port, name, connections, ...more }) },
    ready: /^holds/m,
  });
};

/** What honest callers of another address get: fresh connections, a token, a public page, the sign-in, and health. */
async function honest(target = gateway): Promise<Record<string, number>> {
  const requested = [
    { path: '/x', token },
    { path: '/public/x' },
    { path: '/.meshgate/whoami', token },
    { path: '/.meshgate/jwks' },
  ];
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (let round = 0; round < 25; round++) {
    for (const sent of requested) {
      await target.send(host, sent).then(
        ({ status }) => count(`${sent.path.split('?')[0]} ${status}`),
        (error: NodeJS.ErrnoException) => count(`${sent.path} ${error.code ?? error.message}`),
      );
    }
    const live = await target.health('/.meshgate/healthz').then(
      ({ status }) => status,
      (error) => error.code,
    );
    count(`healthz ${live}`);
  }
  return counts;
}

const served = {
  '/x 200': 25,
  '/public/x 200': 25,
  '/.meshgate/whoami 200': 25,
  '/.meshgate/jwks 200': 25,
  'healthz 200': 25,
};

/** The endpoints of the gateway at which an anonymous caller can begin a body. */
const forms = ['/.meshgate/backchannel', '/.meshgate/signout', '/.meshgate/signin', '/public/x', '/x'];
/** And those whose response it can leave unread. */
const pages = [
  '/.meshgate/signin',
  '/.meshgate/whoami',
  '/.meshgate/jwks',
  '/.well-known/oauth-protected-resource',
  '/x',
  '/public/x',
  '//x',
  '/.meshgate/none',
  '/.meshgate/callback',
];

interface Flood {
  readonly what: string;
  readonly kind: string;
  readonly connections: number;
  readonly more?: object;
}

const floods: readonly Flood[] = [
  { what: '10,000 silent connections', kind: 'silent', connections: 10_000 },
  { what: '10,000 half handshakes', kind: 'half-hello', connections: 10_000 },
  { what: '10,000 handshakes that it does not finish', kind: 'hello', connections: 10_000 },
  { what: '10,000 half headers over TLS', kind: 'header', connections: 10_000 },
  {
    what: 'bodies at each endpoint that it does not finish, 32 on each of 600 connections',
    kind: 'body',
    connections: 600,
    more: { streams: 32, paths: forms },
  },
  {
    what: 'logout tokens that it does not finish, 32 on each of 600 connections',
    kind: 'body',
    connections: 600,
    more: { streams: 32, paths: ['/.meshgate/backchannel'] },
  },
  {
    what: 'responses of each endpoint that it does not read, 32 on each of 600 connections',
    kind: 'unread',
    connections: 600,
    more: { streams: 32, paths: pages },
  },
  {
    what: 'requests at each endpoint without end, 32 at once on each of 32 connections',
    kind: 'requests',
    connections: 32,
    more: { streams: 32, paths: pages },
  },
];

describe.each(floods)('one address with $what', ({ kind, connections, more }) => {
  let box: Box;
  let workers: readonly string[];

  beforeAll(async () => {
    workers = gateway.workers();
    box = await flood(kind, connections, more);
  });
  afterAll(() => box?.stop());

  test('takes nothing from callers of other addresses, and no worker dies', async () => {
    expect(await honest()).toEqual(served);
    expect(gateway.workers()).toEqual(workers);
    expect((await gateway.box.exec('meshgate-health', 'readyz')).exitCode).toBe(0);
  });
});

/** The refusals of nginx itself: it answers them before the check. */
const refusals = [
  '//x',
  '/.meshgate/none',
  '/.meshgate/bad',
  '/.meshgate/page/x',
  '/.well-known/oauth-protected-resource',
];

test('four addresses that leave refusals unread, 32 on each of 256 connections, kill no worker', async () => {
  const workers = gateway.workers();
  const boxes = await Promise.all([1, 2, 3, 4].map(() => flood('unread', 512, { streams: 32, paths: refusals })));
  try {
    expect(gateway.workers()).toEqual(workers);
    expect(await honest()).toEqual(served);
  } finally {
    await Promise.all(boxes.map((box) => box.stop()));
  }
});

describe('all addresses together, with some responses on each connection that they do not read', () => {
  let full: Gateway;
  let box: Box;

  beforeAll(async () => {
    // One address stands for many: the policy lets it have all connections of the workers.
    full = await startGateway(stage, {
      policy: policyFor(acme.url).replace('gateway:', 'gateway:\n  connections: { per_address: 8192 }'),
      files: { [keysFile]: newRing(Math.floor(Date.now() / 1000) - 7200) },
      workers: values.workers,
      memory: megabytes(values.resources.limits.memory),
      alias: 'full',
    });
    await ready(full, host, { token });
  });
  afterAll(() => box?.stop());

  test('kill no worker, and take nothing from connections that are open', async () => {
    const agent = full.keepAlive(host, 4);
    const ask = () => full.send(host, { path: '/x', token, agent }).then(({ status }) => status);
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual([200, 200, 200, 200]);
    const workers = full.workers();
    box = await flood('unread', 5000, { streams: 4, paths: ['//x'] }, full);
    expect(full.workers()).toEqual(workers);
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual([200, 200, 200, 200]);
    expect((await full.health('/.meshgate/healthz')).status).toBe(200);
  });
});

test('one address leaves room for others, however few clients the limit of memory has room for', async () => {
  const small = await startGateway(stage, {
    policy: policyFor(acme.url),
    files: { [keysFile]: newRing(Math.floor(Date.now() / 1000) - 7200) },
    workers: values.workers,
    memory: 176,
    alias: 'small',
  });
  await ready(small, host, { token });
  const box = await flood('silent', 600, {}, small);
  try {
    for (let round = 0; round < 20; round++) {
      expect((await small.send(host, { path: '/public/x' })).status).toBe(200);
    }
  } finally {
    await box.stop();
  }
});

test('an address with more half headers at the port of health than a worker has connections closes none of others', async () => {
  const nginxConf = readFileSync('nginx/nginx.conf', 'utf8').replace('connections 16384;', 'connections 2048;');
  const single = await startGateway(stage, {
    policy: policyFor(acme.url),
    files: { [keysFile]: newRing(Math.floor(Date.now() / 1000) - 7200), '/etc/nginx/nginx.conf': nginxConf },
    alias: 'single',
  });
  await ready(single, host, { token });
  const agent = single.keepAlive(host, 1);
  expect((await single.send(host, { path: '/x', token, agent })).status).toBe(200);
  const box = await flood('plain-header', 4000, { port: 8081 }, single);
  try {
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    expect(await honest(single)).toEqual(served);
  } finally {
    await box.stop();
  }
});

test('an address is not locked out by the connections that it had at workers that died', async () => {
  const { host: at, port } = gateway.target(host);
  // 100 fit, even if one worker accepts them all. 100 of each of 8 rounds do not.
  for (let round = 0; round < 8; round++) {
    const held = Array.from({ length: 100 }, () => connect(port, at).on('error', () => {}));
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    // An answer over a new connection: the workers have accepted those before it.
    for (let i = 0; i < 4; i++) expect((await gateway.send(host, { path: '/public/x' })).status).toBe(200);
    const died = gateway.workers();
    await gateway.box.exec('sh', '-c', `kill -9 ${died.join(' ')}`);
    const others = () => gateway.workers().filter((pid) => !died.includes(pid)).length === died.length;
    await until(others, { what: 'new workers' });
    for (const socket of held) socket.destroy();
  }
  expect(await honest()).toEqual(served);
});
