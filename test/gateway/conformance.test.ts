/** The conformance suite's modules for relying parties, each against a provider that does what the module says. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from 'vitest';
import {
  createKey,
  expectCleanLog,
  forgeToken,
  type Issuer,
  MANY_SIGNINS,
  newAgent,
  type SigningKey,
  type SignOptions,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  type UserAgent,
  until,
  type Visited,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('conformance');
const server = await startIssuer(stage);
await startEcho(stage, { alias: 'wiki' });

/** Providers by their faults: the gateway keeps documents and keys of each. */
const names = ['op', 'single', 'multiple', 'mismatch', 'rotation', 'just', 'refresh'] as const;
type Name = (typeof names)[number];
const made = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await server.create(name)] as const)),
) as Record<Name, Issuer>;

const clientSecret = 'the client secret of the tests';

for (const [name, issuer] of Object.entries(made)) {
  const { url } = issuer;
  await issuer.serveDiscovery({
    body: JSON.stringify({
      issuer: name === 'mismatch' ? made.op.url : url,
      jwks_uri: `${url}/jwks`,
      authorization_endpoint: `${url}/authorize-here`,
      token_endpoint: `${url}/token-here`,
      userinfo_endpoint: `${url}/userinfo-here`,
      end_session_endpoint: `${url}/end-session-here`,
      response_types_supported: ['code'],
      backchannel_logout_supported: true,
    }),
  });
}
const second = await createKey('RS256');
const nameless = ({ jwk: { kid: _, ...jwk } }: SigningKey) => jwk;
const es256 = await createKey('ES256');
const serveKeys = (name: Name, ...keys: readonly unknown[]) => made[name].serveJwks({ body: JSON.stringify({ keys }) });
await serveKeys('op', made.op.key.jwk, es256.jwk);
await serveKeys('single', nameless(made.single.key));
await serveKeys('multiple', nameless(made.multiple.key), nameless(second));

const hostOf = (name: Name) => `${name}.test`;
const originOf = (name: Name) => `https://${hostOf(name)}:8443`;
const policyFor = (hosts: readonly Name[], session: string) => `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks${session} }
  signin: { ${MANY_SIGNINS} }
  keys: { refresh: 1h, cool_down: 1s }
providers:
${hosts
  .map(
    (name) =>
      `  ${name}: { issuer: ${made[name].url}, ca_file: /run/provider-ca.pem, client: { id: gateway, secret_file: /run/secrets/${name} }, subject: { prefix: ${name}- } }`,
  )
  .join('\n')}
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
${hosts.map((name) => `  ${hostOf(name)}: { providers: [${name}], /*: { service: wiki, allow: [authenticated] } }`).join('\n')}
`;
const others = names.filter((name) => name !== 'refresh');
const [gateway, refreshing] = await Promise.all([
  startGateway(stage, { policy: policyFor(others, '') }),
  // A session is refreshed when this part of its fresh time is left.
  startGateway(stage, { policy: policyFor(['refresh'], ', fresh: 3s'), alias: 'refreshing' }),
]);

let mark = 0;
/** Lines of the error log that a test expects. */
const expected: RegExp[] = [];

beforeAll(async () => {
  const ready = async (name: Name) => {
    const { status, location } = await newAgent(stage).visit(`${originOf(name)}/.meshgate/signin?in&to=/`, {
      follow: false,
    });
    return status === 303 && location?.startsWith(made[name].url);
  };
  for (const name of names.filter((one) => one !== 'mismatch')) {
    await until(() => ready(name), {
      what: `the gateway to lead to the provider ${name}`,
      help: () => gateway.box.logs.tail(),
    });
  }
  mark = await waitForWorkers(gateway, hostOf('op'));
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, hostOf('op'));
  // The gateway calls the provider with another issuer again and again.
  await expectCleanLog(gateway, since, [/mismatch/, ...expected.splice(0)]);
});

const now = () => Math.floor(Date.now() / 1000);

/** A person that the gateway has redirected to the provider. */
interface Begun {
  readonly name: Name;
  readonly agent: UserAgent;
  readonly page: string;
  readonly request: URLSearchParams;
}

async function begin(name: Name, agent = newAgent(stage)): Promise<Begun> {
  const page = `${originOf(name)}/page?x=1`;
  const sent = await agent.visit(page, { until: /authorize-here/ });
  expect(sent.location).toMatch(new RegExp(`^${made[name].url}/authorize-here\\?`));
  return { name, agent, page, request: new URL(sent.location!).searchParams };
}

let sessions = 0;

type Claims = Readonly<Record<string, unknown>>;

const usual = { aud: 'gateway', sub: 'ada', email: 'ada@example.com', email_verified: true };

/** A valid ID token, except for the given claims. */
function idToken({ name, request }: Begun, claims: Claims = {}, options: SignOptions & { key?: SigningKey } = {}) {
  const own = { ...usual, nonce: request.get('nonce'), auth_time: now(), sid: `session-${++sessions}`, ...claims };
  return made[name].sign(own, { ...options, header: { typ: 'JWT', ...options.header } });
}

async function serveTokens(name: Name, id_token: string, more: Claims = {}): Promise<void> {
  const body = JSON.stringify({
    access_token: 'an access token',
    token_type: 'Bearer',
    expires_in: 300,
    id_token,
    ...more,
  });
  await server.put({ [`/${name}/token-here`]: { body } });
}

/** The provider sends the browser back, and has this ID token for the code. */
async function finish({ name, agent, request }: Begun, token: string, more: Claims = {}): Promise<Visited> {
  await serveTokens(name, token, more);
  const back = new URL(request.get('redirect_uri')!);
  back.searchParams.set('code', 'a code');
  back.searchParams.set('state', request.get('state')!);
  return agent.visit(back.href, { from: `${made[name].url}/authorize-here` });
}

const isSignedIn = (agent: UserAgent, name: Name) =>
  agent.cookies(originOf(name)).some(({ key }) => key === '__Host-Http-meshgate');

function expectIn({ name, agent, page }: Begun, visited: Visited): void {
  expect([visited.status, visited.url, isSignedIn(agent, name)]).toEqual([200, page, true]);
}

async function expectRefused({ name, agent }: Begun, visited: Visited, line: RegExp): Promise<void> {
  expect([visited.status, isSignedIn(agent, name)]).toEqual([403, false]);
  expect(visited.text).toContain('signin_failed');
  await waitForWorkers(gateway, hostOf('op'));
  const found = gateway.troubles(mark).filter((one) => one.includes(`sign-in through ${name}`));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(line);
  expected.push(/sign-in through/);
}

async function signIn(name: Name, more: Claims = {}): Promise<Begun & { readonly token: string }> {
  const begun = await begin(name);
  const token = await idToken(begun);
  expectIn(begun, await finish(begun, token, more));
  return { ...begun, token };
}

/** Checks that the sign-in is refused because of its ID token. */
async function refuses(line: RegExp, make: (begun: Begun) => Promise<string> | string): Promise<void> {
  const begun = await begin('op');
  await expectRefused(begun, await finish(begun, await make(begun)), line);
}

test('oidcc-client-test', async () => {
  const begun = await begin('op');
  expect(Object.fromEntries(begun.request)).toMatchObject({
    response_type: 'code',
    client_id: 'gateway',
    redirect_uri: `${originOf('op')}/.meshgate/callback`,
    scope: expect.stringMatching(/^openid /),
    code_challenge_method: 'S256',
  });
  expectIn(begun, await finish(begun, await idToken(begun)));
});

test('oidcc-client-test-invalid-iss', () =>
  refuses(/issuer_unknown|"iss"|issuer/, (begun) => idToken(begun, { iss: 'https://other.example.com' })));

test('oidcc-client-test-missing-sub', () => refuses(/"sub"/, (begun) => idToken(begun, { sub: undefined })));

test('oidcc-client-test-invalid-aud', () => refuses(/audience/, (begun) => idToken(begun, { aud: 'another' })));

test('oidcc-client-test-missing-aud', () => refuses(/audience/, (begun) => idToken(begun, { aud: undefined })));

test('oidcc-client-test-missing-iat', () => refuses(/"iat"/, (begun) => idToken(begun, { iat: undefined })));

test('oidcc-client-test-kid-absent-single-jwks', async () => {
  const begun = await begin('single');
  expectIn(begun, await finish(begun, await idToken(begun, {}, { header: { kid: undefined } })));
});

test('oidcc-client-test-kid-absent-multiple-jwks', async () => {
  const begun = await begin('multiple');
  expectIn(begun, await finish(begun, await idToken(begun, {}, { key: second, header: { kid: undefined } })));
});

test('oidcc-client-test-idtoken-sig-rs256', async () => {
  const begun = await begin('op');
  const token = await idToken(begun);
  expect(JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())).toMatchObject({ alg: 'RS256' });
  expectIn(begun, await finish(begun, token));
});

const claimsOf = (token: string): Claims => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

test('oidcc-client-test-idtoken-sig-none', () =>
  refuses(/token_malformed|algorithm/, async (begun) =>
    forgeToken({ alg: 'none', typ: 'JWT' }, claimsOf(await idToken(begun))),
  ));

/** Another signature of the same length. */
function spoiled(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  return [header, payload, bytes.toString('base64url')].join('.');
}

test('oidcc-client-test-invalid-sig-rs256', () =>
  refuses(/signature_invalid/, async (begun) => spoiled(await idToken(begun))));

test('oidcc-client-test-invalid-sig-es256', () =>
  refuses(/signature_invalid/, async (begun) => spoiled(await idToken(begun, {}, { key: es256 }))));

/** Signed with a secret, as HS256 has it. */
function withSecret(claims: Claims, secret: string): string {
  const [header, payload] = forgeToken({ alg: 'HS256', typ: 'JWT' }, claims).split('.');
  return `${header}.${payload}.${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`;
}

test('oidcc-client-test-invalid-sig-hs256', () =>
  refuses(/algorithm_refused/, async (begun) => withSecret(claimsOf(await idToken(begun)), clientSecret)));

test('oidcc-client-test-nonce-invalid', () => refuses(/nonce/, (begun) => idToken(begun, { nonce: 'another' })));

/** Claims that only UserInfo has. */
const elsewhere = { email: undefined, email_verified: undefined };

test('oidcc-client-test-userinfo-invalid-sub', async () => {
  await server.put({ '/op/userinfo-here': { body: JSON.stringify({ ...usual, sub: 'mallory' }) } });
  await refuses(/UserInfo/, (begun) => idToken(begun, elsewhere));
});

test('oidcc-client-test-scope-userinfo-claims', async () => {
  await server.put({ '/op/userinfo-here': { body: JSON.stringify(usual) } });
  const begun = await begin('op');
  expect(begun.request.get('scope')?.split(' ')).toEqual(expect.arrayContaining(['openid', 'profile', 'email']));
  const visited = await finish(begun, await idToken(begun, elsewhere));
  expectIn(begun, visited);
  expect(visited.text).toContain('ada@example.com');
  expect(await server.last('/op/userinfo-here')).toMatchObject({
    method: 'GET',
    authorization: 'Bearer an access token',
  });
});

test('oidcc-client-test-userinfo-signed', async () => {
  const serve = (body: string) =>
    server.put({ '/op/userinfo-here': { body, headers: { 'content-type': 'application/jwt' } } });
  const signed = await made.op.sign(usual, { header: { typ: 'JWT' } });
  await serve(signed);
  const begun = await begin('op');
  const visited = await finish(begun, await idToken(begun, elsewhere));
  expectIn(begun, visited);
  expect(visited.text).toContain('ada@example.com');
  // The same answer with a bad signature.
  await serve(spoiled(signed));
  await refuses(/signed UserInfo is rejected: signature_invalid/, (other) => idToken(other, elsewhere));
});

test('oidcc-client-test-userinfo-bearer-header', async () => {
  await server.put({ '/op/userinfo-here': { body: JSON.stringify(usual) } });
  const begun = await begin('op');
  expectIn(begun, await finish(begun, await idToken(begun, elsewhere), { access_token: 'another.access-token' }));
  expect(await server.last('/op/userinfo-here')).toEqual({
    method: 'GET',
    authorization: 'Bearer another.access-token',
    body: '',
  });
});

test('oidcc-client-test-client-secret-basic', async () => {
  const begun = await signIn('op');
  const { method, authorization, body } = await server.last('/op/token-here');
  const encoded = new URLSearchParams({ x: clientSecret }).toString().slice(2);
  expect([method, Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()]).toEqual([
    'POST',
    `gateway:${encoded}`,
  ]);
  expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
    grant_type: 'authorization_code',
    code: 'a code',
    redirect_uri: begun.request.get('redirect_uri'),
    code_verifier: expect.stringMatching(/^[\w-]{43}$/),
  });
});

test('oidcc-client-test-discovery-openid-config', async () => {
  const hits = await server.hits();
  expect(hits['/op/.well-known/openid-configuration']).toBeGreaterThan(0);
  await signIn('op');
  // Endpoints that cannot be guessed.
  expect((await server.hits())['/op/token-here']).toBe((hits['/op/token-here'] ?? 0) + 1);
});

test('oidcc-client-test-discovery-jwks-uri-keys', async () => {
  expect((await server.hits())['/op/jwks']).toBeGreaterThan(0);
  await signIn('op');
});

test('oidcc-client-test-discovery-issuer-mismatch', async () => {
  const visited = await newAgent(stage).visit(`${originOf('mismatch')}/page`);
  expect([visited.status, new URL(visited.url).host]).toEqual([503, 'mismatch.test:8443']);
  expect(visited.text).toContain('provider_unavailable');
  expected.push(/mismatch|provider_unavailable/);
});

/** From now on the provider signs with another key, and has withdrawn the previous one. */
async function rotate(name: Name): Promise<void> {
  made[name].key = await createKey('RS256');
  await serveKeys(name, made[name].key.jwk);
}

test('oidcc-client-test-signing-key-rotation', async () => {
  await signIn('rotation');
  await rotate('rotation');
  // An unknown key causes one fetch in a cool-down, which the first sign-in may have begun.
  const again = async () => {
    const begun = await begin('rotation');
    return (await finish(begun, await idToken(begun))).status === 200;
  };
  await until(again, { what: 'a sign-in by the new key, since the cool-down is over' });
  expected.push(/sign-in through rotation/);
});

test('oidcc-client-test-signing-key-rotation-just-before-signing', async () => {
  const begun = await begin('just');
  await rotate('just');
  expectIn(begun, await finish(begun, await idToken(begun)));
});

/** The answer to the refresh token from now on: an ID token as before, without nonce (Core section 12.2). */
async function refreshed(begun: Awaited<ReturnType<typeof signIn>>, claims: Claims): Promise<void> {
  const { nonce: _, iat: __, exp: ___, ...before } = claimsOf(begun.token);
  const token = await idToken(begun, { ...before, nonce: undefined, ...claims });
  await serveTokens('refresh', token, { refresh_token: 'second' });
}

/** Opens pages until the gateway has sent this refresh token to the provider; returns the last page. */
function openUntil(begun: Begun, done: (visited: Visited, requested: string) => boolean): Promise<Visited> {
  return until(
    async () => {
      const visited = await begun.agent.visit(begun.page, { until: /authorize-here/ });
      const { body } = await server.last('/refresh/token-here');
      return done(visited, body) ? visited : undefined;
    },
    { what: 'the page after the refresh', help: () => refreshing.troubles().join('\n') },
  );
}

test('oidcc-client-test-refresh-token', async () => {
  const begun = await signIn('refresh', { refresh_token: 'first' });
  await refreshed(begun, {});
  await openUntil(begun, ({ status }, requested) => {
    expect(status).toBe(200);
    return requested.includes('grant_type=refresh_token') && requested.includes('refresh_token=first');
  });
  // The tokens of that answer are used from then on.
  await openUntil(begun, ({ status, location }, requested) => {
    expect([status, location]).toEqual([200, undefined]);
    return requested.includes('refresh_token=second');
  });
});

test.each([
  ['oidcc-client-test-refresh-token-invalid-issuer', { iss: 'https://other.example.com' }],
  ['oidcc-client-test-refresh-token-invalid-sub', { sub: 'mallory' }],
  ['oidcc-client-test-refresh-token-invalid-aud', { aud: 'another' }],
])('%s', async (_, claims) => {
  const begun = await signIn('refresh', { refresh_token: 'first' });
  await refreshed(begun, claims);
  const visited = await openUntil(begun, ({ location }) => location !== undefined);
  expect(visited.location).toMatch(/authorize-here/);
  expect((await server.last('/refresh/token-here')).body).toContain('refresh_token=first');
});

/** Signs out by the gateway's page; returns the address of the sign-out at the provider. */
async function signOut({ name, agent, page, token }: Awaited<ReturnType<typeof signIn>>): Promise<URL> {
  const thief = agent.twin();
  const requested = await agent.visit(`${originOf(name)}/.meshgate/signout`, { from: page });
  const left = await agent.submit(requested, {}, { until: /end-session-here/ });
  const there = new URL(left.location!);
  expect(`${there.origin}${there.pathname}`).toBe(`${made[name].url}/end-session-here`);
  expect(Object.fromEntries(there.searchParams)).toEqual({
    id_token_hint: token,
    client_id: 'gateway',
    post_logout_redirect_uri: `${originOf(name)}/.meshgate/signout`,
    state: expect.any(String),
  });
  expect(isSignedIn(agent, name)).toBe(false);
  await expectOut(name, thief, page);
  return there;
}

/** An earlier cookie is no longer valid. */
async function expectOut(name: Name, agent: UserAgent, page: string): Promise<void> {
  const visited = await agent.visit(page, { until: /authorize-here/ });
  expect(visited.location, `signed out of ${name}`).toMatch(/authorize-here/);
}

test('oidcc-client-test-rp-init-logout', async () => {
  const begun = await signIn('op');
  const there = (await signOut(begun)).searchParams;
  const back = `${there.get('post_logout_redirect_uri')}?state=${encodeURIComponent(there.get('state')!)}`;
  const visited = await begun.agent.visit(back, { from: made.op.url });
  expect([visited.status, visited.document.querySelector('h1').textContent]).toEqual([200, 'You are signed out']);
});

test('oidcc-client-test-rp-init-logout-other-state', async () => {
  const begun = await signIn('op');
  const there = (await signOut(begun)).searchParams;
  const visited = await begun.agent.visit(`${there.get('post_logout_redirect_uri')}?state=another`, {
    from: made.op.url,
  });
  expect([visited.status, visited.text.includes('attempt_unknown')]).toEqual([400, true]);
  expect(isSignedIn(begun.agent, 'op')).toBe(false);
});

test('oidcc-client-test-rp-init-logout-no-state', async () => {
  const begun = await signIn('op');
  const there = (await signOut(begun)).searchParams;
  const visited = await begun.agent.visit(there.get('post_logout_redirect_uri')!, { from: made.op.url });
  expect([visited.status, visited.document.querySelector('h1').textContent]).toEqual([200, 'You are signed out']);
});

/** The provider's page makes the browser open this URL. */
const frontchannel = (agent: UserAgent, sid: unknown, iss = made.op.url) =>
  agent.visit(`${originOf('op')}/.meshgate/frontchannel?${new URLSearchParams({ iss, sid: String(sid) })}`, {
    from: `${made.op.url}/end-session-here`,
  });

test('oidcc-client-test-rp-frontchannel-rpinitlogout', async () => {
  const begun = await signIn('op');
  await signOut(begun);
  expect((await frontchannel(begun.agent, claimsOf(begun.token).sid)).status).toBe(200);
  await expectOut('op', begun.agent, begun.page);
});

test('oidcc-client-test-rp-frontchannel-opinitlogout', async () => {
  const begun = await signIn('op');
  // A call that names another session, or another issuer, ends no session.
  await frontchannel(begun.agent, 'another session');
  await frontchannel(begun.agent, claimsOf(begun.token).sid, 'https://other.example.com');
  expect((await begun.agent.visit(begun.page)).url).toBe(begun.page);
  const thief = begun.agent.twin();
  expect((await frontchannel(begun.agent, claimsOf(begun.token).sid)).status).toBe(200);
  expect(isSignedIn(begun.agent, 'op')).toBe(false);
  await expectOut('op', thief, begun.page);
});

const event = 'http://schemas.openid.net/event/backchannel-logout';

/** A valid logout token, except for the given claims. */
function logoutToken({ token }: { readonly token: string }, claims: Claims = {}): Promise<string> {
  const { sub, sid } = claimsOf(token);
  const own = {
    aud: 'gateway',
    sub,
    sid,
    jti: `logout-${++sessions}`,
    exp: now() + 120,
    events: { [event]: {} },
    ...claims,
  };
  return made.op.sign(own, { header: { typ: 'logout+jwt' } });
}

function backchannel(token: string) {
  return gateway.send(hostOf('op'), {
    method: 'POST',
    path: '/.meshgate/backchannel',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token: token }).toString(),
  });
}

test('oidcc-client-test-rp-backchannel-rpinitlogout', async () => {
  const begun = await signIn('op');
  const other = await signIn('op');
  const answer = await backchannel(await logoutToken(begun));
  expect([answer.status, answer.header('Cache-Control')]).toEqual([200, 'no-store']);
  await expectOut('op', begun.agent, begun.page);
  expect((await other.agent.visit(other.page)).url, 'another session of the same person').toBe(other.page);
});

/** It ends no session. */
async function takesNo(make: (begun: Awaited<ReturnType<typeof signIn>>) => Promise<string> | string): Promise<void> {
  const begun = await signIn('op');
  const answer = await backchannel(await make(begun));
  expect([answer.status, answer.header('Cache-Control')]).toEqual([400, 'no-store']);
  const visited = await begun.agent.visit(begun.page, { until: /authorize-here/ });
  expect([visited.status, visited.url]).toEqual([200, begun.page]);
  expected.push(/back-channel/);
}

test('oidcc-client-test-rp-backchannel-rpinitlogout-alg-none', () =>
  takesNo(async (begun) => forgeToken({ alg: 'none', typ: 'logout+jwt' }, claimsOf(await logoutToken(begun)))));

test('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg', () =>
  takesNo(async (begun) => withSecret(claimsOf(await logoutToken(begun)), clientSecret)));

test.each([
  ['oidcc-client-test-rp-backchannel-rpinitlogout-no-event', { events: undefined }],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event', { events: { 'https://example.com/another': {} } }],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce', { nonce: 'a nonce' }],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud', { aud: 'another' }],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss', { iss: 'https://other.example.com' }],
])('%s', (_, claims) => takesNo((begun) => logoutToken(begun, claims)));
