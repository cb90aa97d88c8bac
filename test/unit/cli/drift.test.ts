import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemAsk } from '../../../src/cli/machine/http.ts';
import { meshgate } from './fake.ts';

/** `drift confluence` against a server that answers as Confluence's REST API documents it, over real HTTP. */

const POLICY = `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  assertion: { issuer: https://wiki.example.com, keys_file: /run/secrets/assertion.jwks }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [a], client: { id: a, secret_file: /run/secrets/okta } }
services:
  wiki: { url: https://confluence.internal:8443 }
profiles:
  - use: confluence
    host: wiki.example.com
    service: wiki
    roles: { user: { group: people }, admin: { group: admins }, break_glass: { network: [198.51.100.7/32] } }
    options: { step_up: 15m, applinks: [192.0.2.7/32] }
`;

const TOKEN = 'NDc4NDkyNDg3ODE3OstHYSeYC1HgXqRacSqvUbookcZk';
const SAME = ['confluence-administrators', 'confluence-users'];

let groups: readonly string[] = SAME;
let members: Readonly<Record<string, number>> = {};
/** How many elements a page has at most, whatever `limit` says. */
let largestPage = 200;
let hasLinks = true;
const requested: string[] = [];

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://x');
  requested.push(`${url.pathname}${url.search}`);
  const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
  response.setHeader('X-AUSERNAME', isKnown ? 'root' : 'anonymous');
  const path = decodeURIComponent(url.pathname.replace(/^\/wiki/, ''));
  const group = /^\/rest\/api\/group\/(.+)\/member$/.exec(path)?.[1];
  const all =
    group === undefined
      ? groups.map((name) => ({ type: 'group', name }))
      : Array.from({ length: members[group] ?? 0 }, (_, i) => ({ type: 'known', username: `u${i}` }));
  if (path !== '/rest/api/group' && group === undefined) return void response.writeHead(404).end('<html>');
  const start = Number(url.searchParams.get('start'));
  const limit = Math.min(Number(url.searchParams.get('limit')), largestPage);
  const results = isKnown ? all.slice(start, start + limit) : [];
  const next = hasLinks && start + limit < all.length ? { next: `/rest/api/group?start=${start + limit}` } : {};
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ results, start, limit, size: results.length, _links: next }));
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve())));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const url = (base = '') => `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`;

const files = { './meshgate.yaml': POLICY, pat: `${TOKEN}\n`, other: 'AAAA\n', empty: '\n' };

async function drift(args: readonly string[] = [], { base = '', token = 'pat' } = {}) {
  requested.length = 0;
  const flags = ['--url', url(base), '--token-file', token];
  const ran = await meshgate(['drift', 'confluence', ...flags, ...args], { files, ask: systemAsk()! });
  expect(ran.out + ran.err).not.toMatch(/NDc4|AAAA/);
  return ran;
}

function given(values: {
  groups?: readonly string[];
  members?: Readonly<Record<string, number>>;
  largestPage?: number;
  hasLinks?: boolean;
}) {
  groups = values.groups ?? SAME;
  members = values.members ?? {};
  largestPage = values.largestPage ?? 200;
  hasLinks = values.hasLinks ?? true;
}

describe('drift confluence', () => {
  test('finds no difference if both have the same groups; roles that the profile makes for itself are none', async () => {
    given({});
    expect(await drift()).toMatchObject({
      code: 0,
      err: '',
      out: 'same      confluence-administrators\nsame      confluence-users\nnothing differs\n',
    });
  });

  test('names roles without a group, and groups without a role', async () => {
    given({ groups: ['confluence-users', 'wiki-admins', 'space-a'] });
    const { code, out } = await drift();
    expect(code).toBe(1);
    expect(out).toBe(
      [
        'same      confluence-users',
        'missing   confluence-administrators: a role of the policy, and no group of Confluence',
        'not given space-a: a group of Confluence that no role gives',
        'not given wiki-admins: a group of Confluence that no role gives',
        '3 differences\n',
      ].join('\n'),
    );
  });

  test('--ignore leaves out groups of Confluence, and never one that the policy names', async () => {
    given({ groups: [...SAME, 'space-a', 'space.b', 'spaces'] });
    const { code, out } = await drift(['--ignore', 'space-*, space.b, confluence-*', '--format', 'json']);
    expect([code, JSON.parse(out)]).toEqual([1, { same: false, both: SAME, missing: [], notGiven: ['spaces'] }]);
  });

  test.each([true, false])('reads all pages, however small (with links: %s)', async (links) => {
    const many = [...SAME, ...Array.from({ length: 7 }, (_, i) => `team-${i}`)];
    given({ groups: many, largestPage: 3, hasLinks: links });
    const { out } = await drift(['--format', 'json']);
    expect(JSON.parse(out).notGiven).toHaveLength(7);
    expect(requested.slice(0, 3).map((it) => /start=\d+/.exec(it)?.[0])).toEqual(['start=0', 'start=3', 'start=6']);
  });

  test('--members counts the accounts of each group, below a context path too', async () => {
    given({
      groups: [...SAME, 'a b/c'],
      members: { 'confluence-users': 5, 'confluence-administrators': 1, 'a b/c': 2 },
      largestPage: 2,
    });
    const { out } = await drift(['--members'], { base: '/wiki/' });
    expect(out).toContain('same      confluence-administrators (1 account)\nsame      confluence-users (5 accounts)\n');
    expect(out).toContain('not given a b/c: a group of Confluence that no role gives (2 accounts)\n');
    expect(requested.every((it) => it.startsWith('/wiki/rest/api/group'))).toBe(true);
  });

  test('text from Confluence cannot control the terminal', async () => {
    given({ groups: [...SAME, 'x\u001b[2J'] });
    expect((await drift()).out).toContain('not given x\\u001b[2J:');
  });

  test('a token that Confluence does not know is no answer, although the status is 200', async () => {
    given({});
    const { code, out, err } = await drift([], { token: 'other' });
    expect([code, out, err]).toEqual([1, '', 'meshgate: /rest/api/group: 200: Confluence does not know the token\n']);
  });

  test('an address that is not Confluence is no answer', async () => {
    const { code, err } = await drift([], { base: '/other' });
    expect([code, err]).toEqual([1, 'meshgate: /rest/api/group: 404: use the token of an administrator\n']);
  });

  test('if no answer comes, the error names the address', async () => {
    const closed = await meshgate(['drift', 'confluence', '--url', 'http://127.0.0.1:1/wiki', '--token-file', 'pat'], {
      files,
      ask: systemAsk()!,
    });
    expect([closed.code, closed.err]).toEqual([
      1,
      expect.stringMatching(/^meshgate: http:\/\/127\.0\.0\.1:1\/wiki\/rest\/api\/group: no answer: .+\n$/),
    ]);
  });

  test('sends the token only over TLS, and asks for what it lacks', async () => {
    const run = (...args: string[]) => meshgate(['drift', 'confluence', ...args], { files, ask: systemAsk()! });
    const cases = [
      [['--url', 'http://confluence.internal:8090', '--token-file', 'pat'], /write https:/],
      [['--url', url()], /give --url and --token-file/],
      [['--url', url(), '--token-file', 'empty'], /the file has no token/],
      [
        ['--url', url(), '--token-file', 'pat', '--host', 'x.example.com'],
        /no host x.example.com: give --host with one of wiki/,
      ],
    ] as const;
    for (const [args, says] of cases)
      expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringMatching(says) });
    expect(await meshgate(['drift', 'confluence', '--url', url(), '--token-file', 'pat'], { files })).toMatchObject({
      code: 2,
      err: expect.stringContaining('Node'),
    });
  });
});
