/** People sign in with a browser-like client, at a real OpenID provider, through a real gateway. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  expectClean,
  newAgent,
  settle,
  startEcho,
  startGateway,
  startProvider,
  testStage,
  type UserAgent,
  until,
  type Visited,
} from '../harness/index.ts';

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  okta:
    issuer: https://provider:8443
    ca_file: /run/provider-ca.pem
    subject: { prefix: okta- }
    client: { id: gateway, secret_file: /run/secrets/okta }
    signin: { scopes: [openid, email, groups, offline_access], label: Staff, domains: [example.org] }
  pushes:
    issuer: https://other:8443
    ca_file: /run/provider-ca.pem
    subject: { prefix: other- }
    client: { id: gateway-pushes, secret_file: /run/secrets/pushes }
    signin: { scopes: [openid, email, groups], par: true }
  post:
    issuer: https://third:8443
    ca_file: /run/provider-ca.pem
    subject: { prefix: third- }
    client: { id: gateway-post, secret_file: /run/secrets/post, auth: post }
    signin: { scopes: [openid, email, groups] }
roles:
  staff: { any: [ { group: staff, provider: okta }, { group: staff, provider: pushes }, { group: staff, provider: post } ] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.example.com:
    providers: [okta]
    /*: { service: wiki, allow: [staff] }
  many.example.com:
    providers: [okta, pushes, post]
    /*: { service: wiki, allow: [staff] }
`;

const stage = await testStage('signin');
const hosts = ['wiki.example.com', 'many.example.com'];
const origins = hosts.map((host) => `https://${host}:8443`);
const [home, many] = origins as [string, string];
const [gateway] = await Promise.all([
  startGateway(stage, { policy }),
  startEcho(stage, { alias: 'wiki' }),
  ...['provider', 'other', 'third'].map((alias) => startProvider(stage, { alias, origins })),
]);

let mark = 0;

/** Lines of the error log that a test makes. */
const expected: RegExp[] = [];

/** What may be in no log, of one test. */
const secrets: RegExp[] = [];

beforeAll(async () => {
  const ready = async () => (await newAgent(stage).visit(signinUrl(home, '/'), { follow: false })).status === 303;
  await until(ready, { what: 'the provider at the gateway', timeoutMs: 60_000, help: () => gateway.box.logs.tail() });
  mark = await settle(gateway, hosts[0]!);
});

afterEach(async () => {
  await settle(gateway, hosts[0]!);
  const since = mark;
  mark = gateway.mark();
  const lines = gateway.box.logs.since(since).join('\n');
  expectClean(gateway, since, [/signin\.revocations/, ...expected.splice(0)]);
  for (const secret of [/[?&](code|state|ticket)=/, /the client secret/, /eyJ[\w-]{10}/, ...secrets.splice(0)]) {
    expect(lines).not.toMatch(secret);
  }
});

const signinUrl = (origin: string, to: string, mode = 'in') => `${origin}/.meshgate/signin?${mode}&to=${to}`;

/** Signs in at the provider's page, where there is one. */
async function login(agent: UserAgent, page: Visited, login = 'ada'): Promise<Visited> {
  if (page.document.querySelector('input[name=login]') === null) return page;
  return agent.submit(page, { login, password: 'x' });
}

const attempts = (agent: UserAgent, origin: string): string[] =>
  agent
    .cookies(origin)
    .map(({ key }) => key)
    .filter((key) => key.startsWith('__Host-meshgate-a-'));

const hasSession = (agent: UserAgent, origin: string): boolean =>
  agent.cookies(origin).some(({ key }) => key === '__Host-meshgate');

describe('a sign-in', () => {
  test('comes back to the exact page with a session, and leaves no cookie of the attempt', async () => {
    const agent = newAgent(stage);
    const to = '/display/HOME/My%20Page?a=b&to=//evil.example#frag';
    const first = await agent.visit(signinUrl(home, to.replace('#frag', '')));
    expect(first.url).toMatch(/^https:\/\/provider:8443\//);
    const page = await login(agent, first);
    expect(page.url).toBe(home + to.replace('#frag', ''));
    expect(hasSession(agent, home)).toBe(true);
    expect(attempts(agent, home)).toEqual([]);
    expect(agent.refused).toEqual([]);
    const session = agent.cookies(home).find(({ key }) => key === '__Host-meshgate')!;
    expect([session.secure, session.httpOnly, session.sameSite, session.path]).toEqual([true, true, 'lax', '/']);
    expect(session.value).toMatch(/^[\w-]+\.\d+\.[\w-]+$/);
    secrets.push(new RegExp(session.value.slice(-40)));
  });

  test('with the provider’s session needs nobody, and is another session', async () => {
    const agent = newAgent(stage);
    await login(agent, await agent.visit(signinUrl(home, '/a')));
    const before = agent.cookies(home)[0]!.value;
    const page = await agent.visit(signinUrl(home, '/b'));
    expect(page.url).toBe(`${home}/b`);
    expect(agent.cookies(home)[0]!.value).not.toBe(before);
  });

  test('in ten tabs at once leaves each on its page, and no cookie of an attempt', async () => {
    const agent = newAgent(stage);
    await login(agent, await agent.visit(signinUrl(many, '/a', 'in&provider=okta')));
    const pages = await Promise.all(Array.from({ length: 10 }, (_, i) => agent.visit(signinUrl(home, `/tab/${i}`))));
    expect(pages.map(({ url }) => url)).toEqual(Array.from({ length: 10 }, (_, i) => `${home}/tab/${i}`));
    expect(attempts(agent, home)).toEqual([]);
  });

  test('through several providers is chosen from a page, or by address', async () => {
    const agent = newAgent(stage);
    const chooser = await agent.visit(signinUrl(many, '/page?x=1'));
    expect([chooser.status, chooser.document.querySelectorAll('ul.choices a').length]).toEqual([200, 3]);
    expect(attempts(agent, many)).toEqual([]);
    const byAddress = await agent.submit(chooser, { email: 'ada@example.org' });
    expect(byAddress.url).toMatch(/^https:\/\/provider:8443\//);
    expect((await login(agent, byAddress)).url).toBe(`${many}/page?x=1`);
  });

  test.each(['pushes', 'post'])('through the provider %s', async (name) => {
    const agent = newAgent(stage);
    const first = await agent.visit(signinUrl(many, '/page', `in&provider=${name}`));
    if (name === 'pushes') expect(first.hops[1]!.url).toMatch(/\?client_id=gateway-pushes&request_uri=urn/);
    expect((await login(agent, first)).url).toBe(`${many}/page`);
    expect(hasSession(agent, many)).toBe(true);
  });

  test('that is silent goes on with somebody there where the provider has no session', async () => {
    const agent = newAgent(stage);
    const first = await agent.visit(signinUrl(home, '/page', 'renew'));
    expect(first.hops.map(({ url }) => new URL(url).pathname)).toContain('/.meshgate/callback');
    expect(first.document.querySelector('input[name=login]')).not.toBeNull();
    expect((await login(agent, first)).url).toBe(`${home}/page`);
    const silent = await agent.visit(signinUrl(home, '/page', 'renew'));
    expect([silent.url, silent.hops.length]).toEqual([`${home}/page`, 4]);
  });
});

describe('a program', () => {
  test('that asks for a sign-in gets 401, no cookie and no redirect', async () => {
    const agent = newAgent(stage);
    for (const ask of [
      () => agent.fetch(signinUrl(home, '/'), { from: `${home}/` }),
      () => agent.events(signinUrl(home, '/'), { from: `${home}/` }),
      () => agent.visit(signinUrl(home, '/'), { purpose: 'prefetch;prerender', follow: false }).then((it) => it.answer),
    ]) {
      const answer = await ask();
      expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, `Bearer realm="${hosts[0]}"`]);
    }
    expect(agent.allCookies()).toEqual([]);
  });
});

describe('a callback', () => {
  test('that comes twice goes to the page', async () => {
    const agent = newAgent(stage);
    const page = await login(agent, await agent.visit(signinUrl(home, '/page')));
    const callback = page.hops.find(({ url }) => url.includes('/.meshgate/callback'))!.url;
    const again = await agent.visit(callback, { follow: false });
    expect([again.status, again.location]).toEqual([303, `${home}/page`]);
    // Without the session the code is of no use: nobody is signed in by it.
    const other = newAgent(stage);
    const stolen = await other.visit(callback, { follow: false });
    expect([stolen.status, hasSession(other, home)]).toEqual([303, false]);
    expect(stolen.location).toMatch(/^https:\/\/provider:8443\/auth/);
  });

  test.each(['', 'code=x', 'code=x&state=abc', 'code=x&state=a&state=b', 'state=a'])(
    'with %s is a page',
    async (query) => {
      const agent = newAgent(stage);
      const { status, text } = await agent.visit(`${home}/.meshgate/callback?${query}`);
      expect([status, text.includes('attempt_unknown')]).toEqual([400, true]);
      expect(agent.allCookies()).toEqual([]);
    },
  );

  test('is no POST and no HEAD', async () => {
    for (const method of ['POST', 'HEAD']) {
      const { status } = await newAgent(stage).visit(`${home}/.meshgate/callback?code=x&state=y`, {
        method,
        follow: false,
      });
      expect([404, 405]).toContain(status);
    }
  });
});
