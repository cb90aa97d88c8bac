import { describe, expect, test } from 'vitest';
import type { Incoming, Outgoing } from '../../../src/cli/machine/http.ts';
import { meshgate } from './fake.ts';

const POLICY = `version: 1
providers:
  okta: { issuer: https://login.example.com, audiences: [api://wiki] }
roles:
  reader: { group: readers }
services:
  wiki: { url: https://wiki.internal:8443 }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [reader] }
    /status: { service: wiki, allow: [anyone] }
`;

/** What a gateway, a service or a controller answers, by host and path. */
async function status(args: string, answer: (request: Outgoing) => Incoming, files: Record<string, string> = {}) {
  const requested: Outgoing[] = [];
  const ask = async (request: Outgoing) => {
    requested.push(request);
    return answer(request);
  };
  const ran = await meshgate(['status', ...args.split(' ').filter(Boolean)], {
    files: { './meshgate.yaml': POLICY, 'ca.pem': 'THE CA', ...files },
    ask,
  });
  return { ...ran, asked: requested };
}

const refusal = (reason: string, code: number): Incoming => ({
  status: code,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ title: 'x', status: code, reason, request_id: 'x' }),
});

const WIKI = 'https://wiki.example.com/';
const answers = (code: number, headers: Record<string, string> = {}, body = 'hello'): Incoming => ({
  status: code,
  headers,
  body,
});

describe('closed is only what the gateway itself writes', () => {
  test.each<[string, Incoming, string]>([
    ['a refusal', refusal('credential_missing', 401), '401 credential_missing'],
    ['a refusal of another kind', refusal('host_unknown', 421), '421 host_unknown'],
    ['the way to the sign-in', answers(302, { location: '/.meshgate/signin?to=%2F' }), '302 to the sign-in'],
    [
      'the way to the host of all sign-ins',
      answers(303, { location: 'https://auth.example.com/.meshgate/signin?to=x' }),
      '303 to the sign-in',
    ],
    [
      'the challenge, with the body of a controller',
      answers(401, { 'www-authenticate': 'Bearer realm="wiki.example.com"' }, '<html>'),
      '401 with the challenge of the gateway',
    ],
  ])('%s', async (_, incoming, says) => {
    const { code, out, asked: requested } = await status(WIKI, () => incoming);
    expect(out).toBe(`closed   GET ${WIKI}: ${says}\n1 request: closed\n`);
    expect(code).toBe(0);
    expect(requested[0]?.headers).not.toHaveProperty('Authorization');
  });

  test.each<[string, Incoming]>([
    ['a page', answers(200)],
    ['a page that is not found', answers(404)],
    ['a 401 of the service', answers(401, { 'www-authenticate': 'Basic realm="Confluence"' })],
    ['a challenge for another host', answers(401, { 'www-authenticate': 'Bearer realm="other.example.com"' })],
    ['a redirect of the service to its own login', answers(302, { location: '/login.action?os_destination=%2F' })],
    ['a redirect that only names the sign-in', answers(302, { location: 'https://evil.example/x?/.meshgate/signin' })],
    [
      'a problem of the service',
      answers(403, { 'content-type': 'application/problem+json' }, '{"title":"no","status":403}'),
    ],
    [
      'a reason with another status',
      answers(200, { 'content-type': 'application/problem+json' }, '{"reason":"credential_missing"}'),
    ],
    ['an error of nginx', answers(502)],
  ])('open: %s', async (_, incoming) => {
    const { code, out } = await status(WIKI, () => incoming);
    expect(out).toMatch(/^open {5}GET https:\/\/wiki\.example\.com\/: \d{3}: a service answers/);
    expect(out).toMatch(/^1 request: 1 open$/m);
    expect(code).toBe(1);
  });

  const redirect = (code: number, location: string) => answers(code, { location }, '');

  test.each<[string, string, Incoming]>([
    ['301', 'http://wiki.example.com/a?b=1', redirect(301, 'https://wiki.example.com/a?b=1')],
    ['308', 'http://WIKI.example.com:8080/', redirect(308, 'https://wiki.example.com/')],
    ['301 to a public port', 'http://wiki.example.com/', redirect(301, 'https://wiki.example.com:8443/')],
  ])('HTTP that leads to HTTPS: %s', async (_, url, incoming) => {
    const { code, out } = await status(url, () => incoming);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^closed {3}GET http:\S+: 30[18] leads to HTTPS\n1 request/),
    ]);
  });

  test.each<[string, string, Incoming]>([
    ['to another host', 'http://wiki.example.com/a', redirect(301, 'https://other.example.com/a')],
    ['to a longer host', 'http://wiki.example.com/a', redirect(301, 'https://wiki.example.com.evil.example/a')],
    [
      'to the host as a user name',
      'http://wiki.example.com/a',
      redirect(301, 'https://wiki.example.com:1@evil.example/a'),
    ],
    ['to another path', 'http://wiki.example.com/a', redirect(301, 'https://wiki.example.com/login')],
    ['to a longer path', 'http://wiki.example.com/a', redirect(301, 'https://wiki.example.com/ab')],
    ['without the query', 'http://wiki.example.com/a?b=1', redirect(301, 'https://wiki.example.com/a')],
    ['to plain HTTP', 'http://wiki.example.com/a', redirect(301, 'http://wiki.example.com/a')],
    ['without a scheme', 'http://wiki.example.com/a', redirect(301, 'wiki.example.com/a')],
    ['for a while', 'http://wiki.example.com/a', redirect(302, 'https://wiki.example.com/a')],
    ['from HTTPS', 'https://wiki.example.com/a', redirect(301, 'https://wiki.example.com/a')],
  ])('a redirect is open: %s', async (_, url, incoming) => {
    const { code, out } = await status(url, () => incoming);
    expect([code, out]).toEqual([1, expect.stringMatching(/^open /)]);
  });

  test('a redirect is open if an https URL is asked at an address without TLS', async () => {
    const { code, out } = await status(`--gateway http://127.0.0.1:8080 ${WIKI}`, () => redirect(301, WIKI));
    expect([code, out]).toEqual([1, expect.stringMatching(/^open /)]);
  });

  test('no answer is not closed', async () => {
    const { code, out } = await status(WIKI, () => ({ error: 'ECONNREFUSED' }));
    expect([code, out]).toEqual([1, `unknown  GET ${WIKI}: no answer: ECONNREFUSED\n1 request: 0 open, 1 unknown\n`]);
  });
});

describe('what is asked', () => {
  const closed = () => refusal('credential_missing', 401);

  test('each URL, at its own address', async () => {
    const { asked: requested } = await status(`${WIKI}a?b=1 http://localhost:8080/`, closed);
    expect(requested).toMatchObject([
      {
        address: 'wiki.example.com',
        port: 443,
        tls: true,
        name: 'wiki.example.com',
        authority: 'wiki.example.com',
        target: '/a?b=1',
      },
      { address: 'localhost', port: 8080, tls: false, authority: 'localhost:8080', target: '/' },
    ]);
  });

  test('all at one address, with a CA', async () => {
    const { asked: requested } = await status(`--gateway https://127.0.0.1:8443 --ca-file ca.pem ${WIKI}`, closed);
    expect(requested).toMatchObject([
      { address: '127.0.0.1', port: 8443, tls: true, name: 'wiki.example.com', ca: 'THE CA' },
    ]);
  });

  test('each route of a policy, except those that anyone may use', async () => {
    const policy = POLICY.replace(
      'hosts:\n',
      `hosts:
  "*.board.example.com":
    /*: { service: wiki, allow: [reader] }
    /a/b: { service: wiki, allow: [reader] }
`,
    );
    const { code, out, asked: requested } = await status('gw.yaml', closed, { 'gw.yaml': policy });
    expect(requested.map(({ authority, target }) => authority + target)).toEqual([
      'meshgate-status.board.example.com/meshgate-status',
      'meshgate-status.board.example.com/a/b',
      'wiki.example.com/meshgate-status',
    ]);
    expect(out).toContain('skipped  https://wiki.example.com/status: the policy lets anyone in\n3 requests: closed\n');
    expect(code).toBe(0);
  });

  test('the routes of ./meshgate.yaml, if nothing is named', async () => {
    const { code, asked: requested } = await status('', closed);
    expect([code, requested.map(({ authority }) => authority)]).toEqual([0, ['wiki.example.com']]);
  });

  test('at the public port of the policy', async () => {
    const policy = `${POLICY}gateway: { public_port: 8443 }\n`;
    const { asked: requested } = await status('gw.yaml', closed, { 'gw.yaml': policy });
    expect(requested).toMatchObject([{ port: 8443, authority: 'wiki.example.com:8443', name: 'wiki.example.com' }]);
  });
});

test('JSON says what was found at each URL', async () => {
  const { code, out } = await status(`--json ${WIKI} ./meshgate.yaml`, ({ target }) =>
    target === '/' ? answers(200) : refusal('credential_missing', 401),
  );
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    closed: false,
    asked: [
      { url: WIKI, method: 'GET', kind: 'open', status: 200 },
      { url: `${WIKI}meshgate-status`, method: 'GET', kind: 'closed', status: 401, by: 'credential_missing' },
    ],
    skipped: [{ url: `${WIKI}status`, skipped: 'the policy lets anyone in' }],
  });
});

test.each([
  ['a.yaml b.yaml', 'two policies, a.yaml and b.yaml'],
  ['https:///x', 'write https://HOST/PATH'],
  [`--env A=1 ${WIKI}`, '--env has no effect without a policy'],
  ['--gateway x ./meshgate.yaml', 'write https://HOST:PORT, without a path'],
  ['wiki.example.com', 'there is no policy wiki.example.com; for a host, write https://wiki.example.com'],
  ['localhost:8443/x', 'for a host, write https://localhost:8443/x'],
  ['policies/gw.yaml', 'cannot read the policy policies/gw.yaml'],
])('wrong use: %s', async (args, says) => {
  const { code, err } = await status(args, () => refusal('credential_missing', 401));
  expect([code, err]).toEqual([2, expect.stringContaining(says)]);
});

test('needs Node, and a valid policy', async () => {
  expect(await meshgate(['status', WIKI])).toMatchObject({
    code: 2,
    err: expect.stringContaining('status needs Node'),
  });
  expect(await status('gw.yaml', () => answers(200), { 'gw.yaml': 'version: 1\n' })).toMatchObject({
    code: 1,
    asked: [],
  });
});
