/**
 * A service is of one origin with the gateway's own pages. It neither imitates them nor listens to them, and the gateway's
 * cookies are none of its business.
 */
import { describe } from 'vitest';
import { host, opening, startScene } from '../gateway/session-scene.ts';
import { gatewayCase } from '../harness/index.ts';

const { setup, ada } = await startScene('one-origin');

describe('a path that reads as one of the gateway’s own', () => {
  for (const path of [
    '/.meshgate',
    '/.meshgate?x',
    '/.MESHGATE/signin',
    '/.Meshgate/signout?x',
    '/.mesHgate',
    '/.meshgate/no-such-page',
    '/.MESHGATE/callback/',
    'https://wiki.test/.MESHGATE/signin',
  ]) {
    gatewayCase(setup, {
      name: `reaches no service: ${path}`,
      host,
      request: { path, headers: { Cookie: ada } },
      status: 404,
      reason: 'route_unknown',
      upstream: 'never',
    });
  }

  for (const path of [
    '//.meshgate/signin',
    '/.meshgate//signin',
    '/%2emeshgate/signin',
    '/.%6Deshgate/signin',
    '/x/../.meshgate',
  ]) {
    gatewayCase(setup, {
      name: `reaches no service in another spelling: ${path}`,
      host,
      request: { path, headers: { Cookie: ada } },
      status: 400,
      reason: 'path_not_canonical',
      upstream: 'never',
    });
  }

  gatewayCase(setup, {
    name: 'is a page for a browser, with the gateway’s policy for content',
    host,
    request: { path: '/.MESHGATE/signin', headers: { Cookie: ada, ...opening } },
    status: 404,
    upstream: 'never',
    answer: { 'Content-Security-Policy': /default-src 'none'/ },
  });

  for (const path of ['/.meshgate-not/x', '/x/.meshgate', '/meshgate']) {
    gatewayCase(setup, {
      name: `is another name: ${path}`,
      host,
      request: { path, headers: { Cookie: ada } },
      status: 200,
    });
  }
});
