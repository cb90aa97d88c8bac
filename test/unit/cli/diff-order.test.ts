/** Orders and names that decide which caller a token belongs to, as `explain --token` says. */
import { describe, expect, test } from 'vitest';
import { meshgate, token } from './fake.ts';

const policy = (agents: readonly string[]) => `version: 1
gateway: { insecure_http: true, proof: {} }
providers:
  idp: { issuer: https://idp.example.com, audiences: [wiki] }
roles: { reader: { group: readers } }
agents:
${agents.map((agent) => `  ${agent}\n`).join('')}services:
  wiki: { insecure_url: http://wiki.internal }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [reader, ${agents.map((agent) => `{ agent: ${agent.split(':')[0]} }`).join(', ')}] }
`;

const NARROW = 'narrow: { match: { client_id: ci-bot }, acts_for: [reader], bound: dpop }';
const WIDE = 'wide: { match: { claim: kind, is: automation }, acts_for: [reader], bound: none }';
const NEXT = 'next: { match: { client_id: cd-bot }, acts_for: [reader], bound: dpop }';

const run = (command: string, a: string, b: string) =>
  meshgate([command, 'a.yaml', 'b.yaml'], { files: { 'a.yaml': a, 'b.yaml': b } });

async function isAllowed(text: string): Promise<boolean> {
  const who = { iss: 'https://idp.example.com', sub: 'ann', client_id: 'ci-bot', kind: 'automation', aud: 'wiki' };
  const t = token({ ...who, groups: ['readers'], iat: 1_799_999_990, exp: 1_800_003_600 });
  const requested = ['explain', '--token', 't', 'GET', 'http://wiki.example.com/x'];
  return (await meshgate(requested, { files: { './meshgate.yaml': text, t } })).code === 0;
}

describe('the order of two agents', () => {
  const [before, after] = [policy([NARROW, WIDE]), policy([WIDE, NARROW])];

  test('is reported if one token matches both, because the first one decides', async () => {
    expect([await isAllowed(before), await isAllowed(after)]).toEqual([false, true]);
    const { code, out } = await run('diff', before, after);
    expect(code).toBe(1);
    expect(out).toContain('agent narrow');
    expect(out).toContain('after wide');
    expect((await run('prove', before, after)).code).toBe(1);
  });

  test('is not reported for two clients: a token that names both is rejected', async () => {
    expect((await run('diff', policy([NARROW, NEXT]), policy([NEXT, NARROW]))).code).toBe(0);
  });
});

test('a client whose id reads like another one with its provider is another client', async () => {
  const [bot, other] = ['ci-bot, provider: idp', '"ci-bot of idp"'].map((client) =>
    policy([NARROW.replace('ci-bot', client)]),
  ) as [string, string];
  expect([await isAllowed(bot), await isAllowed(other)]).toEqual([false, true]);
  expect((await run('diff', bot, other)).code).toBe(1);
  expect((await run('prove', bot, other)).code).toBe(1);
});

describe('two providers of one host', () => {
  const both = (one: string, other: string) => `version: 1
gateway: { insecure_http: true }
providers:
  a: { ${one}, audiences: [x], subject: { prefix: a- } }
  b: { ${other}, audiences: [y], subject: { prefix: b- } }
roles: { staff: { group: staff, provider: a } }
services: { wiki: { insecure_url: http://wiki.internal } }
hosts:
  wiki.example.com:
    providers: [a, b]
    /*: { service: wiki, allow: [staff] }
`;
  const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
  const all = `issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", tenants: [${TENANT}]`;
  const own = `issuer: https://login.microsoftonline.com/${TENANT}/v2.0`;
  const spire = (issuer: string) => `kind: spiffe, issuer: ${issuer}, trust_domain: example.org`;

  test.each([
    ['a tenant that both take', all, own, 'issuer'],
    ['Google’s two spellings', 'issuer: https://accounts.google.com', 'issuer: accounts.google.com', 'issuer'],
    ['one trust domain', spire('https://one.example.org'), spire('https://two.example.org'), 'trust domain'],
  ])('are rejected with %s: the order of their names would decide', async (_, one, other, common) => {
    const { code, err, out } = await meshgate(['validate', 'p.yaml'], { files: { 'p.yaml': both(one, other) } });
    expect(code).not.toBe(0);
    expect(err + out).toContain(`provider "a" has this ${common}, and host "wiki.example.com" accepts both`);
  });
});
