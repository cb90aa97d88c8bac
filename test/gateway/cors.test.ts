/** Pages of other origins: which of them may send requests, what nginx answers by itself, and that this allows nothing
 * else. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Files,
  gatewayCase,
  ready,
  replaceIn,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
} from '../harness/index.ts';

const stage = await testStage('cors');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const policy = `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test:
    cors:
      origins: [https://app.example.com, "http://localhost:3000"]
      methods: [GET, PUT]
      expose: [ETag]
      credentials: true
      max_age: 1h
    /*:
      service: wiki
      allow:
        - { role: staff, methods: [GET, PUT] }
    /all/*: { service: wiki, allow: [anyone], cors: { origins: ["*"], headers: [X-Page] } }
    /none/*: { service: wiki, allow: [staff], cors: null }
`;
/** An nginx around the rendered files that adds a header to all responses. */
const around = (files: Files) =>
  replaceIn(files, 'servers.conf', /(server_name wiki\.test;)/, '$1\n    add_header X-Around yes always;');
const gateway = await startGateway(stage, { policy, mutate: around });
const setup = { gateway, echoes: [wiki] };
const [staff, withoutRole] = [
  await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['staff'] }),
  await acme.sign({ aud: 'wiki', sub: 'bob' }),
];
const app = 'https://app.example.com';
const host = 'wiki.test';
const NONE = {
  'Access-Control-Allow-Origin': null,
  'Access-Control-Allow-Credentials': null,
  'Access-Control-Allow-Methods': null,
  'Access-Control-Allow-Headers': null,
  'Access-Control-Expose-Headers': null,
  'Access-Control-Max-Age': null,
};

beforeAll(() => ready(gateway, host, { token: staff }));

/** The preflight of a browser before a request that a form could not send. */
const preflight = (origin: string, method = 'PUT', headers = 'authorization') => [
  ['Origin', origin] as const,
  ['Access-Control-Request-Method', method] as const,
  ['Access-Control-Request-Headers', headers] as const,
];

const APP_PREFLIGHT = {
  'Access-Control-Allow-Origin': app,
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Allow-Methods': 'GET, PUT',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '3600',
  Vary: 'Origin',
};

describe('a preflight', () => {
  for (const over of ['http1', 'http2'] as const) {
    gatewayCase(setup, {
      name: `of an allowed page is answered by nginx, without a credential (${over})`,
      host,
      over,
      request: { method: 'OPTIONS', path: '/page', headers: preflight(app) },
      status: 204,
      upstream: 'never',
      answer: { ...APP_PREFLIGHT, 'X-Around': 'yes' },
      log: {
        fields: {
          'http.request.method': 'OPTIONS',
          'http.route': 'wiki.test/*',
          'http.response.status_code': 204,
          'meshgate.rule': '',
          'meshgate.reason': '',
        },
      },
    });
  }

  gatewayCase(setup, {
    name: 'requests headers that are not reflected: the policy decides what is allowed',
    host,
    request: { method: 'OPTIONS', path: '/page', headers: preflight(app, 'DELETE', 'x-evil') },
    status: 204,
    upstream: 'never',
    answer: APP_PREFLIGHT,
  });

  gatewayCase(setup, {
    name: 'with an invalid token: the token is ignored',
    host,
    request: { method: 'OPTIONS', path: '/page', headers: preflight(app), token: 'a.b.c' },
    status: 204,
    upstream: 'never',
    answer: APP_PREFLIGHT,
  });

  gatewayCase(setup, {
    name: 'to a public route',
    host,
    request: { method: 'OPTIONS', path: '/all/x', headers: preflight('https://any.example') },
    status: 204,
    upstream: 'never',
    answer: {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Credentials': null,
      'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'Access-Control-Allow-Headers': 'X-Page',
      'Access-Control-Max-Age': '600',
      Vary: 'Origin',
    },
    log: { fields: { 'http.route': 'wiki.test/all/*' } },
  });

  gatewayCase(setup, {
    name: 'on a path without a route',
    host,
    request: { method: 'OPTIONS', path: '/a//b', headers: preflight(app) },
    status: 400,
    reason: 'path_not_canonical',
    answer: NONE,
  });

  gatewayCase(setup, {
    name: 'on a route that removes the host’s settings',
    host,
    request: { method: 'OPTIONS', path: '/none/x', headers: preflight(app) },
    status: 401,
    reason: 'credential_missing',
    answer: { ...NONE, Vary: null },
  });

  for (const [what, origin] of [
    ['another origin', 'https://evil.example'],
    ['an origin that begins alike', `${app}.evil.example`],
    ['an origin that ends alike', 'https://evil-app.example.com'],
    ['another scheme', 'http://app.example.com'],
    ['another port', `${app}:8443`],
    ['no origin at all', 'null'],
    ['two origins in one header', `${app}, ${app}`],
  ] as const) {
    gatewayCase(setup, {
      name: `of ${what}`,
      host,
      request: { method: 'OPTIONS', path: '/page', headers: preflight(origin) },
      status: 401,
      reason: 'credential_missing',
      answer: { ...NONE, Vary: 'Origin' },
    });
  }

  gatewayCase(setup, {
    name: 'with two origins',
    host,
    request: { method: 'OPTIONS', path: '/page', headers: [['Origin', 'https://evil.example'], ...preflight(app)] },
    status: 401,
    reason: 'credential_missing',
    answer: NONE,
  });
});

test.each([
  ['a preflight', { method: 'OPTIONS', path: '/page', headers: preflight(app) }],
  ['an answer', { path: '/page', headers: { Origin: app }, token: staff }],
  ['a refusal', { path: '/page', headers: { Origin: app } }],
])('%s has each header once', async (_, request) => {
  const answer = await gateway.send(host, request);
  const reported = answer.headers.map(([name]) => name).filter((name) => /^(Access-Control|Vary|X-Around)/.test(name));
  expect(reported.length).toBeGreaterThan(3);
  expect(reported).toEqual([...new Set(reported)]);
});

describe('an OPTIONS request that is not a preflight goes through the check', () => {
  for (const [what, headers] of [
    ['without a method', [['Origin', app]]],
    ['with an empty method', preflight(app, '')],
    ['without an origin', preflight(app).slice(1)],
  ] as const) {
    gatewayCase(setup, {
      name: what,
      host,
      request: { method: 'OPTIONS', path: '/page', headers },
      status: 401,
      reason: 'credential_missing',
      answer: { 'Access-Control-Allow-Methods': null },
    });
  }

  gatewayCase(setup, {
    name: 'and no rule allows it',
    host,
    request: { method: 'OPTIONS', path: '/page', headers: [['Origin', app]], token: staff },
    status: 403,
    reason: 'role_missing',
  });

  gatewayCase(setup, {
    name: 'a header of a preflight on another method opens nothing',
    host,
    request: { method: 'PUT', path: '/page', headers: preflight(app) },
    status: 401,
    reason: 'credential_missing',
    answer: { 'Access-Control-Allow-Methods': null },
  });
});

const spoken =
  '?echo-header=Access-Control-Allow-Origin:https://evil.example&echo-header=Access-Control-Allow-Credentials:no' +
  '&echo-header=Access-Control-Expose-Headers:X-Secret&echo-header=Access-Control-Allow-Private-Network:true';

describe('a cross-origin request', () => {
  gatewayCase(setup, {
    name: 'of an allowed page: the service’s headers are removed, and the gateway’s are sent once',
    host,
    request: { path: `/page${spoken}`, headers: { Origin: app }, token: staff },
    status: 200,
    upstream: { headers: { Origin: app } },
    answer: {
      'Access-Control-Allow-Origin': app,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'ETag',
      'Access-Control-Allow-Private-Network': null,
      Vary: 'Origin',
      'X-Around': 'yes',
    },
  });

  gatewayCase(setup, {
    name: 'of another page: it passes, but no script can read it',
    host,
    request: { path: `/page${spoken}`, headers: { Origin: 'https://evil.example' }, token: staff },
    status: 200,
    upstream: {},
    answer: { ...NONE, Vary: 'Origin', 'X-Around': 'yes' },
  });

  gatewayCase(setup, {
    name: 'without an origin',
    host,
    request: { path: '/page', token: staff },
    status: 200,
    upstream: {},
    answer: { ...NONE, Vary: 'Origin' },
  });

  gatewayCase(setup, {
    name: 'to a public route',
    host,
    request: { path: '/all/x', headers: { Origin: 'https://any.example' } },
    status: 200,
    upstream: {},
    answer: { ...NONE, 'Access-Control-Allow-Origin': '*', Vary: 'Origin' },
  });

  gatewayCase(setup, {
    name: 'on a route that removes the host’s settings the service’s headers stay',
    host,
    request: { path: `/none/x${spoken}`, headers: { Origin: app }, token: staff },
    status: 200,
    upstream: {},
    answer: { 'Access-Control-Allow-Origin': 'https://evil.example', Vary: null },
  });
});

describe('a refusal is readable by a page of an allowed origin, and by no other', () => {
  const readable = {
    'Access-Control-Allow-Origin': app,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'ETag',
    Vary: 'Origin',
  };
  gatewayCase(setup, {
    name: 'without a credential',
    host,
    request: { path: '/page', headers: { Origin: app } },
    status: 401,
    reason: 'credential_missing',
    answer: { ...readable, 'WWW-Authenticate': /^Bearer/ },
  });

  gatewayCase(setup, {
    name: 'without a role',
    host,
    request: { path: '/page', headers: { Origin: app }, token: withoutRole },
    status: 403,
    reason: 'role_missing',
    answer: readable,
  });

  gatewayCase(setup, {
    name: 'of another page',
    host,
    request: { path: '/page', headers: { Origin: 'https://evil.example' }, token: withoutRole },
    status: 403,
    reason: 'role_missing',
    answer: { ...NONE, Vary: 'Origin' },
  });
});
