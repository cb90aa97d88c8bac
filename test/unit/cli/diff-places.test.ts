/** Changes that affect a request beside its rules: routes and hosts that are added and removed, compared with `explain`
 * with a token. */
import { describe, expect, test } from 'vitest';
import { meshgate, token } from './fake.ts';

const policy = (hosts: string) => `version: 1
gateway: { tls: { cert_file: /run/t.crt, key_file: /run/t.key }, session: { keys_file: /run/k.json } }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki], subject: { prefix: okta- }, client: { id: x, secret_file: /run/s } }
  ci: { issuer: https://ci.example.com, audiences: [wiki], subject: { prefix: ci- } }
roles:
  reader: { any: [{ group: readers, provider: okta }, { group: readers, provider: ci }] }
services:
  wiki: { url: https://wiki.internal }
hosts:
${hosts}`;

/** The host by which the second provider is accepted. */
const OTHER = '  other.example.com: { providers: [ci], /*: { service: wiki, accept: [bearer], allow: [reader] } }\n';
const ALL = '    /*: { service: wiki, accept: [bearer, session], allow: [reader] }\n';
const admin = (own: string) => `    /admin/*: { service: wiki, ${own}, allow: [reader] }\n`;
const wiki = (...routes: readonly string[]) => `${OTHER}  wiki.example.com:\n    providers: [okta]\n${routes.join('')}`;
const wild = (...routes: readonly string[]) => `  "*.example.com":\n    providers: [okta, ci]\n${routes.join('')}`;

const run = (command: string, a: string, b: string, ...args: readonly string[]) =>
  meshgate([command, ...args, 'a.yaml', 'b.yaml'], { files: { 'a.yaml': a, 'b.yaml': b } });

/** The result for a token of a reader: `allowed`, or the reason. */
async function explained(text: string, issuer: string, url: string): Promise<string> {
  const claims = { iss: issuer, sub: 'ann', aud: 'wiki', groups: ['readers'], iat: 1_799_999_990, exp: 1_800_003_600 };
  const files = { './meshgate.yaml': text, t: token(claims) };
  const { out } = await meshgate(['explain', '--format', 'json', '--token', 't', 'GET', url], { files });
  const { allowed, reason } = JSON.parse(out);
  return allowed ? 'allowed' : reason;
}

/** Both directions: `diff` prints these lines for the change, and some lines for its reversal; `prove` reports a
 * difference. */
async function reports(a: string, b: string, lines: readonly string[]): Promise<void> {
  expect((await run('diff', a, b)).out.trimEnd().split('\n')).toEqual(lines);
  expect((await run('diff', b, a)).code).toBe(1);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const { code, out } = await run('prove', from, to);
    expect(code).toBe(1);
    expect(out).toMatch(/^no: /);
  }
}

describe('a route that is removed leaves its requests to another one', () => {
  test('with other audiences', async () => {
    const a = policy(wiki(ALL, admin('accept: [bearer, session], audiences: [admin-api]')));
    const b = policy(wiki(ALL));
    const requested = ['https://login.example.com', 'https://wiki.example.com/admin/x'] as const;
    expect([await explained(a, ...requested), await explained(b, ...requested)]).toEqual([
      'audience_mismatch',
      'allowed',
    ]);
    await reports(a, b, ['* route wiki.example.com/admin/*: audiences ["admin-api"] → nothing']);
  });

  test('that accepts other credentials', async () => {
    const a = policy(wiki(ALL, admin('accept: [session]')));
    const b = policy(wiki(ALL));
    const requested = ['https://login.example.com', 'https://wiki.example.com/admin/x'] as const;
    expect([await explained(a, ...requested), await explained(b, ...requested)]).toEqual([
      'credential_unsupported',
      'allowed',
    ]);
    await reports(a, b, ['* route wiki.example.com/admin/*: accept ["session"] → ["bearer","session"]']);
  });
});

describe('a route that is added receives the requests of another one', () => {
  test.each([
    [
      'pages of other origins',
      'accept: [bearer, session], cors: { origins: ["https://evil.example"], credentials: true, methods: [GET] }',
      'cors nothing → {"origins":["https://evil.example"],"methods":["GET"],"headers":["Authorization","Content-Type"],"expose":[],"credentials":true,"max_age":"600s"}',
    ],
    [
      'service workers from anywhere',
      'accept: [bearer, session], insecure_service_workers: true',
      'insecure_service_workers nothing → true',
    ],
    ['service workers', 'accept: [bearer, session], service_workers: true', 'service_workers nothing → true'],
    ['a limit', 'accept: [bearer, session], limit: { rate: 5/m }', 'limit nothing → "5/m, burst 5"'],
  ])('with %s', async (_, own, says) => {
    await reports(policy(wiki(ALL)), policy(wiki(ALL, admin(own))), [`* route wiki.example.com/admin/*: ${says}`]);
  });

  test.each([
    ['owner: admins@example.com', 'owner nothing → "admins@example.com"'],
    ['ask: "https://t.example.com/{route}"', 'ask nothing → "https://t.example.com/{route}"'],
    [
      'proxy: { read_timeout: 5m }',
      'proxy nothing → {"connect_timeout":"10s","send_timeout":"60s","read_timeout":"300s","max_body":104857600,"buffering":true,"request_buffering":false}',
    ],
  ])('with %s, which prove names as another matter', async (own, says) => {
    const [a, b] = [policy(wiki(ALL)), policy(wiki(ALL, admin(`accept: [bearer, session], ${own}`)))];
    expect((await run('diff', a, b)).out).toBe(`* route wiki.example.com/admin/*: ${says}\n`);
    const { code, out } = await run('prove', a, b);
    expect({ code, out }).toEqual({
      code: 0,
      out: `yes: a.yaml and b.yaml allow the same requests\nnot compared: route wiki.example.com/admin/*: ${says}\n`,
    });
  });

  test('of a host without one: reports what it opens to pages beside what rules open', async () => {
    const fresh = `    /new/*: { service: wiki, accept: [bearer, session], insecure_service_workers: true, allow: [reader] }\n`;
    const one = '    /old: { service: wiki, accept: [bearer, session], allow: [reader] }\n';
    await reports(policy(wiki(one)), policy(wiki(one, fresh)), [
      '+ reader may now use any method on https://wiki.example.com/new/* (by wiki.example.com/new/*#1)',
      '* route wiki.example.com/new/*: insecure_service_workers nothing → true',
    ]);
  });

  test('that repeats the other one: reports nothing', async () => {
    const [a, b] = [policy(wiki(ALL)), policy(wiki(ALL, admin('accept: [bearer, session]')))];
    expect((await run('diff', a, b)).out).toBe('nothing changed\n');
    expect((await run('prove', a, b)).out).toBe('yes: a.yaml and b.yaml allow the same requests\n');
  });
});

describe('a host that is removed leaves its requests to a wildcard', () => {
  test('with other providers', async () => {
    const [a, b] = [policy(wiki(ALL) + wild(ALL)), policy(OTHER + wild(ALL))];
    const requested = ['https://ci.example.com', 'https://wiki.example.com/x'] as const;
    expect([await explained(a, ...requested), await explained(b, ...requested)]).toEqual(['issuer_unknown', 'allowed']);
    await reports(a, b, ['* host wiki.example.com: tokens of ci are now accepted']);
  });

  test('with another CA of client certificates, and another limit', async () => {
    const own = wild(ALL).replace('"*.example.com"', 'wiki.example.com');
    const strict = own.replace(ALL, `    limit: { rate: 5/m }\n    tls: { client_ca_file: /run/ca.pem }\n${ALL}`);
    await reports(policy(strict + wild(ALL)), policy(wild(ALL)), [
      '* host wiki.example.com: client_ca_file "/run/ca.pem" → nothing',
      '* host wiki.example.com: limit "5/m, burst 5" → nothing',
      '! stored: other limits than wiki.example.com: 5/m, burst 5: budgets of callers begin anew: callers have all of it again; budgets of addresses begin anew: callers have all of it again',
    ]);
  });

  test('with routes that accept other tokens', async () => {
    const own = wild(ALL).replace('"*.example.com"', 'wiki.example.com');
    const strict = own.replace('accept: [bearer, session]', 'accept: [bearer, session], audiences: [admin-api]');
    const [a, b] = [policy(strict + wild(ALL)), policy(wild(ALL))];
    const requested = ['https://ci.example.com', 'https://wiki.example.com/x'] as const;
    expect([await explained(a, ...requested), await explained(b, ...requested)]).toEqual([
      'audience_mismatch',
      'allowed',
    ]);
    await reports(a, b, ['* route wiki.example.com/*: audiences ["admin-api"] → nothing']);
  });
});
