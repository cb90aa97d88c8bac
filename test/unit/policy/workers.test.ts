import { describe, expect, test } from 'vitest';
import { formatError } from '../../../src/policy/index.ts';
import { parsePolicy } from '../../../src/policy/parse.ts';

/** A policy with one route; `session` says whether people sign in. */
const policy = (path: string, keys: string, session = true) => `
version: 1
gateway: { insecure_http: true, listen: 8080${session ? ', session: { keys_file: /run/s.jwks }' : ''} }
providers:
  okta: { issuer: "https://okta.example.com", audiences: [wiki]${session ? ', client: { id: wiki }' : ''} }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test:
    "${path}": { service: wiki, allow: [authenticated], ${keys} }
`;

function read(path: string, keys: string, session = true): string {
  const { policy: read, errors } = parsePolicy(policy(path, keys, session), 'p.yaml');
  return read === undefined ? errors.map(formatError).join('\n') : String(read.hosts[0]?.routes[0]?.serviceWorkers);
}

const SAFE = 'service_workers: true';
const UNSAFE = 'insecure_service_workers: true';

describe('service workers', () => {
  test.each([
    ['/app/*', SAFE, 'folder'],
    ['/app/sw.js', SAFE, 'folder'],
    ['/*', UNSAFE, 'anywhere'],
    ['/sw.js', UNSAFE, 'anywhere'],
    ['/app/*', UNSAFE, 'anywhere'],
  ])('may be registered from %s with %s', (path, keys, expected) => {
    expect(read(path, keys)).toBe(expected);
  });

  test.each([
    ['/*', SAFE, /sees the sign-in, too; serve the app from a folder, as in \/app\/\*, or write insecure_/],
    ['/sw.js', SAFE, /sees the sign-in, too/],
    ['/app/*', 'service_workers: false', /write true, or remove this/],
    ['/app/*', `${SAFE}, ${UNSAFE}`, /no effect together with insecure_service_workers; remove one of the two/],
  ])('are a mistake at %s with %s', (path, keys, says) => {
    expect(read(path, keys)).toMatch(says);
  });

  test.each([SAFE, UNSAFE])('%s has no effect if no one signs in', (keys) => {
    expect(read('/app/*', keys, false)).toMatch(/no effect: no route of this host accepts sessions/);
  });
});
