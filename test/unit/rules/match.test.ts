import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host, Route } from '../../../src/policy/checked/types.ts';
import { match } from '../../../src/rules/decide/match.ts';
import { holds } from '../../harness/property.ts';
import { at, path, policy, requestPath } from './arbitrary.ts';

function host(name: string, ...paths: string[]): Host {
  const routes = paths.map((path): Route => {
    const prefix = path.endsWith('/*');
    return {
      name: name + path,
      host: name,
      path: prefix ? path.slice(0, -2) : path,
      kind: prefix ? 'prefix' : 'exact',
      service: 'wiki',
      accept: ['bearer'],
      allow: [],
      headers: {},
      at,
    };
  });
  return { name, providers: [], routes, at };
}

const hosts = [
  host('*.example.com', '/*'),
  host('*.wiki.example.com', '/*'),
  host('wiki.example.com', '/*', '/rest/*', '/rest/api/x', '/rest/api/*', '/status'),
  host('small.test', '/app/*'),
];

const found = (name: string, target: string) => {
  const result = match(hosts, name, target);
  return 'reason' in result ? result.reason : result.route.name;
};

describe('host', () => {
  test.each([
    ['wiki.example.com', 'wiki.example.com/*'],
    ['WIKI.Example.com', 'wiki.example.com/*'],
    ['wiki.example.com:8443', 'wiki.example.com/*'],
    ['wiki.example.com.', 'wiki.example.com/*'],
    ['wiki.example.com.:443', 'wiki.example.com/*'],
    ['a.example.com', '*.example.com/*'],
    ['a.b.example.com', '*.example.com/*'],
    ['a.wiki.example.com', '*.wiki.example.com/*'],
    ['example.com', 'host_unknown'],
    ['wiki.example.com.evil.test', 'host_unknown'],
    ['[::1]:8443', 'host_unknown'],
    ['*.example.com', 'host_unknown'],
    ['', 'request_malformed'],
    ['wiki..example.com', 'request_malformed'],
    ['wiki.example.com..', 'request_malformed'],
    ['..', 'request_malformed'],
    ['wiki.example.com/x', 'request_malformed'],
    [' wiki.example.com ', 'wiki.example.com/*'],
    ['wiki.example.com:', 'wiki.example.com/*'],
    ['wiki.example.com:65536', 'request_malformed'],
    ['wiki.example.com:x', 'request_malformed'],
    ['wiki.example.com:80:90', 'request_malformed'],
    ['a_b.example.com', 'host_unknown'],
    ['a@small.test', 'request_malformed'],
    ['smàll.test', 'request_malformed'],
    ['.', 'request_malformed'],
    ['[::1', 'request_malformed'],
  ])('%s → %s', (name, route) => {
    expect(found(name, '/')).toBe(route);
  });

  test('an absolute-form target brings its own host', () => {
    expect(found('small.test', 'https://WIKI.example.com:8443/status?x')).toBe('wiki.example.com/status');
    expect(found('wiki.example.com', 'http://small.test')).toBe('route_unknown');
    expect(found('small.test', 'http://wiki.example.com?/status')).toBe('wiki.example.com/*');
    expect(found('small.test', 'http://user@wiki.example.com/')).toBe('request_malformed');
    expect(found('small.test', 'http://wiki.example.com:65536/')).toBe('request_malformed');
    expect(found('a@b', 'http://wiki.example.com/')).toBe('request_malformed');
    expect(found('a@b', 'http://wiki.example.com//')).toBe('path_not_canonical');
    expect(found('a@b', 'http://other.test//')).toBe('request_malformed');
    expect(found('small.test', 'http://a_b.example.com/')).toBe('request_malformed');
  });
});

describe('path', () => {
  test.each([
    ['/', 'wiki.example.com/*'],
    ['/status', 'wiki.example.com/status'],
    ['/status?a=/../;', 'wiki.example.com/status'],
    ['/status/', 'wiki.example.com/*'],
    ['/Status', 'wiki.example.com/*'],
    ['/rest', 'wiki.example.com/rest/*'],
    ['/rest/', 'wiki.example.com/rest/*'],
    ['/restore', 'wiki.example.com/*'],
    ['/rest/api', 'wiki.example.com/rest/api/*'],
    ['/rest/api/x', 'wiki.example.com/rest/api/x'],
    ['/rest/api/x/', 'wiki.example.com/rest/api/*'],
    ['/rest%20', 'wiki.example.com/*'],
    ['/status%3f', 'wiki.example.com/*'],
    ['/.meshgate', 'route_unknown'],
    ['/.meshgate?x', 'route_unknown'],
    ['/.MESHGATE/signin', 'route_unknown'],
    ['/.Meshgate', 'route_unknown'],
    ['/.meshgate-not', 'wiki.example.com/*'],
    ['/x/.meshgate/', 'wiki.example.com/*'],
    ['/.meshgate/check/x', 'route_unknown'],
  ])('%s → %s', (path, route) => {
    expect(found('wiki.example.com', path)).toBe(route);
  });

  test('without a route for everything: route_unknown', () => {
    expect(found('small.test', '/')).toBe('route_unknown');
    expect(found('small.test', '/app')).toBe('small.test/app/*');
    expect(found('small.test', '/apple')).toBe('route_unknown');
  });

  test.each(['//', '/rest/../status', '/rest%2fx', '/rest;a=b/x', '/%72est/x', '/x#y', '/a/%2e%2e/b'])(
    '%s → path_not_canonical',
    (path) => {
      expect(found('wiki.example.com', path)).toBe('path_not_canonical');
    },
  );

  test('an unknown host is found before a path that is not canonical', () => {
    expect(found('other.test', '//x')).toBe('host_unknown');
  });

  test.each([
    '',
    '*',
    'x',
    '/%',
    '/%1',
    '/%zz',
    '/%00',
    '/a b',
    '/\x01',
    '/\x7f',
    '/..',
    '/a/../../b',
    '/%2e%2e/',
    '/a%2f../..',
  ])('%j → request_malformed: nginx cannot read it', (path) => {
    expect(found('wiki.example.com', path)).toBe('request_malformed');
  });

  test('a broken escape in the query does not matter to nginx', () => {
    expect(found('wiki.example.com', '/status?%zz%00')).toBe('wiki.example.com/status');
  });
});

describe('for all policies', () => {
  test('the order of hosts and routes does not matter', () => {
    holds(
      fc.property(policy, requestPath, ({ hosts }, path) => {
        const turned = hosts.toReversed().map((host) => ({ ...host, routes: host.routes.toReversed() }));
        for (const { name } of hosts) {
          const [one, other] = [hosts, turned].map((hosts) => match(hosts, name.replace('*', 'any'), path));
          expect('route' in one! ? one.route : one).toEqual('route' in other! ? other.route : other);
        }
      }),
    );
  });

  test('no other route of the host has a longer path that covers the request', () => {
    holds(
      fc.property(policy, path, ({ hosts }, path) => {
        for (const host of hosts) {
          const result = match([host], host.name.replace('*', 'any'), `${path}/x`);
          if ('reason' in result) continue;
          for (const other of host.routes) {
            if (other.kind === 'prefix' && `${path}/x`.startsWith(`${other.path}/`)) {
              expect(other.path.length).toBeLessThanOrEqual(result.route.path.length);
            }
          }
        }
      }),
    );
  });

  test('encoding what may be encoded changes no route', () => {
    const encoded = (text: string) => text.replaceAll('~', '%7E');
    holds(
      fc.property(policy, requestPath, ({ hosts }, path) => {
        for (const { name } of hosts) {
          const header = name.replace('*', 'any');
          expect(match(hosts, header, encoded(path))).toEqual(match(hosts, header, path));
        }
      }),
    );
  });
});
