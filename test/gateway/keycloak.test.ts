/** A real Keycloak: its tokens at the gateway, its sign-in form, its administration. */
import { randomBytes } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlone } from '../../src/caller/agent.ts';
import { providerKinds } from '../../src/providers/index.ts';
import { clientOf } from '../../src/token/client-id.ts';
import {
  commandAt,
  createKey,
  gatewayCase,
  keycloakSecret,
  newAgent,
  ready,
  startEcho,
  startGateway,
  startKeycloak,
  testStage,
  until,
} from '../harness/index.ts';

const stage = await testStage('keycloak');
const host = 'wiki.example.com';
const origin = `https://${host}:8443`;
const key = await createKey('ES256');
const policy = `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key } }
providers:
  corp: { issuer: https://keycloak:8443/realms/corp, audiences: ["api://wiki"], ca_file: /run/provider/ca.pem }
  asked:
    issuer: https://keycloak:8443/realms/corp
    audiences: ["api://wiki"]
    ca_file: /run/provider/ca.pem
    client: { id: wiki, secret_file: /run/secrets/client }
    introspection: { cache: 1s, jwts: true }
roles:
  staff: { any: [{ group: staff, provider: corp }, { group: staff, provider: asked }] }
  indexer:
    all: [{ provider: corp }, { claim: client_id, is: indexer }, { claim: realm_access.roles, has: reader }]
agents:
  release-bot:
    { match: { client_id: release-bot, provider: corp }, acts_for: [staff], alone: true, bound: none }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    providers: [corp]
    /*: { service: wiki, allow: [staff, indexer] }
    /rest/*: { service: wiki, allow: [staff, { agent: release-bot, methods: [GET, POST] }] }
  asked.example.com:
    providers: [asked]
    /*: { service: wiki, allow: [staff] }
`;
// A gateway that finds no provider at its start tries again only later.
const keycloak = await startKeycloak(stage, {
  origins: [origin],
  keys: [key.jwk],
  backchannel: 'https://rp:8443/backchannel',
  agent: 'release-bot',
  // The tokens are made at once and used by all tests.
  accessToken: 3600,
});
const [wiki, rp, gateway] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startEcho(stage, { alias: 'rp', tls: { pem: (await stage.ca.server('rp')).pem } }),
  startGateway(stage, { policy, files: { '/run/secrets/client': keycloakSecret } }),
]);
const setup = { gateway, echoes: [wiki] };
const [ada, cleo] = await Promise.all([keycloak.token('ada'), keycloak.token('cleo')]);

beforeAll(() => ready(gateway, host, { token: ada }));

beforeAll(async () => {
  // It answers no client about tokens that are not for it.
  const [client] = await keycloak.admin('GET', '/clients?clientId=wiki');
  await keycloak.admin('POST', `/clients/${client.id}/protocol-mappers/models`, {
    name: 'the caller',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.client.audience': 'wiki', 'access.token.claim': 'true' },
  });
});

describe('an access token of Keycloak', () => {
  gatewayCase(setup, {
    name: 'of a person in the group passes',
    host,
    request: { path: '/page', token: ada },
    status: 200,
    upstream: { url: '/page', absent: ['Authorization'] },
    log: { fields: { 'user.id': 'ada' } },
  });

  gatewayCase(setup, {
    name: 'of a person outside it is refused',
    host,
    request: { path: '/page', token: cleo },
    status: 403,
    reason: 'role_missing',
  });
});

test('tokens of a session that Keycloak ended are rejected if the gateway introspects them', async () => {
  const token = await keycloak.token('ben');
  const requested = () => gateway.send('asked.example.com', { token });
  const first = await requested();
  expect(first.status, first.text).toBe(200);
  await keycloak.signOut('ben');
  const refused = await until(async () => ((await requested()).status === 200 ? undefined : requested()), {
    what: 'the refusal of a token whose session has ended at Keycloak',
  });
  expect([refused.status, refused.json().reason]).toEqual([401, 'token_inactive']);
  // Without introspection its signature is valid until it expires.
  expect((await gateway.send(host, { token })).status).toBe(200);
  const forged = `${token.slice(0, -20)}AAAA${token.slice(-16)}`;
  expect((await gateway.send('asked.example.com', { token: forged })).json().reason).toBe('signature_invalid');
});

describe('the command', () => {
  const files = (more = {}) => ({
    './meshgate.yaml': policy,
    '/run/provider/ca.pem': stage.ca.cert,
    '/run/secrets/client': keycloakSecret,
    ...more,
  });
  const token = (text: string, ...args: string[]) =>
    commandAt(keycloak.box, files({ 't.txt': text }), 'token', 't.txt', '--online', ...args);

  test('finds that Keycloak offers all that the policy needs', async () => {
    const { code, out, err } = await commandAt(keycloak.box, files(), 'validate', '--online');
    // The container of the provider has none of the gateway's files, and lacks nothing else.
    expect([code, err], out).toEqual([1, '']);
    const lacking = out.match(/^no .*/gm)!;
    expect(lacking.filter((line) => !/^no {2}files: .*: file_missing: /.test(line))).toEqual([]);
    expect(out).toMatch(/^yes corp: discovery: https:\/\/keycloak:8443\//m);
    expect(out).toMatch(/^yes corp: keys: \d published, for RS256/m);
    expect(out).toMatch(/^yes asked: introspection: https:\/\/keycloak:8443\/.*\/token\/introspect$/m);
  });

  test('verifies a token by the keys that Keycloak publishes', async () => {
    const { code, out } = await token(ada);
    expect([code, out]).toEqual([0, expect.stringContaining('signature  valid')]);
    const forged = `${ada.slice(0, -20)}AAAA${ada.slice(-16)}`;
    expect(await token(forged)).toMatchObject({
      code: 1,
      out: expect.stringContaining('signature  signature_invalid'),
    });
  });

  test('asks Keycloak whether a token is active, as the gateway does', async () => {
    const own = await keycloak.token('cleo');
    const at = ['GET', 'https://asked.example.com/page'];
    const active = await token(own, ...at);
    expect(active.out).toContain('asked      the provider says that the token is active');
    expect(active.out).toContain('provider   asked ');
    expect(active.out).toContain('denied: role_missing (403)');
    await keycloak.signOut('cleo');
    const ended = await token(own, ...at);
    expect([ended.code, ended.out]).toEqual([1, expect.stringContaining('accepted   no: token_inactive (401)')]);
    for (const secret of [keycloakSecret, own.split('.')[2]!]) expect(active.out + ended.out).not.toContain(secret);
  });
});

describe('an agent', async () => {
  const [forAda, forCleo, itself] = await Promise.all([
    keycloak.agentToken('release-bot', ada),
    keycloak.agentToken('release-bot', cleo),
    keycloak.agentToken('release-bot'),
  ]);
  const agent = { 'meshgate.agent': 'release-bot', 'meshgate.actors': 'release-bot' };

  gatewayCase(setup, {
    name: 'acts for the person after a token exchange',
    host,
    request: { method: 'POST', path: '/rest/page', token: forAda },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada', 'X-Forwarded-Roles': 'staff' }, absent: ['Authorization'] },
    log: { fields: { 'user.id': 'ada', ...agent, 'meshgate.rule': `${host}/rest/*#2` } },
  });

  gatewayCase(setup, {
    name: 'for a person without access is refused',
    host,
    request: { path: '/rest/page', token: forCleo },
    status: 403,
    reason: 'role_missing',
    log: { fields: { 'user.id': 'cleo', ...agent, 'meshgate.rule': `${host}/rest/*#1` } },
  });

  gatewayCase(setup, {
    name: 'without a rule is refused, for any person',
    host,
    request: { path: '/page', token: forAda },
    status: 403,
    reason: 'actor_not_allowed',
    log: { fields: { 'user.id': 'ada', ...agent, 'meshgate.rule': `${host}/*#1` } },
  });

  gatewayCase(setup, {
    name: 'with client credentials acts alone',
    host,
    request: { path: '/rest/page', token: itself },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': decodeJwt(itself).sub! }, absent: ['X-Forwarded-Roles'] },
    log: { fields: { ...agent, 'user.roles': '', 'meshgate.rule': `${host}/rest/*#2` } },
  });
});

/** Makes a client with a service account that has a role of the realm; its secret is its name. */
async function serviceAccount(id: string, mappers: readonly unknown[]): Promise<void> {
  const clients = { publicClient: false, standardFlowEnabled: false, serviceAccountsEnabled: true };
  await keycloak.admin('POST', '/clients', { clientId: id, secret: id, ...clients, protocolMappers: mappers });
  const [{ id: client }] = await keycloak.admin('GET', `/clients?clientId=${id}`);
  const user = await keycloak.admin('GET', `/clients/${client}/service-account-user`);
  await keycloak.admin('POST', `/users/${user.id}/role-mappings/realm`, [await keycloak.admin('GET', '/roles/reader')]);
}

const ownToken = async (id: string): Promise<string> => {
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: id };
  return (await keycloak.post('token', form)).json().access_token;
};

describe('client credentials', async () => {
  const audience = {
    ...{ name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' },
    config: { 'included.custom.audience': 'api://wiki', 'access.token.claim': 'true' },
  };
  await Promise.all([serviceAccount('indexer', [audience]), serviceAccount('nobody', [])]);
  const [own, strange] = await Promise.all([ownToken('indexer'), ownToken('nobody')]);

  gatewayCase(setup, {
    name: 'give a client a token of its own, which passes by its role',
    host,
    request: { path: '/page', token: own },
    status: 200,
  });

  test('prove that no person is behind them, and a person’s token does not', () => {
    expect([own, strange, ada].map((token) => isAlone(decodeJwt(token), providerKinds.keycloak))).toEqual([
      true,
      true,
      false,
    ]);
    expect(clientOf(decodeJwt(own), providerKinds.keycloak)).toBe('indexer');
  });

  test('without an audience are refused, with the help text for Keycloak', async () => {
    const { status, text } = await gateway.send(host, { token: strange });
    expect([status, JSON.parse(text).reason]).toEqual([401, 'audience_mismatch']);
    expect(JSON.parse(text).detail).toMatch(/a mapper of the type Audience/);
  });
});

describe('other tokens of Keycloak are not accepted as access tokens', async () => {
  const { id_token = '', refresh_token = '' } = await keycloak.tokens('cleo');

  gatewayCase(setup, {
    name: 'the ID token',
    host,
    request: { path: '/page', token: id_token },
    status: 401,
    reason: 'type_refused',
  });

  gatewayCase(setup, {
    name: 'the refresh token, which only Keycloak can verify',
    host,
    request: { path: '/page', token: refresh_token },
    status: 401,
    reason: 'algorithm_refused',
  });
});

/** The first step of a sign-in, as a relying party begins it. */
function authorization(): string {
  const query = new URLSearchParams({
    ...{ client_id: 'wiki', response_type: 'code', scope: 'openid', redirect_uri: `${origin}/callback`, state: 's' },
    ...{ code_challenge_method: 'S256', code_challenge: randomBytes(32).toString('base64url') },
  });
  return `${keycloak.issuer}/protocol/openid-connect/auth?${query}`;
}

test('its form signs a person in, and the session needs no form again', async () => {
  const agent = newAgent(stage);
  const form = await agent.visit(authorization());
  const back = await keycloak.signIn(agent, form, 'ada', { until: /\/callback\?/ });
  expect(back.location, back.text).toMatch(/\/callback\?.*code=/);
  expect(new URL(back.location!).searchParams.get('iss')).toBe(keycloak.issuer);
  const again = await agent.visit(authorization(), { until: /\/callback\?/ });
  expect(again.location, again.text).toMatch(/code=/);
  expect((await keycloak.sessions('ada')).length).toBeGreaterThan(0);
  expect(agent.refused).toEqual([]);
});

test('a refresh token is valid once, and a second use ends the session', async () => {
  const { refresh_token = '' } = await keycloak.tokens('ben');
  const refresh = (token: string) => keycloak.tokens('ben', { grant_type: 'refresh_token', refresh_token: token });
  const mark = keycloak.box.logs.mark();
  const next = await refresh(refresh_token);
  await expect(refresh(refresh_token)).rejects.toThrow(/invalid_grant/);
  await expect(refresh(next.refresh_token!)).rejects.toThrow(/invalid_grant/);
  await keycloak.settle();
  expect(keycloak.events('REFRESH_TOKEN_ERROR', mark)).toHaveLength(2);
  expect(keycloak.events('REFRESH_TOKEN', mark)).toHaveLength(1);
});

test('an administrator ends sessions, disables people and changes their groups', async () => {
  const groups = async () => decodeJwt(await keycloak.token('ben')).groups;
  expect(await groups()).toEqual(['confluence-readers', 'staff']);
  await keycloak.member('ben', 'staff', false);
  expect(await groups()).toEqual(['confluence-readers']);
  await keycloak.member('ben', 'staff', true);
  await keycloak.signOut('ben');
  expect(await keycloak.sessions('ben')).toEqual([]);
  await keycloak.enable('ben', false);
  await expect(keycloak.token('ben')).rejects.toThrow(/disabled/);
  await keycloak.enable('ben', true);
});

test('the end of a session is announced over the back channel', async () => {
  const agent = newAgent(stage);
  await keycloak.signIn(agent, await agent.visit(authorization()), 'cleo', { until: /\/callback\?/ });
  await rp.clear();
  await keycloak.signOut('cleo');
  await until(async () => (await rp.requests()).length > 0, { what: 'a call of the back channel' });
  const [told] = await rp.requests();
  const token = new URLSearchParams(told!.body?.text).get('logout_token')!;
  expect(told!.url).toBe('/backchannel');
  expect(decodeJwt(token)).toMatchObject({ iss: keycloak.issuer, aud: 'wiki', sub: 'cleo', sid: expect.any(String) });
});

describe('a client authenticates', () => {
  const grant = { grant_type: 'password', username: 'ben', password: 'ben', scope: 'openid' };

  test('by a key', async () => {
    const assertion = await new SignJWT({ jti: randomBytes(8).toString('hex') })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .setIssuer('wiki-jwt')
      .setSubject('wiki-jwt')
      .setAudience(keycloak.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key.privateKey);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const answer = await keycloak.post('token', {
      ...grant,
      client_assertion_type: type,
      client_assertion: assertion,
    });
    expect(answer.status, answer.text).toBe(200);
  });

  test('by a certificate, and is refused with another one', async () => {
    const ask = async (commonName: string) => {
      const { pem } = await stage.ca.issue({ commonName });
      return (await keycloak.post('token', { ...grant, client_id: 'wiki-tls' }, pem)).status;
    };
    expect([await ask('wiki-tls'), await ask('other')]).toEqual([200, 401]);
  });
});

test('a device signs in by its code', async () => {
  const started = (await keycloak.post('auth/device', { client_id: 'wiki-cli', scope: 'openid' })).json();
  const { device_code, verification_uri_complete } = started;
  const form = { client_id: 'wiki-cli', device_code, grant_type: 'urn:ietf:params:oauth:grant-type:device_code' };
  expect((await keycloak.post('token', form)).json().error).toBe('authorization_pending');
  const agent = newAgent(stage);
  const page = await agent.visit(verification_uri_complete);
  const requested = await keycloak.signIn(agent, page, 'ada');
  await agent.submit(requested, { accept: 'Yes' });
  const answer = await until(
    async () => {
      const answer = await keycloak.post('token', form);
      return answer.status === 200 && answer;
    },
    { what: 'the token of the device that was approved', help: () => requested.text.slice(0, 3000) },
  );
  expect(decodeJwt(answer.json().access_token)).toMatchObject({ sub: 'ada', groups: ['confluence-editors', 'staff'] });
});
