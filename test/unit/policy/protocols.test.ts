import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const parse = (more: { services?: string; allow?: string; route?: string; headers?: string } = {}) =>
  parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
services:
  pages: { url: https://pages, protocol: grpc }
  ${more.services ?? 'wiki: { url: https://wiki, protocol: http1 }'}
${more.headers ?? ''}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${more.allow ?? 'beta'}] }
    /wiki.Pages/*: { service: pages, allow: [staff]${more.route ?? ''} }
`,
    'p.yaml',
  );

test('HTTP/1.1 is the default; calls have no largest body and no end', () => {
  const { policy, errors } = parse();
  expect(errors.map(formatError)).toEqual([]);
  expect([policy?.services.wiki?.protocol, policy?.services.pages?.protocol]).toEqual([undefined, 'grpc']);
  const [page, call] = policy?.hosts[0]?.routes ?? [];
  expect(page?.proxy).toBeUndefined();
  expect(call?.proxy).toEqual({
    connectTimeout: 10,
    sendTimeout: 3600,
    readTimeout: 3600,
    maxBody: 0,
    buffering: false,
    requestBuffering: false,
  });
  const limited = parse({ route: ', proxy: { read_timeout: 5m, max_body: 1m }' }).policy;
  expect(limited?.hosts[0]?.routes[1]?.proxy).toMatchObject({ readTimeout: 300, sendTimeout: 3600, maxBody: 1048576 });
});

describe('mistakes', () => {
  test.each([
    [
      'no protocol',
      { services: 'wiki: { url: https://wiki, protocol: h2 }' },
      /services\.wiki\.protocol: .*did you mean "http1"|services\.wiki\.protocol: .*write one of http1, http2, grpc/,
    ],
    [
      'two protocols on one route',
      { allow: '{ role: staff, service: pages }, beta' },
      /"\/\*"\.allow\[0\]\.service: "pages" speaks grpc, and "wiki" http1, but nginx has one protocol for a route; write another route for "pages"$/,
    ],
    [
      'a buffer for calls',
      { route: ', proxy: { buffering: false }' },
      /proxy\.buffering: no effect: nginx never buffers gRPC; remove it$/,
    ],
    [
      'a stream of calls',
      { route: ', proxy: { stream: true }' },
      /proxy\.stream: no effect: nginx never buffers gRPC; remove it$/,
    ],
    [
      'a header that the module has no room for',
      { headers: `headers: { X-${'a'.repeat(45)}: subject }` },
      /headers\..*: too long for service "pages", which uses gRPC; write a name of at most 46 characters$/,
    ],
  ] as const)('%s', (_, more, expected) => {
    const errors = parse(more).errors.map(formatError);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(expected);
  });
});
