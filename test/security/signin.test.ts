/** Sign-in under attack, with a test issuer whose answers are wrong. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  expectCleanLog,
  MANY_SIGNINS,
  newAgent,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  type UserAgent,
  until,
  type Visited,
  waitForWorkers,
} from '../harness/index.ts';
import { holds } from '../harness/property.ts';

const HOST = 'wiki.example.com';
const OTHER = 'dash.example.com';
const home = `https://${HOST}:8443`;

const stage = await testStage('security-signin');
const issuers = await startIssuer(stage);
const evil = await issuers.create('evil');
const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
providers:
  evil:
    issuer: ${evil.url}
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/evil }
    signin: { scopes: [openid], userinfo: false }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${HOST}:
    /*: { service: wiki, allow: [staff] }
  ${OTHER}:
    /*: { service: wiki, allow: [staff] }
`;

const [wiki, gateway] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startGateway(stage, { policy })]);

const metadata = {
  issuer: evil.url,
  jwks_uri: `${evil.url}/jwks`,
  authorization_endpoint: `${evil.url}/authorize`,
  token_endpoint: `${evil.url}/token`,
};
await evil.serveDiscovery({ body: JSON.stringify(metadata) });

const signinUrl = (to: string, host = HOST, mode = 'in') => `https://${host}:8443/.meshgate/signin?${mode}&to=${to}`;

/** Begins a sign-in, and stops before the provider. */
async function begin(agent: UserAgent, to = '/page', host = HOST): Promise<URL> {
  const { location, status, text } = await agent.visit(signinUrl(to, host), { follow: false });
  if (location === undefined) throw new Error(`${status} ${text}`);
  return new URL(location);
}

type Claims = Readonly<Record<string, unknown>>;

let codes = 0;

/** Makes the token endpoint answer with an ID token of these claims for an attempt, and returns the callback. */
async function answered(url: URL, claims: Claims = {}, header: Claims = {}, more: Claims = {}): Promise<string> {
  const of = { sub: 'ada', aud: 'wiki', groups: ['staff'], nonce: url.searchParams.get('nonce'), ...claims };
  const idToken = await evil.sign(of, { header: { typ: 'JWT', ...header } });
  const body = JSON.stringify({ id_token: idToken, access_token: 'AT-SECRET', token_type: 'Bearer', ...more });
  await issuers.put({ '/evil/token': { body } });
  return `${url.searchParams.get('redirect_uri')}?code=CODE-SECRET-${++codes}&state=${url.searchParams.get('state')}`;
}

async function signIn(agent: UserAgent, to = '/page', claims: Claims = {}): Promise<Visited> {
  return agent.visit(await answered(await begin(agent, to), claims), { follow: false });
}

const named = (agent: UserAgent, begins: string): string[] =>
  agent
    .cookies(home)
    .map(({ key }) => key)
    .filter((key) => key.startsWith(begins));
const hasSession = (agent: UserAgent): boolean => agent.cookies(home).some(({ key }) => key === '__Host-Http-meshgate');
const whoami = async (agent: UserAgent) => (await agent.fetch(`${home}/.meshgate/whoami`, { from: `${home}/` })).json();

let mark = 0;
/** Lines of the error log that an attack causes. */
const expected: RegExp[] = [];

beforeAll(async () => {
  const ready = async () => hasSession(await signedIn());
  await until(ready, { what: 'a first sign-in', help: () => gateway.box.logs.tail() });
  mark = await waitForWorkers(gateway, HOST);
});

async function signedIn(): Promise<UserAgent> {
  const agent = newAgent(stage);
  try {
    await signIn(agent);
  } catch {
    // There is none yet.
  }
  return agent;
}

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, HOST);
  const lines = gateway.box.logs.since(since).join('\n');
  for (const secret of [/[?&](code|state|ticket)=/, /SECRET/, /the client secret/, /eyJ[\w-]{10}/]) {
    expect(lines).not.toMatch(secret);
  }
  await expectCleanLog(gateway, since, expected.splice(0));
  await issuers.clearHits();
  await wiki.clear();
});

describe('return URLs: only paths of this origin', () => {
  let people = 0;

  /** Another person each time: one person may not sign in as often as a search does. */
  async function comesBackTo(to: string): Promise<string> {
    const { status, location } = await signIn(newAgent(stage), to, { sub: `person-${++people}` });
    expect(status).toBe(303);
    return location!;
  }

  test.each([
    '//evil.example.com',
    '///evil.example.com',
    '/\\evil.example.com',
    '\\\\evil.example.com',
    'https://evil.example.com/',
    'https:evil.example.com',
    '@evil.example.com',
    '.evil.example.com',
    ':443@evil.example.com/',
    'javascript:alert(1)',
    '/%09/evil.example.com',
    '/%0d%0aSet-Cookie:%20a=b',
    '/%20/evil.example.com',
    '/%5cevil.example.com',
    '/%2f/evil.example.com',
    '%2F%2Fevil.example.com',
    '%2F%5Cevil.example.com',
    '%2F%09%2Fevil.example.com',
    '%2F%0D%0ALocation:%20https://evil.example.com',
    '/.\\./evil.example.com',
    '/./evil.example.com',
    '/..//evil.example.com',
    '/.meshgate/signout',
    '%2F.meshgate%2Fsignin%3Fin%26to%3D%2F',
    '',
  ])('%s', async (to) => {
    expect(await comesBackTo(to)).toBe(`${home}/`);
  });

  test('a page URL is restored exactly after sign-in', async () => {
    const to = '/display/HOME/My%20Page?a=b&to=//evil.example.com&c=%2F%2Fd';
    expect(await comesBackTo(to)).toBe(home + to);
    expect(await comesBackTo(encodeURIComponent(to))).toBe(home + to);
  });

  test('whatever else is sent', async () => {
    const piece = fc.constantFrom(
      ...['/', '//', '\\', '%2f', '%5c', '%09', '%0d%0a', '%20', '.', '..', ':', '@', '?', '&to=', ';', 'https:'],
      ...['evil.example.com', '.evil.example.com', '%E2%80%A8', '%', '%00', '%C2%A0', '.meshgate/', '=', '+', '%2F'],
    );
    const target = fc.tuple(fc.constantFrom('', '/', '%2F'), fc.array(piece, { maxLength: 6 }));
    await holds(
      fc.asyncProperty(target, async ([slash, pieces]) => {
        const location = await comesBackTo(slash + pieces.join(''));
        expect(new URL(location).origin).toBe(home);
        expect(location).toMatch(/^https:\/\/wiki\.example\.com:8443\/(?![/\\])[\x21-\x7e]*$/);
      }),
      60,
    );
  });
});

describe('state is bound to the browser, single use, per tab', () => {
  const unknown = async (agent: UserAgent, url: string) => {
    const { status, text, answer } = await agent.visit(url, { follow: false });
    expect([status, text.includes('attempt_unknown'), answer.all('Set-Cookie')]).toEqual([400, true, []]);
  };

  test('a missing, double, foreign or changed state signs no one in', async () => {
    const agent = newAgent(stage);
    const url = await begin(agent);
    const state = url.searchParams.get('state')!;
    const [kid, day, sealed] = state.split('.') as [string, string, string];
    const flipped = `${kid}.${day}.${sealed.slice(0, 20)}${sealed[20] === 'A' ? 'B' : 'A'}${sealed.slice(21)}`;
    const others = (await begin(agent, '/', OTHER)).searchParams.get('state')!;
    for (const query of [
      'code=x',
      `code=x&state=${state}&state=${state}`,
      `code=x&code=x&state=${state}`,
      `code=x&error=y&state=${state}`,
      `state=${state}`,
      `code=x&state=${others}`,
      `code=x&state=${flipped}`,
      `code=x&state=${kid}.${Number(day) + 1}.${sealed}`,
      `code=x&state=${sealed}`,
      `code=x&state=${state.slice(0, -4)}`,
    ]) {
      await unknown(agent, `${home}/.meshgate/callback?${query}`);
    }
    expect((await issuers.hits())['/evil/token']).toBeUndefined();
    expect(hasSession(agent)).toBe(false);
    // The attempt is still valid.
    expect((await agent.visit(await answered(url), { follow: false })).location).toBe(`${home}/page`);
  });

  test('no text in its place does, whatever it is', async () => {
    const agent = newAgent(stage);
    await holds(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (text) => {
        const query = new URLSearchParams({ code: 'x', state: text }).toString();
        await unknown(agent, `${home}/.meshgate/callback?${query}`);
      }),
      50,
    );
  });

  test('login CSRF: another person’s callback does not sign the browser in as that person', async () => {
    const [attacker, victim] = [newAgent(stage), newAgent(stage)];
    const planted = await answered(await begin(attacker, '/planted'), { sub: 'mallory' });
    const { status, location } = await victim.visit(planted, { follow: false, from: 'https://evil.example.com/' });
    // It begins again, for the victim themselves, once.
    expect([status, hasSession(victim)]).toEqual([303, false]);
    expect(location).toMatch(/^https:\/\/issuers:8443\/evil\/authorize\?/);
    const again = `${home}/.meshgate/callback?code=x&state=${new URL(location!).searchParams.get('state')}`;
    await unknown(newAgent(stage), again);
    // Both codes are used up, once each, and their tokens are thrown away.
    expect((await issuers.hits())['/evil/token']).toBe(2);
    expect((await attacker.visit(planted, { follow: false })).status).toBe(400);
    expect(hasSession(attacker)).toBe(false);
    // And a person who is signed in stays signed in as before.
    const other = await signedIn();
    const on = await other.visit(planted, { follow: false });
    expect(on.location).toBe(`${home}/planted`);
    expect(await whoami(other)).toMatchObject({ subject: 'ada' });
  });

  test('each tab returns to its own page', async () => {
    const agent = newAgent(stage);
    const tabs = [await begin(agent, '/one'), await begin(agent, '/two'), await begin(agent, '/three')];
    expect(new Set(tabs.map((url) => url.searchParams.get('state'))).size).toBe(3);
    for (const [i, page] of [
      [2, '/three'],
      [0, '/one'],
      [1, '/two'],
    ] as const) {
      expect((await agent.visit(await answered(tabs[i]!), { follow: false })).location).toBe(home + page);
    }
    expect(named(agent, '__Host-Http-meshgate-a-')).toEqual([]);
  });
});

describe('nonce and PKCE are always used', () => {
  test('each attempt has its own, with enough randomness', async () => {
    const agent = newAgent(stage);
    const urls = await Promise.all(Array.from({ length: 30 }, () => begin(agent)));
    for (const name of ['nonce', 'code_challenge', 'state']) {
      const values = urls.map((url) => url.searchParams.get(name)!);
      expect(new Set(values).size, name).toBe(30);
      for (const value of values) expect(Buffer.from(value, 'base64url').length, name).toBeGreaterThanOrEqual(16);
    }
    for (const url of urls) expect(url.searchParams.get('code_challenge_method')).toBe('S256');
  });

  test('an ID token of another sign-in, or without one, is rejected each time', async () => {
    const other = (await begin(newAgent(stage))).searchParams.get('nonce');
    for (const nonce of [undefined, '', other, 'x', [other], 7, undefined, other]) {
      const agent = newAgent(stage);
      expected.push(/signin_failed: its ID token is rejected: claim_absent: its "nonce"/);
      const { status, text } = await signIn(agent, '/page', { nonce });
      expect([status, text.includes('signin_failed'), hasSession(agent)]).toEqual([403, true, false]);
    }
    // A valid one among them is accepted.
    expect(hasSession(await signedIn())).toBe(true);
  });

  test('an ID token that is not valid is rejected', async () => {
    const now = Math.floor(Date.now() / 1000);
    const cases: readonly [Claims, Claims][] = [
      [{ aud: 'other' }, {}],
      [{ aud: ['wiki', 'other'] }, {}],
      [{ azp: 'other' }, {}],
      [{ iss: 'https://issuers:8443/other' }, {}],
      [{ exp: now - 600 }, {}],
      [{ iat: undefined }, {}],
      [{ sub: undefined }, {}],
      [{ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, {}],
      [{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, {}],
      [{}, { typ: 'at+jwt' }],
      [{}, { typ: 'logout+jwt' }],
      [{}, { kid: 'another' }],
    ];
    for (const [claims, header] of cases) {
      const agent = newAgent(stage);
      expected.push(/its ID token is rejected: \w+/);
      const callback = await answered(await begin(agent), claims, header);
      const { status } = await agent.visit(callback, { follow: false });
      expect([status, hasSession(agent)], JSON.stringify([claims, header])).toEqual([403, false]);
    }
  });
});

describe('a sign-in makes a new session', () => {
  test('whatever session the browser had: a planted one is no longer valid', async () => {
    const attacker = newAgent(stage);
    await signIn(attacker, '/page', { sub: 'mallory' });
    const planted = attacker.cookies(home).find(({ key }) => key === '__Host-Http-meshgate')!.value;
    const victim = newAgent(stage);
    victim.setCookie(`__Host-Http-meshgate=${planted}; Path=/; Secure`, home);
    expect(await whoami(victim)).toMatchObject({ subject: 'mallory' });
    await signIn(victim);
    const own = victim.cookies(home).find(({ key }) => key === '__Host-Http-meshgate')!.value;
    expect(own).not.toBe(planted);
    expect(await whoami(victim)).toMatchObject({ subject: 'ada' });
    // A planted session ends: nothing that the browser had before survives the sign-in of another person.
    expect(await whoami(attacker)).not.toHaveProperty('subject');
  });
});

describe('no page of the gateway shows a token; error text is escaped', () => {
  test('the provider’s error text is not repeated', async () => {
    const agent = newAgent(stage);
    const url = await begin(agent);
    expected.push(/signin_failed: the provider answered with the error of an unknown form/);
    const query = new URLSearchParams({
      error: '"><script>alert(1)</script>',
      error_description: '<img src=x onerror=alert(2)>',
      error_uri: 'javascript:alert(3)',
      state: url.searchParams.get('state')!,
    });
    const page = await agent.visit(`${home}/.meshgate/callback?${query}`);
    expect(page.status).toBe(403);
    expect(page.text).not.toMatch(/alert\(|<script|onerror|javascript:/);
    expect(page.answer.header('Content-Security-Policy')).toMatch(/default-src 'none'/);
  });

  test('no page and no header has a code, state or token', async () => {
    const agent = newAgent(stage);
    const callback = await answered(await begin(agent), { nonce: 'x' });
    expected.push(/its ID token is rejected/);
    const failed = await agent.visit(callback);
    const again = await agent.visit(callback);
    const state = new URL(callback).searchParams.get('state')!;
    for (const page of [failed, again]) {
      const all = page.text + JSON.stringify(page.answer.headers);
      expect(all).not.toMatch(/SECRET|eyJ[\w-]{10}/);
      expect(all).not.toContain(state.slice(-30));
    }
  });
});

describe('a code is used once, and the token endpoint is called once', () => {
  test('a second callback leads to the page, or says that it is not valid', async () => {
    const agent = newAgent(stage);
    const callback = await answered(await begin(agent));
    const racing = agent.twin();
    expect((await agent.visit(callback, { follow: false })).location).toBe(`${home}/page`);
    expect((await agent.visit(callback, { follow: false })).location).toBe(`${home}/page`);
    const { status, text } = await racing.visit(callback, { follow: false });
    expect([status, text.includes('attempt_unknown'), hasSession(racing)]).toEqual([400, true, false]);
    expect((await issuers.hits())['/evil/token']).toBe(1);
  });

  test('ten callbacks at once call it once', async () => {
    const agent = newAgent(stage);
    const callback = await answered(await begin(agent));
    const twins = Array.from({ length: 10 }, () => agent.twin());
    const pages = await Promise.all(twins.map((twin) => twin.visit(callback, { follow: false })));
    expect(pages.map(({ status }) => status).sort()).toEqual([303, ...Array(9).fill(400)].sort());
    expect((await issuers.hits())['/evil/token']).toBe(1);
  });

  test.each([
    ['answers 500', { status: 500, body: '{}' }],
    ['hangs up', { body: '{"id_token":"eyJSECRET"}', cutAt: 5 }],
    ['answers nonsense', { body: '<html>SECRET' }],
    ['sends elsewhere', { status: 307, headers: { location: 'https://issuers:8443/evil/trap' }, body: '' }],
  ])('an endpoint that %s is not called again', async (_, document) => {
    const agent = newAgent(stage);
    const callback = await answered(await begin(agent));
    await issuers.put({ '/evil/token': document });
    expected.push(/sign-in through evil: provider_unavailable: /, /upstream prematurely closed|peer closed connection/);
    const { status, text } = await agent.visit(callback, { follow: false });
    expect([status, text.includes('provider_unavailable'), hasSession(agent)]).toEqual([503, true, false]);
    const hits = await issuers.hits();
    expect([hits['/evil/token'], hits['/evil/trap']]).toEqual([1, undefined]);
  });

  test('a prerender and HEAD begin no sign-in, and a POST finishes none', async () => {
    const agent = newAgent(stage);
    const ahead = await agent.visit(signinUrl('/page'), { purpose: 'prefetch;prerender', follow: false });
    expect(ahead.status).toBe(401);
    const head = await agent.visit(signinUrl('/page'), { method: 'HEAD', follow: false });
    expect([404, 405]).toContain(head.status);
    const callback = await answered(await begin(agent));
    const before = named(agent, '__Host-Http-meshgate-a-').length;
    const posted = await agent.visit(callback, { method: 'POST', body: new URLSearchParams(), follow: false });
    expect([404, 405]).toContain(posted.status);
    expect([hasSession(agent), named(agent, '__Host-Http-meshgate-a-').length]).toEqual([false, before]);
    // The code is used up, and its tokens are thrown away.
    expect((await issuers.hits())['/evil/token']).toBe(1);
  });

  test('thirty background requests leave no cookies behind', async () => {
    const agent = newAgent(stage);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        agent.fetch(i % 2 ? signinUrl('/') : `${home}/page/${i}`, { from: `${home}/` }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(answers.flatMap((answer) => answer.all('Set-Cookie'))).toEqual([]);
    expect(answers.flatMap((answer) => answer.all('Location'))).toEqual([]);
    expect(await wiki.requests()).toEqual([]);
    // Tabs do not either: there are eight at most.
    for (let i = 0; i < 12; i++) await begin(agent);
    expect(named(agent, '__Host-Http-meshgate-a-').length).toBe(8);
  });
});

describe('scripts and API calls receive 401, never a redirect to a sign-in page', () => {
  test('in whatever way they are sent', async () => {
    const agent = newAgent(stage);
    for (const url of [`${home}/page`, signinUrl('/page')]) {
      const answers = [
        await agent.fetch(url, { from: `${home}/` }),
        await agent.events(url, { from: `${home}/` }),
        await gateway.send(HOST, { path: new URL(url).pathname + new URL(url).search }),
      ];
      for (const answer of answers) {
        expect([answer.status, answer.header('Location'), answer.header('Set-Cookie')]).toEqual([
          401,
          undefined,
          undefined,
        ]);
        expect(answer.header('WWW-Authenticate')).toMatch(/^Bearer realm=/);
      }
    }
    expect(await wiki.requests()).toEqual([]);
  });
});
