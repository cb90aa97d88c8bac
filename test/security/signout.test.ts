/** Sign-out and refresh under attack, with a test issuer whose answers are wrong. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  expectCleanLog,
  MANY_SIGNINS,
  Memory,
  newAgent,
  Sealer,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  type UserAgent,
  until,
  waitForWorkers,
  withMemory,
} from '../harness/index.ts';

const HOST = 'wiki.example.com';
const OTHER = 'dash.example.com';
const home = `https://${HOST}:8443`;

const stage = await testStage('security-signout');
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

const ring = newRing(Date.now() / 1000 - 7200);
const [wiki, gateway] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startGateway(stage, { policy, mutate: withMemory, files: { '/run/secrets/session.jwks': ring } }),
]);
const sealer = await Sealer.of(gateway.policy, ring);

await evil.serveDiscovery({
  body: JSON.stringify({
    issuer: evil.url,
    jwks_uri: `${evil.url}/jwks`,
    authorization_endpoint: `${evil.url}/authorize`,
    token_endpoint: `${evil.url}/token`,
    end_session_endpoint: `${evil.url}/end`,
  }),
});

type Claims = Readonly<Record<string, unknown>>;

/** The answer of the token endpoint from now on. */
async function tokens(claims: Claims, more: Claims = {}): Promise<void> {
  const idToken = await evil.sign(
    { sub: 'ada', aud: 'wiki', groups: ['staff'], ...claims },
    { header: { typ: 'JWT' } },
  );
  const body = {
    id_token: idToken,
    access_token: 'AT-SECRET',
    token_type: 'Bearer',
    refresh_token: 'RT-SECRET',
    ...more,
  };
  await issuers.put({ '/evil/token': { body: JSON.stringify(body) } });
}

async function signIn(host = HOST, agent = newAgent(stage), claims: Claims = {}): Promise<UserAgent> {
  const origin = `https://${host}:8443`;
  const begun = await agent.visit(`${origin}/.meshgate/signin?in&to=/page`, { follow: false });
  const url = new URL(begun.location!);
  await tokens({ sid: 'op-1', nonce: url.searchParams.get('nonce'), ...claims });
  const callback = `${origin}/.meshgate/callback?code=CODE-SECRET&state=${url.searchParams.get('state')}`;
  expect((await agent.visit(callback)).url).toBe(`${origin}/page`);
  return agent;
}

const cookieOf = (agent: UserAgent, origin = home) =>
  agent.cookies(origin).find(({ key }) => key === '__Host-Http-meshgate');

/** A script's request; returns the status, and whether the service received it. */
async function ask(agent: UserAgent, host = HOST): Promise<[status: number, seen: boolean]> {
  await wiki.clear();
  const { status } = await agent.fetch(`https://${host}:8443/page`, { from: `https://${host}:8443/page` });
  return [status, (await wiki.requests()).length > 0];
}

const passes = [200, true];
const refused = [401, false];

let mark = 0;
const expected: RegExp[] = [];

beforeAll(async () => {
  const ready = async () =>
    (await newAgent(stage).visit(`${home}/.meshgate/signin?in&to=/`, { follow: false })).status === 303;
  await until(ready, { what: 'the provider at the gateway', help: () => gateway.box.logs.tail() });
  mark = await waitForWorkers(gateway, HOST);
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, HOST);
  await expectCleanLog(gateway, since, expected.splice(0));
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/SECRET|eyJ[\w-]{10}/);
});

describe('a logout token', () => {
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const now = () => Math.floor(Date.now() / 1000);
  let jti = 0;

  async function send(claims: Claims, header: Claims = { typ: 'logout+jwt' }, by = evil, host = HOST): Promise<number> {
    const all = { aud: 'wiki', iat: now(), exp: now() + 120, jti: `j${++jti}`, sid: 'op-1', events: event, ...claims };
    const token = await by.sign(all, { header });
    const answer = await gateway.send(host, {
      method: 'POST',
      path: '/.meshgate/backchannel',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `logout_token=${token}`,
    });
    expect(answer.header('Cache-Control')).toBe('no-store');
    return answer.status;
  }

  test('needs iat, jti, the event, the right type and audience, and no nonce; otherwise it ends nothing', async () => {
    const agent = await signIn();
    expected.push(/back-channel sign-out refused/);
    const other = await issuers.create('other');
    const wrong: Promise<number>[] = [
      send({ iat: undefined }),
      send({ jti: undefined }),
      send({ exp: undefined }),
      send({ exp: now() - 60, iat: now() - 120 }),
      send({ events: undefined }),
      send({ events: { 'https://example.com/other': {} } }),
      send({ events: [] }),
      send({ nonce: 'n' }),
      send({ sid: undefined }),
      send({ aud: 'other' }),
      send({ iss: 'https://other.example' }),
      send({}, { typ: 'at+jwt' }),
      send({ typ: 'ID' }, { typ: 'JWT' }),
      send({}, {}, other),
      // A foreign key under the issuer's name.
      send({ iss: evil.url }, {}, other),
    ];
    expect(await Promise.all(wrong)).toEqual(Array(wrong.length).fill(400));
    expect(await ask(agent)).toEqual(passes);
  });

  test('ends that session on every host, and no later session when it is sent again', async () => {
    const agent = await signIn();
    await signIn(OTHER, agent);
    const same = { jti: 'same', iat: now(), exp: now() + 120 };
    expect(await send(same)).toBe(200);
    expect([await ask(agent), await ask(agent, OTHER)]).toEqual([refused, refused]);
    await signIn(HOST, agent);
    expect(await send(same)).toBe(200);
    expect(await ask(agent)).toEqual(passes);
  });

  test('for a person ends earlier sessions, and no later sign-in', async () => {
    const agent = await signIn(HOST, newAgent(stage), { sid: undefined });
    expect(await send({ sid: undefined, sub: 'ada' })).toBe(200);
    expect(await ask(agent)).toEqual(refused);
    // This includes a sign-in within the second of the sign-out, all of which counts as before.
    await signIn(HOST, agent, { sid: undefined });
    expect(await ask(agent)).toEqual(passes);
    expect(await send({ sid: undefined, sub: 'ben' })).toBe(200);
    expect(await ask(agent)).toEqual(passes);
  });
});

describe('sign-out', () => {
  test('ends the session on every host: a copy of its cookie passes nowhere', async () => {
    const agent = await signIn(HOST, newAgent(stage), { sid: 'op-2' });
    const cookie = cookieOf(agent)!;
    const copy = newAgent(stage);
    copy.setCookie(`__Host-Http-meshgate=${cookie.value}; Path=/; Secure`, home);
    expect(await ask(copy)).toEqual(passes);
    const { answer } = await agent.visit(`${home}/.meshgate/signout`, {
      method: 'POST',
      body: new URLSearchParams(),
      from: `${home}/.meshgate/signout`,
      follow: false,
    });
    // With the attributes with which it was set, or browsers keep it.
    expect(answer.all('Set-Cookie')).toEqual([
      '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned',
      '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax',
    ]);
    expect(cookieOf(agent)).toBeUndefined();
    expect(await ask(copy)).toEqual(refused);
  });

  test('without a session, in a frame, revokes nothing', async () => {
    const agent = await signIn(HOST, newAgent(stage), { sid: 'op-3' });
    const frame = `${home}/.meshgate/frontchannel?${new URLSearchParams({ iss: evil.url, sid: 'op-3' })}`;
    expect((await newAgent(stage).visit(frame)).status).toBe(200);
    expect((await agent.visit(frame.replace('op-3', 'op-4'))).status).toBe(200);
    expect(await ask(agent)).toEqual(passes);
    // Its own frame does.
    expect((await agent.visit(frame)).status).toBe(200);
    expect(await ask(agent)).toEqual(refused);
  });
});

describe('a refresh', () => {
  const makeStale = (agent: UserAgent) => sealer.age(new Memory(gateway, HOST).records, agent, home, -1);

  test('checks the claims again: a person who left the group is refused', async () => {
    const agent = await signIn(HOST, newAgent(stage), { sid: 'op-5' });
    await tokens({ groups: [] });
    await makeStale(agent);
    expect(await ask(agent)).toEqual([403, false]);
  });

  test.each([
    ['of another person', { sub: 'ben' }],
    ['for another client', { aud: 'other' }],
    ['of another issuer', { iss: 'https://other.example' }],
    ['with a nonce of another sign-in', { nonce: 'other' }],
    ['that is over', { exp: 1000 }],
  ])('whose ID token is one %s ends the session', async (_, claims) => {
    expected.push(/ ends a session: /);
    const agent = await signIn(HOST, newAgent(stage), { sid: 'op-6' });
    await tokens(claims);
    await makeStale(agent);
    expect([await ask(agent), await ask(agent)]).toEqual([refused, refused]);
  });
});
