import { describe, expect, test } from 'vitest';
import type { Route } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const policy = (host: string, route: string) => `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
services: { wiki: { insecure_url: "http://wiki:8080" } }
hosts:
  wiki.example.com:
    ${host}
    /*: { service: wiki, allow: [{ role: staff, methods: [GET, PUT] }], ${route} }
`;

function routeOf(host: string, route: string): Route {
  const parsed = parsePolicy(policy(host, route), 'p.yaml');
  expect(parsed.errors.map(formatError)).toEqual([]);
  return parsed.policy?.hosts[0]?.routes[0] as Route;
}

const errorsOf = (host: string, route: string) => parsePolicy(policy(host, route), 'p.yaml').errors.map(formatError);

const usual = {
  connectTimeout: 10,
  sendTimeout: 60,
  readTimeout: 60,
  maxBody: 104857600,
  buffering: true,
  requestBuffering: false,
};

describe('proxy', () => {
  test.each([
    ['', '', {}],
    ['proxy: { read_timeout: 5m }', '', { readTimeout: 300 }],
    ['', 'proxy: { max_body: 512k, connect_timeout: 2s }', { maxBody: 524288, connectTimeout: 2 }],
    ['proxy: { read_timeout: 5m, max_body: 2g }', 'proxy: { max_body: 1m }', { readTimeout: 300, maxBody: 1048576 }],
    [
      '',
      'proxy: { stream: true }',
      { buffering: false, requestBuffering: false, readTimeout: 3600, sendTimeout: 3600 },
    ],
    [
      'proxy: { stream: true }',
      'proxy: { request_buffering: true, read_timeout: 2h }',
      { buffering: false, requestBuffering: true, readTimeout: 7200, sendTimeout: 3600 },
    ],
    ['proxy: { stream: true }', 'proxy: { stream: false }', {}],
    ['proxy: { buffering: false }', 'proxy: { buffering: true, send_timeout: 1d }', { sendTimeout: 86400 }],
  ])('host %s, route %s', (host, route, expected) => {
    expect(routeOf(host, route).proxy ?? usual).toEqual({ ...usual, ...expected });
  });

  test('a setting without effect is an error, on either level', () => {
    const why = 'no effect: buffering is true by default; remove it';
    expect(errorsOf('proxy: { buffering: true }', 'proxy: { buffering: true, max_body: 1m }')).toEqual([
      `p.yaml:7:14 hosts."wiki.example.com".proxy.buffering: ${why}`,
    ]);
  });

  test('an empty setting is an error', () => {
    expect(errorsOf('', 'proxy: {}')).toEqual([
      'p.yaml:8:73 hosts."wiki.example.com"."/*".proxy: nothing in it; write { read_timeout: 5m }, or remove it',
    ]);
  });
});

describe('cors', () => {
  const app = 'origins: [https://app.example.com]';
  const cors = {
    origins: ['https://app.example.com'],
    methods: ['GET', 'HEAD', 'PUT'],
    headers: ['Authorization', 'Content-Type'],
    expose: [],
    credentials: false,
    maxAge: 600,
  };

  test.each([
    ['', '', undefined],
    [`cors: { ${app} }`, '', cors],
    [
      '',
      `cors: { ${app}, methods: [PUT], headers: [X-A], expose: [ETag], credentials: true, max_age: 1h }`,
      {
        ...cors,
        methods: ['PUT'],
        headers: ['X-A'],
        expose: ['ETag'],
        credentials: true,
        maxAge: 3600,
      },
    ],
    // The settings of a route replace those of its host as a whole.
    [`cors: { ${app}, credentials: true }`, 'cors: { origins: ["*"] }', { ...cors, origins: ['*'] }],
    [`cors: { ${app} }`, 'cors: null', undefined],
    [
      '',
      'cors: { origins: ["http://localhost:3000", "https://[2001:db8::1]:8443"] }',
      {
        ...cors,
        origins: ['http://localhost:3000', 'https://[2001:db8::1]:8443'],
      },
    ],
  ])('host %s, route %s', (host, route, expected) => {
    expect(routeOf(host, route).cors).toEqual(expected);
  });

  test('a method that no rule allows', () => {
    const why = 'no effect: no rule here allows DELETE; write such a rule, or remove this';
    expect(errorsOf('', `cors: { ${app}, methods: [GET, DELETE] }`)).toEqual([
      `p.yaml:8:132 hosts."wiki.example.com"."/*".cors.methods[1]: ${why}`,
    ]);
    expect(errorsOf(`cors: { ${app}, methods: [GET, DELETE] }`, '')).toEqual([
      `p.yaml:7:64 hosts."wiki.example.com".cors.methods[1]: ${why}`,
    ]);
  });

  test.each(['https://app.example.com/x', 'https://me@app.example.com', 'file://', 'app.example.com', 'HTTPS://*'])(
    '%s is not an origin',
    (origin) => {
      expect(errorsOf('', `cors: { origins: ["${origin}"] }`)).toHaveLength(1);
    },
  );
});
