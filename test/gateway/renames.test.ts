/** A policy that names people or providers in another way re-opens nothing that was closed, and gives no state of one
 * person to another. Each test loads another policy into a running gateway. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  MANY_SIGNINS,
  newAgent,
  ready,
  readyToSignIn,
  startEcho,
  startGateway,
  startIssuer,
  startSso,
  testStage,
  type UserAgent,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const HOST = 'wiki.example.com';
const API = 'api.example.com';
const SECOND = 'second.example.com';
const home = `https://${HOST}:8443`;

interface Provider {
  readonly issuer: string;
  readonly more?: string;
}

const client =
  'client: { id: wiki, secret_file: /run/secrets/sso }, signin: { scopes: [openid, email, offline_access] }';

/** @param providers by the name in the policy: that of the pages, and those of the two hosts for programs */
const policyOf = (providers: Readonly<Record<string, Provider>>): string => {
  const [pages, api = pages, second = api] = Object.keys(providers);
  return `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  clock_skew: 0s
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
providers:
${Object.entries(providers)
  .map(([name, { issuer, more = '' }]) => `  ${name}: { issuer: "${issuer}", ca_file: /run/provider-ca.pem${more} }`)
  .join('\n')}
headers: { X-Forwarded-User: subject }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${HOST}:
    providers: [${pages}]
    /*: { service: wiki, allow: [authenticated], accept: [session, bearer] }
  ${API}:
    providers: [${api}]
    /*: { service: wiki, allow: [authenticated], accept: [bearer] }
  ${SECOND}:
    providers: [${second}]
    /*: { service: wiki, allow: [authenticated], accept: [bearer] }
`;
};

const stage = await testStage('renames');
const [sso, issuers] = await Promise.all([
  startSso(stage, { origins: [home] }),
  startIssuer(stage),
  startEcho(stage, { alias: 'wiki' }),
]);
const [acme, rival] = await Promise.all([issuers.create('acme'), issuers.create('rival')]);
const people: Provider = { issuer: 'https://sso:8443', more: `, audiences: [api://wiki], ${client}` };
const EMAIL = ', audiences: [wiki], subject: { claim: email }';
const first = policyOf({ people, acme: { issuer: acme.url, more: EMAIL } });
const gateway = await startGateway(stage, {
  policy: first,
  files: { '/run/secrets/sso': `${ssoSecret}\n`, '/run/secrets/session.jwks': newRing(Date.now() / 1000 - 7200) },
});

async function load(policy: string): Promise<void> {
  await gateway.box.write({ '/etc/meshgate/meshgate.yaml': policy });
  const { exitCode, stderr } = await gateway.box.exec('meshgate-reload');
  expect(exitCode, stderr).toBe(0);
}

async function revoke(...flags: string[]): Promise<void> {
  const { exitCode, stderr } = await gateway.box.exec('meshgate', 'revoke', ...flags);
  expect(exitCode, stderr).toBe(0);
}

/** A token that was issued some seconds ago. */
const tokenOf = (of: typeof acme, name: string, jti: string, ago = 30): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const who = { sub: `id-${name}`, email: `${name}@example.com`, email_verified: true };
  return of.sign({ aud: 'wiki', jti, iat: now - ago, exp: now + 3000, ...who });
};

const statusOf = async (token: string, host = API): Promise<number> =>
  (await gateway.send(host, { headers: { Authorization: `Bearer ${token}` } })).status;

const statusesOf = (tokens: Readonly<Record<string, string>>): Promise<readonly number[]> =>
  Promise.all(Object.values(tokens).map((token) => statusOf(token)));

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/page`, 'https://sso:8443');
  await ready(gateway, API, { token: await tokenOf(acme, 'ready', 'ready') });
});

afterEach(() => load(first));

const renames: [string, Provider & { readonly name: string }][] = [
  ['reads the subject from another claim', { name: 'acme', issuer: acme.url, more: ', audiences: [wiki]' }],
  ['renames the provider', { name: 'corp', issuer: acme.url, more: EMAIL }],
  [
    'gives the provider a prefix',
    { name: 'acme', issuer: acme.url, more: ', audiences: [wiki], subject: { claim: email, prefix: "a:" }' },
  ],
  [
    'does all of this',
    { name: 'corp', issuer: acme.url, more: ', audiences: [wiki], subject: { claim: sub, prefix: "a:" }' },
  ],
];

describe('a revoked token stays revoked if a later policy', () => {
  const old: Record<string, string> = {};
  beforeAll(async () => {
    old.ada = await tokenOf(acme, 'ada', 'a1');
    old.bob = await tokenOf(acme, 'bob', 'b1');
    old.eve = await tokenOf(acme, 'eve', 'e1');
    for (const token of Object.values(old)) expect(await statusOf(token)).toBe(200);
    await revoke('--subject', 'acme/ada@example.com');
    await revoke('--jti', 'e1');
    expect(await statusesOf(old)).toEqual([401, 200, 401]);
  });

  test.each(renames)('%s', async (_, { name, ...provider }) => {
    await load(policyOf({ people, [name]: provider }));
    const readied = { token: await tokenOf(acme, 'ready', 'ready') };
    await ready(gateway, API, readied);
    expect(await statusesOf(old)).toEqual([401, 200, 401]);
    await gateway.box.restart();
    await ready(gateway, API, readied);
    expect(await statusesOf(old)).toEqual([401, 200, 401]);
    expect(await statusOf(await tokenOf(acme, 'ada', 'a2', 0))).toBe(200);
  });

  test('adds a second provider of the issuer, for another audience', async () => {
    const second = { issuer: acme.url, more: ', audiences: [other]' };
    await load(policyOf({ people, acme: { issuer: acme.url, more: EMAIL }, second }));
    const now = Math.floor(Date.now() / 1000);
    const hers = { sub: 'id-ada', email: 'ada@example.com', email_verified: true };
    const at = (name: string, more: object) =>
      acme.sign({ aud: 'other', iat: now - 600, exp: now + 900, ...more, jti: name });
    const his = await at('s2', { ...hers, sub: 'id-bob', email: 'bob@example.com' });
    await ready(gateway, SECOND, { token: his });
    expect(await statusOf(await at('s1', hers), SECOND)).toBe(401);
    expect(await statusOf(his, SECOND)).toBe(200);
  });

  test('gives the name of the provider to another issuer, whose people are others', async () => {
    await load(policyOf({ people, acme: { issuer: rival.url, more: EMAIL } }));
    const theirs = await tokenOf(rival, 'ada', 'r1', 600);
    await ready(gateway, API, { token: theirs });
    expect(await statusOf(theirs)).toBe(200);
    expect(await statusOf(old.bob!)).toBe(401);
    await load(first);
    expect(await statusesOf(old)).toEqual([401, 200, 401]);
  });
});

describe('a session', () => {
  async function signIn(person: string): Promise<UserAgent> {
    const agent = newAgent(stage);
    const page = await agent.visit(`${home}/page`);
    const back = await sso.signIn(agent, page, person);
    expect([back.status, back.url]).toEqual([200, `${home}/page`]);
    return agent;
  }

  const ask = async (agent: UserAgent) => (await agent.fetch(`${home}/page`, { from: `${home}/page` })).status;

  /** A thief's copy of a browser's session. */
  function copyOf(agent: UserAgent): UserAgent {
    const copy = newAgent(stage);
    const cookie = agent.cookies(home).find(({ key }) => key === '__Host-Http-meshgate')?.value;
    copy.setCookie(`__Host-Http-meshgate=${cookie}; Path=/; Secure`, home);
    return copy;
  }

  const bySub = people;
  const byEmail = { issuer: people.issuer, more: `${people.more}, subject: { claim: email }` };

  test('passes on to a policy that reads the subject from another claim', async () => {
    const agent = await signIn('ada');
    await load(policyOf({ people: byEmail }));
    expect(await ask(agent)).toBe(200);
  });

  test.each([
    ['by its person', async () => revoke('--subject', 'people/ada')],
    [
      'by a sign-out',
      async (agent: UserAgent) =>
        void (await agent.fetch(`${home}/.meshgate/signout`, { method: 'POST', from: `${home}/page` })),
    ],
  ])('that was revoked %s stays revoked under another claim, another prefix and another name', async (_, end) => {
    await load(policyOf({ people: bySub }));
    const agent = await signIn('ada');
    const copy = copyOf(agent);
    expect(await ask(copy)).toBe(200);
    await end(agent);
    expect(await ask(copy)).toBe(401);
    const prefixed = { issuer: people.issuer, more: `${people.more}, subject: { claim: email, prefix: "p:" }` };
    for (const providers of [{ people: byEmail }, { people: prefixed }, { staff: bySub }, { people: bySub }]) {
      await load(policyOf(providers));
      expect([providers, await ask(copyOf(copy))]).toEqual([providers, 401]);
    }
  });

  test('gives its person no access through another issuer with the name of its provider', async () => {
    await load(policyOf({ people: bySub }));
    const agent = await signIn('ada');
    await load(policyOf({ people: { issuer: rival.url, more: `, audiences: [wiki], ${client}` } }));
    expect(await ask(agent)).toBe(401);
    const requested = Object.keys(await issuers.hits()).filter((path) => path.startsWith('/rival/'));
    expect(requested.filter((path) => !/openid-configuration|jwks/.test(path))).toEqual([]);
  });
});
