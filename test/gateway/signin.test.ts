/** People sign in with a browser-like client, at a certified OpenID provider, through a real gateway. */
import { connect as connectTls } from 'node:tls';
import { exportJWK } from 'jose';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  counting,
  createKey,
  expectCleanLog,
  MANY_SIGNINS,
  newAgent,
  readyToSignIn,
  type SigningKey,
  startEcho,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  until,
  type Visited,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const ways = {
  basic: 'client: { id: wiki, secret_file: /run/secrets/basic }',
  post: 'client: { id: wiki-post, secret_file: /run/secrets/post, auth: post }',
  hs256: 'client: { id: wiki-hmac, secret_file: /run/secrets/hs256, auth: secret_jwt }\n    timeout: 2s',
  es256: 'client: { id: wiki-jwt, keys_file: /run/secrets/es256.jwks }',
  rs256: 'client: { id: wiki-jwt, keys_file: /run/secrets/rs256.jwks }\n    timeout: 6s',
  tls: 'client: { id: wiki-tls, cert_file: /run/secrets/tls.crt, key_file: /run/secrets/tls.key }',
  par: 'client: { id: wiki-par, secret_file: /run/secrets/par }',
  // Its ID tokens have no groups, and its UserInfo is signed.
  signed: 'client: { id: wiki-signed, secret_file: /run/secrets/signed }',
  public: 'client: { id: wiki-public }',
};

const policyFor = (gatewayMore: string) => `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
${gatewayMore}
providers:
${Object.entries(ways)
  .map(
    ([name, client]) => `
  ${name}:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    subject: { prefix: ${name}- }
    ${client}
    signin: { label: Staff ${name}, domains: [${name}.example.org] }`,
  )
  .join('')}
  partners:
    issuer: https://partners:8443
    ca_file: /run/provider-ca.pem
    subject: { prefix: partners- }
    client: { id: wiki, secret_file: /run/secrets/partners }
    signin: { label: Partners, domains: [example.net] }
roles:
  staff: { any: [ ${[...Object.keys(ways), 'partners'].map((name) => `{ group: staff, provider: ${name} }`).join(', ')} ] }
  strong: { all: [ staff, { acr: phr, provider: basic } ] }
headers: { X-Forwarded-User: subject, X-Forwarded-Roles: roles }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
${Object.keys(ways)
  .map(
    (name) => `
  ${name}.example.com:
    providers: [${name}]
    /*: { service: wiki, allow: [staff] }${name === 'basic' ? '\n    /admin/*: { service: wiki, allow: [strong] }' : ''}`,
  )
  .join('')}
  many.example.com:
    providers: [basic, partners]
    /*: { service: wiki, allow: [staff] }
`;

const stage = await testStage('signin');
const hostOf = (name: string) => `${name}.example.com`;
const originOf = (name: string) => `https://${hostOf(name)}:8443`;
const names = [...Object.keys(ways), 'many'];
const [home, many] = [originOf('basic'), originOf('many')];

const privateKeys = async (key: SigningKey) =>
  JSON.stringify({ keys: [{ ...(await exportJWK(key.privateKey)), kid: key.kid, alg: key.alg }] });
const [es256, rs256] = [await createKey('ES256'), await createKey('RS256')];
const certificate = await stage.ca.issue({ commonName: 'wiki-tls' });
const files = {
  ...Object.fromEntries(
    ['basic', 'post', 'hs256', 'par', 'signed', 'partners'].map((name) => [`/run/secrets/${name}`, ssoSecret]),
  ),
  '/run/secrets/es256.jwks': await privateKeys(es256),
  '/run/secrets/rs256.jwks': await privateKeys(rs256),
  '/run/secrets/tls.crt': certificate.cert,
  '/run/secrets/tls.key': certificate.key,
};
const origins = names.map(originOf);
const keys = [es256.jwk, rs256.jwk];

const [gateway, wiki, sso, partners] = await Promise.all([
  startGateway(stage, { policy: policyFor(''), files }),
  startEcho(stage, { alias: 'wiki' }),
  startSso(stage, { origins, names: ['basic'], keys, slim: true }),
  startSso(stage, { alias: 'partners', origins, names: ['partners'] }),
]);

let mark = 0;

/** Lines of the error log that a test expects. */
const expected: RegExp[] = [];

/** Texts that no log may have, of one test. */
const secrets: RegExp[] = [];

const signinUrl = (origin: string, to: string, mode = 'in') => `${origin}/.meshgate/signin?${mode}&to=${to}`;

beforeAll(async () => {
  await readyToSignIn(stage, gateway, signinUrl(home, '/'), sso.issuer);
  await readyToSignIn(stage, gateway, signinUrl(many, '/', 'in&provider=partners'), 'https://partners:8443');
  mark = await waitForWorkers(gateway, hostOf('basic'));
});

afterEach(async () => {
  await waitForWorkers(gateway, hostOf('basic'));
  await Promise.all([wiki.clear(), sso.forget(), sso.settings({})]);
  const since = mark;
  mark = await waitForWorkers(gateway);
  const lines = gateway.box.logs.since(since).join('\n');
  for (const secret of [/[?&](code|state|ticket)=/, /wiki secret/, /eyJ[\w-]{10}/, ...secrets.splice(0)]) {
    expect(lines).not.toMatch(secret);
  }
  await expectCleanLog(gateway, since, expected.splice(0));
});

/** Signs in at the provider's page, if it shows one. */
async function login(agent: UserAgent, page: Visited, person = 'ada'): Promise<Visited> {
  return page.document.querySelector('#signin') === null ? page : sso.signIn(agent, page, person);
}

/** Begins to count what the sign-in refuses, by reason. */
const refusing = () => counting(gateway, 'meshgate_signin_refusals_total');

const attempts = (agent: UserAgent, origin: string): string[] =>
  agent
    .cookies(origin)
    .map(({ key }) => key)
    .filter((key) => key.startsWith('__Host-Http-meshgate-a-'));

const sessionOf = (agent: UserAgent, origin: string) =>
  agent.cookies(origin).find(({ key }) => key === '__Host-Http-meshgate');

describe('a navigation to a page', () => {
  test('leads through the provider back to the exact page, and the service knows the caller', async () => {
    const agent = newAgent(stage);
    const url = `${home}/display/HOME/My%20Page?a=b&to=//evil.example`;
    const first = await agent.visit(url);
    expect(first.url).toMatch(/^https:\/\/sso:8443\//);
    const page = await login(agent, first);
    expect([page.url, page.status]).toEqual([url, 200]);
    const [received, ...more] = await wiki.requests();
    expect(more).toEqual([]);
    expect(valuesOf(received!, 'X-Forwarded-User')).toEqual(['basic-ada']);
    expect(valuesOf(received!, 'X-Forwarded-Roles')).toEqual(['staff']);
    expect(valuesOf(received!, 'Cookie')).toEqual([]);
    expect(attempts(agent, home)).toEqual([]);
    expect(agent.refused).toEqual([]);
    const session = sessionOf(agent, home)!;
    expect([session.secure, session.httpOnly, session.sameSite, session.path]).toEqual([true, true, 'lax', '/']);
    expect(session.value).toMatch(/^[\w-]+\.\d+\.[\w-]+$/);
    secrets.push(new RegExp(session.value.slice(-40)));
    // Claims that the ID token lacks were requested once, and the code was used once.
    expect(await sso.calls()).toMatchObject({ '/token': 1, '/me': 1 });
  });

  test('needs no interaction if the provider has a session, and each sign-in makes its own session', async () => {
    const agent = newAgent(stage);
    await login(agent, await agent.visit(`${home}/a`));
    const before = sessionOf(agent, home)!.value;
    expect((await agent.visit(signinUrl(home, '/b'))).url).toBe(`${home}/b`);
    expect(sessionOf(agent, home)!.value).not.toBe(before);
  });

  test('in ten tabs at once leads each to its page, and leaves no attempt cookie', async () => {
    const agent = newAgent(stage);
    await login(agent, await agent.visit(`${many}/.meshgate/signin?in&provider=basic&to=/`));
    const urls = Array.from({ length: 10 }, (_, i) => `${home}/tab/${i}`);
    const pages = await Promise.all(urls.map((url) => agent.visit(url)));
    expect(pages.map(({ url, status }) => [url, status])).toEqual(urls.map((url) => [url, 200]));
    expect(attempts(agent, home)).toEqual([]);
  });

  test('in ten tabs without a session at the provider signs one in, and the others by reload', async () => {
    const agent = newAgent(stage);
    const urls = Array.from({ length: 10 }, (_, i) => `${home}/tab/${i}`);
    const tabs: Visited[] = [];
    for (const url of urls) tabs.push(await agent.visit(url));
    expect(attempts(agent, home).length).toBe(8);
    expect((await login(agent, tabs[4]!)).url).toBe(urls[4]);
    for (const url of urls) expect((await agent.visit(url)).status).toBe(200);
    // A tab whose form is sent all the same reaches its page as well: the newest one, and one that had made room with
    // its cookie.
    for (const i of [9, 0]) expect((await login(agent, tabs[i]!)).url).toBe(urls[i]);
  });

  test('that the person leaves while the provider works logs no problem, and succeeds the next time', async () => {
    const agent = newAgent(stage);
    const back = await sso.signIn(agent, await agent.visit(`${home}/page`), 'ada', { until: /\.meshgate\/callback/ });
    const { pathname, search } = new URL(back.location!);
    await sso.control('/token', { holdAnswer: true });
    const mark = await waitForWorkers(gateway);
    const target = gateway.target(hostOf('basic'));
    const socket = connectTls({ host: target.host, port: target.port, servername: target.name, ca: target.ca });
    const cookies = agent.cookies(home).map(({ key, value }) => `${key}=${value}`);
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostOf('basic')}\r\nCookie: ${cookies.join('; ')}\r\n\r\n`,
    );
    await until(async () => (await sso.grants()).authorization_code?.good === 1, { what: 'the code to be redeemed' });
    socket.destroy();
    // nginx has noticed that the browser disconnected, and the provider has not answered.
    await gateway.box.logs.waitFor(/"http\.response\.status_code":499/, mark);
    await sso.control('/token');
    // The code is used, and no browser has the session.
    expect((await agent.visit(back.location!, { follow: false })).status).toBe(400);
    expect((await agent.visit(`${home}/page`)).status).toBe(200);
  });

  test('shows a refusal page to a person without access', async () => {
    const agent = newAgent(stage);
    const page = await login(agent, await agent.visit(`${home}/page`), 'cleo');
    expect([page.url, page.status, page.text.includes('role_missing')]).toEqual([`${home}/page`, 403, true]);
    expect(await wiki.requests()).toEqual([]);
  });
});

describe('the client', () => {
  test.each(Object.keys(ways))('authenticates by %s', async (name) => {
    const agent = newAgent(stage);
    const first = await agent.visit(`${originOf(name)}/page`);
    const requested = first.hops.find(({ url }) => url.startsWith(`${sso.issuer}/auth`))!.url;
    expect(new URL(requested).searchParams.get('code_challenge_method')).toBe('S256');
    const page = await login(agent, first);
    expect([page.url, page.status]).toEqual([`${originOf(name)}/page`, 200]);
    expect(valuesOf((await wiki.requests())[0]!, 'X-Forwarded-User')).toEqual([`${name}-ada`]);
  });

  test('pushes its request after the provider has refused one, and each request once three people have shown it', async () => {
    const requested = async () => {
      const { hops } = await newAgent(stage).visit(`${originOf('par')}/page`);
      return hops.map(({ url }) => url).filter((url) => url.startsWith(`${sso.issuer}/auth?`));
    };
    const pushed = expect.stringMatching(/\?client_id=wiki-par&request_uri=urn/);
    expect(await requested()).toEqual([expect.stringMatching(/[?&]code_challenge=/), pushed]);
    expected.push(/provider par accepts only pushed requests/);
    for (const person of ['ada', 'ben', 'cleo']) {
      const agent = newAgent(stage);
      await login(agent, await agent.visit(`${originOf('par')}/page`), person);
    }
    expect(await requested()).toEqual([pushed]);
  });

  test('sends the next secret while one replaces the other, without a reload', async () => {
    await gateway.box.write({ '/run/secrets/post': `the newer one\n${ssoSecret}\n` });
    const page = async () => {
      const agent = newAgent(stage);
      return login(agent, await agent.visit(`${originOf('post')}/page`));
    };
    expect((await page()).status).toBe(200);
    expect((await sso.calls())['/token']).toBe(2);
    // If none fits, a page is shown.
    await gateway.box.write({ '/run/secrets/post': 'another\n' });
    expected.push(/sign-in through post: signin_failed: the token endpoint refused: invalid_client/);
    const failed = await page();
    expect([failed.status, failed.text.includes('signin_failed')]).toEqual([403, true]);
    await gateway.box.write({ '/run/secrets/post': ssoSecret });
    expect((await page()).status).toBe(200);
  });
});

describe('a provider that answers late', () => {
  /** Signs in while the token endpoint waits. `after` runs when it has the call. */
  async function signIn(name: string, after: () => Promise<unknown>) {
    await sso.control('/token', { hold: true, times: 1 });
    const agent = newAgent(stage);
    const page = agent.visit(`${originOf(name)}/page`).then((first) => login(agent, first));
    await until(async () => (await sso.calls())['/token'] === 1, { what: 'the call of the token endpoint' });
    const began = performance.now();
    await after();
    const { status, text } = await page;
    await sso.control('/token');
    return { status, text, seconds: (performance.now() - began) / 1000 };
  }

  test('is waited for until the time-out of the policy, if this is longer than the default', async () => {
    const late = () => new Promise((resolve) => setTimeout(resolve, 4500)).then(() => sso.control('/token'));
    const inTime = async () => {
      const { status, seconds } = await signIn('rs256', late);
      if (status === 200) return true;
      // The time-out is six seconds. A machine that has taken longer has tested nothing.
      expect([status, seconds > 5.5]).toEqual([503, true]);
      expected.push(/sign-in through rs256: provider_unavailable/, /upstream timed out/);
      return false;
    };
    await until(inTime, { what: 'a sign-in that takes less than six seconds' });
  });

  test('is waited for until the time-out of the policy, if this is shorter than the default', async () => {
    expected.push(/sign-in through hs256: provider_unavailable/, /upstream timed out/);
    const inTime = async () => {
      const { status, text, seconds } = await signIn('hs256', async () => {});
      expect([status, text.includes('provider_unavailable')]).toEqual([503, true]);
      return seconds < 4;
    };
    await until(inTime, { what: 'a sign-in that is given up after two seconds' });
  });
});

describe('several providers', () => {
  test('are offered on a page, or found by the domain of an e-mail address', async () => {
    const agent = newAgent(stage);
    const chooser = await agent.visit(`${many}/page?x=1`);
    expect([chooser.status, chooser.document.querySelectorAll('ul.choices a').length]).toEqual([200, 2]);
    expect(attempts(agent, many)).toEqual([]);
    const unknown = await agent.submit(chooser, { email: 'ada@example.com' });
    expect([unknown.status, unknown.document.querySelector('[role=alert]') === null]).toEqual([200, false]);
    const byAddress = await agent.submit(unknown, { email: 'ben@example.net' });
    expect(byAddress.url).toMatch(/^https:\/\/partners:8443\//);
    expect(byAddress.document.querySelector('#person').getAttribute('value')).toBe('ben@example.net');
    const page = await partners.signIn(agent, byAddress, 'ben');
    expect([page.url, page.status]).toEqual([`${many}/page?x=1`, 200]);
    expect(valuesOf((await wiki.requests())[0]!, 'X-Forwarded-User')).toEqual(['partners-ben']);
    // A renewal uses the same provider.
    const renewed = await agent.visit(signinUrl(many, '/page', 'renew'));
    expect(renewed.hops.map(({ url }) => new URL(url).hostname)).toContain('partners');
  });
});

describe('a silent renewal', () => {
  test('keeps the page, and becomes interactive if the provider has no session', async () => {
    const agent = newAgent(stage);
    const first = await agent.visit(signinUrl(home, '/page', 'renew'));
    expect(first.hops.map(({ url }) => new URL(url).pathname)).toContain('/.meshgate/callback');
    expect(first.document.querySelector('#signin')).not.toBeNull();
    expect((await login(agent, first)).url).toBe(`${home}/page`);
    const silent = await agent.visit(signinUrl(home, '/page', 'renew'));
    expect([silent.url, silent.hops.length]).toEqual([`${home}/page`, 4]);
  });
});

describe('a step up', () => {
  test('is requested for a role that lacks nothing else, and returns to the page', async () => {
    const agent = newAgent(stage);
    await login(agent, await agent.visit(`${home}/page`));
    const script = await agent.fetch(`${home}/admin/x`, { from: `${home}/page` });
    expect([script.status, script.json().reason]).toEqual([401, 'step_up_required']);
    const first = await agent.visit(`${home}/admin/x?y=1`);
    expect(first.hops.some(({ url }) => url.includes('acr_values=phr'))).toBe(true);
    const page = await login(agent, first);
    expect([page.url, page.status]).toEqual([`${home}/admin/x?y=1`, 200]);
    expect(valuesOf((await wiki.requests()).at(-1)!, 'X-Forwarded-Roles')).toEqual(['staff,strong']);
  });

  test('that the provider does not perform ends on a page, without a loop', async () => {
    const agent = newAgent(stage);
    await login(agent, await agent.visit(`${home}/page`));
    const before = sessionOf(agent, home)!.value;
    const [refused, sessions] = [await refusing(), await counting(gateway, 'meshgate_session_events_total')];
    const first = await agent.visit(`${home}/admin/x`);
    expected.push(/sign-in through basic: step_up_required: the "acr" is "pwd", this requires "phr"/);
    const page = await agent.submit(first, { person: 'ada', acr: 'pwd' }, { form: '#signin' });
    expect([page.status, page.text.includes('step_up_required')]).toEqual([401, true]);
    expect(sessionOf(agent, home)!.value).toBe(before);
    expect([await refused(), await sessions()]).toEqual([{ step_up_required: 1 }, {}]);
  });
});

describe('a script', () => {
  test('that requests a sign-in receives 401, no cookie and no redirect', async () => {
    const agent = newAgent(stage);
    for (const ask of [
      () => agent.fetch(signinUrl(home, '/'), { from: `${home}/` }),
      () => agent.events(signinUrl(home, '/'), { from: `${home}/` }),
      () => agent.visit(signinUrl(home, '/'), { purpose: 'prefetch;prerender', follow: false }).then((it) => it.answer),
    ]) {
      const answer = await ask();
      expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, `Bearer realm="${hostOf('basic')}"`]);
    }
    expect(agent.allCookies()).toEqual([]);
  });
});

describe('a callback', () => {
  test('that is opened twice leads to the page; in another browser it is rejected', async () => {
    const agent = newAgent(stage);
    const page = await login(agent, await agent.visit(`${home}/page`));
    const callback = page.hops.find(({ url }) => url.includes('/.meshgate/callback'))!.url;
    const again = await agent.visit(callback, { follow: false });
    expect([again.status, again.location]).toEqual([303, `${home}/page`]);
    const other = newAgent(stage);
    const stolen = await other.visit(callback, { follow: false });
    expect([stolen.status, sessionOf(other, home)]).toEqual([303, undefined]);
    expect(stolen.location).toMatch(/^https:\/\/sso:8443\/auth/);
    expect((await sso.calls())['/token']).toBe(1);
  });

  test('that arrives in another browser is used up: the one that began cannot complete it, nor can its code', async () => {
    const attacker = newAgent(stage);
    const first = await attacker.visit(`${home}/page`);
    const begun = first.hops.find(({ url }) => url.startsWith(`${sso.issuer}/auth`))!.url;
    // Ada opens the link of the attempt, and signs in at the provider.
    const ada = newAgent(stage);
    const stop = { until: /\.meshgate\/callback/ };
    const back = (await sso.signIn(ada, await ada.visit(begun), 'ada', stop)).location!;
    expect((await ada.visit(back, { follow: false })).status).toBe(303);
    expect((await sso.grants()).authorization_code).toEqual({ good: 1, bad: 0 });
    const stolen = await attacker.visit(back, { follow: false });
    expect([stolen.status, stolen.text.includes('attempt_unknown')]).toEqual([400, true]);
    expect([sessionOf(attacker, home), sessionOf(ada, home)]).toEqual([undefined, undefined]);
    expect((await sso.grants()).authorization_code).toEqual({ good: 1, bad: 0 });
    // Ada's own sign-in goes on.
    expect((await ada.visit(`${home}/page`)).url).toBe(`${home}/page`);
  });

  test('that a script requests in another browser is used up, by HEAD as well', async () => {
    for (const method of ['GET', 'HEAD']) {
      const attacker = newAgent(stage);
      const page = await attacker.visit(`${home}/page`);
      const back = (await sso.signIn(attacker, page, 'ada', { until: /\.meshgate\/callback/ })).location!;
      await newAgent(stage).fetch(back, { from: 'https://evil.example/', method });
      expect((await attacker.visit(back, { follow: false })).status).toBe(400);
      expect(sessionOf(attacker, home)).toBeUndefined();
    }
  });

  test.each(['', 'code=x', 'code=x&state=abc', 'state=a'])('with %j ends on a page', async (query) => {
    const agent = newAgent(stage);
    const refused = await refusing();
    const { status, text } = await agent.visit(`${home}/.meshgate/callback?${query}`);
    expect([status, text.includes('attempt_unknown')]).toEqual([400, true]);
    expect(agent.allCookies()).toEqual([]);
    expect(await refused()).toEqual({ attempt_unknown: 1 });
  });

  test('with the code of a provider other than the chosen one is sent to neither of them', async () => {
    await partners.forget();
    const agent = newAgent(stage);
    // The hostile provider redirects the browser to the honest one, with an address that is registered there.
    const requested = await agent.visit(signinUrl(many, '/page', 'in&provider=partners'), { follow: false });
    const on = new URL(requested.location!);
    expect(on.searchParams.get('redirect_uri')).toBe(`${many}/.meshgate/callback/partners`);
    on.hostname = 'sso';
    on.searchParams.set('redirect_uri', `${many}/.meshgate/callback/basic`);
    expected.push(/sign-in through partners: signin_failed: the answer came to the redirect URI of provider basic/);
    const page = await login(agent, await agent.visit(on.href));
    expect([page.status, page.text.includes('signin_failed')]).toEqual([403, true]);
    expect(sessionOf(agent, many)).toBeUndefined();
    expect([(await sso.calls())['/token'] ?? 0, (await partners.calls())['/token'] ?? 0]).toEqual([0, 0]);
  });

  test('whose answer from the token endpoint is lost ends on a page, and sends no second request', async () => {
    const agent = newAgent(stage);
    const first = await agent.visit(`${home}/page`);
    await sso.control('/token', { lose: true, times: 1 });
    expected.push(/sign-in through basic: provider_unavailable/, /upstream prematurely closed/);
    const refused = await refusing();
    const page = await login(agent, first);
    expect([page.status, page.text.includes('provider_unavailable')]).toEqual([503, true]);
    expect((await sso.calls())['/token']).toBe(1);
    expect(await refused()).toEqual({ provider_unavailable: 1 });
    // The next attempt works.
    expect((await agent.visit(`${home}/page`)).status).toBe(200);
  });
});
