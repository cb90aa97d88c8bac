import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const parse = (list: string, more: { headers?: string; canary?: string; allow?: string; protocol?: string } = {}) =>
  parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
services:
  wiki: { url: https://wiki, request_headers: ${list}${more.protocol ?? ''} }
  ${more.canary ?? ''}
${more.headers ?? ''}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${more.allow ?? 'staff, beta'}] }
`,
    'p.yaml',
  );

test('a service may list the request headers that it receives', () => {
  const { policy, errors } = parse('[Accept, Cookie, X-Own]');
  expect(errors.map(formatError)).toEqual([]);
  expect(policy?.services.wiki?.requestHeaders).toEqual(['Accept', 'Cookie', 'X-Own']);
});

describe('a name that cannot pass, or passes anyway, is a mistake', () => {
  test.each([
    ['content-type', 'no effect: this header always passes; remove it'],
    ['If-Match', 'no effect: this header always passes; remove it'],
    ['Origin', 'no effect: this header always passes; remove it'],
    ['Mcp-Name', 'no effect: this header always passes; remove it'],
    ['Host', 'no effect: the gateway sets this header; remove it'],
    ['X-Forwarded-For', 'no effect: the gateway sets this header; remove it'],
    ['traceparent', 'no effect: the gateway sets this header; remove it'],
    ['X-Meshgate-Rule', 'no effect: the gateway sets this header; remove it'],
    ['X-Team-Name', 'no effect: the gateway sets this header; remove it'],
    ['Transfer-Encoding', 'no effect: this header is about the connection, not the request; remove it'],
    ['Content-Length', 'no effect: this header is about the connection, not the request; remove it'],
    ['X-WEBAUTH-ROLE', 'no effect: nginx erases this header, because Grafana, auth proxy trusts it; remove it'],
    ['Destination', 'no effect: nginx erases this header, because WebDAV'],
    ['Authorization', 'no effect: nginx erases this header, because it has the gateway’s credential'],
    ['Bad Name', 'not the name of a header'],
    ['accept', 'the same header as "Accept"; keep one'],
  ])('%s', (name, says) => {
    const { errors } = parse(`[Accept, ${name}]`, { headers: 'headers: { X-Team-Name: name }' });
    expect(errors.map(formatError)).toEqual([expect.stringContaining(`services.wiki.request_headers[1]: `)]);
    expect(errors[0]?.message).toContain(says);
  });
});

test('an empty list is a mistake', () => {
  expect(parse('[]').errors.map(formatError)).toEqual([expect.stringContaining('the list is empty; write [Accept')]);
});

test('a service that speaks gRPC has no list', () => {
  expect(parse('[X-Own]', { protocol: ', protocol: grpc' }).errors.map(formatError)).toEqual([
    expect.stringContaining('nginx passes all metadata of gRPC calls and cannot filter them; remove this'),
  ]);
});

describe('services of one route', () => {
  const canary = (list: string) => ({
    canary: `canary: { url: https://canary${list} }`,
    allow: '{ role: beta, service: canary }, staff',
  });

  test('have the same list, in whatever order and case', () => {
    const { errors } = parse('[Accept, X-Own]', canary(', request_headers: [x-own, accept]'));
    expect(errors.map(formatError)).toEqual([]);
  });

  test.each(['', ', request_headers: [Accept]'])('must not have different lists%s', (list) => {
    expect(parse('[Accept, X-Own]', canary(list)).errors.map(formatError)).toEqual([
      expect.stringContaining(
        '"canary" and "wiki" receive different request headers, but nginx has one list for a route',
      ),
    ]);
  });
});
