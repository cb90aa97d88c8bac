/** Grafana with its profile: a stand-in that behaves as Grafana's documentation says, behind a real gateway and provider. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import {
  callAdmin,
  expectCleanLog,
  MANY_SIGNINS,
  newAgent,
  readyToSignIn,
  send,
  startGateway,
  startService,
  startSso,
  testStage,
  type UserAgent,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const host = 'grafana.example.com';
const proxied = 'grafana-proxy.example.com';
const home = `https://${host}:8443`;
const KEYS = '/run/secrets/assertion.jwks';
/** The machine of the tests is a proxy that the gateway trusts. */
const CI = { 'X-Forwarded-For': '192.0.2.7' };
const PROMETHEUS = { 'X-Forwarded-For': '192.0.2.8' };
const ADMINS = { 'X-Forwarded-For': '198.51.100.7' };
const STRANGER = { 'X-Forwarded-For': '203.0.113.9' };

const policy = `
version: 1
gateway:
  public_port: 8443
  trusted_proxies: [172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8]
  insecure_proxied_networks: true
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  assertion: { issuer: "${home}", keys_file: ${KEYS} }
  signin: { ${MANY_SIGNINS} }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    audiences: [api://wiki]
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
services:
  grafana: { insecure_url: "http://grafana:3000", authority: ${host} }
  other: { insecure_url: "http://grafana:3001", authority: ${proxied} }
profiles:
  - use: grafana
    host: ${host}
    service: grafana
    roles:
      viewer: { group: staff }
      editor: { group: editors }
      admin: { group: grafana-admins }
      break_glass: { network: [198.51.100.7/32] }
    options: { tokens_from: [192.0.2.7/32], metrics: [192.0.2.8/32], public: true }
  - use: grafana
    host: ${proxied}
    service: other
    roles: { viewer: { group: staff }, editor: { group: editors }, admin: { group: grafana-admins } }
    options: { name: other, proxy_headers: true, tokens: true }
`;

const TOKEN = 'glsa_HOruNAb7SOiCdshU8algkrq7FDsNSLAa_54e2f8be';
const SHARED = '/public-dashboards/0123456789abcdef0123456789abcdef';
const PASSWORD = 'the local password';

/** What the guide writes into grafana.ini. */
const ini = /^```ini\n(\[server\][\s\S]*?)^```/m.exec(readFileSync('docs/grafana.md', 'utf8'))?.[1] ?? '';
const iniOf = (name: string) =>
  new RegExp(`^${name} = (.*)$`, 'm').exec(ini)?.[1]?.replaceAll(`https://${host}`, home) ?? '';

const settings = {
  rootUrl: iniOf('root_url'),
  signoutRedirectUrl: iniOf('signout_redirect_url'),
  jwt: {
    headerName: iniOf('header_name').toLowerCase(),
    jwkSetUrl: iniOf('jwk_set_url'),
    expectClaims: { ...JSON.parse(iniOf('expect_claims')), provider: 'sso' },
    usernameClaim: iniOf('username_claim'),
  },
  roleAttributePath: [...iniOf('role_attribute_path').matchAll(/contains\(roles\[\*\], '([\w-]+)'\) && '(\w+)'/g)].map(
    ([, name, role]) => [name, role],
  ),
  whitelist: '',
  tokens: { [TOKEN]: { login: 'sa-terraform', role: 'Editor' } },
  passwords: { root: PASSWORD },
};

const stage = await testStage('grafana');
const signing = await newSigningKeys(Date.now() / 1000);
const [sso, gateway, grafana] = await Promise.all([
  startSso(stage, { origins: [home, `https://${proxied}:8443`] }),
  startGateway(stage, { alias: host, policy, files: { '/run/secrets/sso': `${ssoSecret}\n`, [KEYS]: signing } }),
  startService(stage, 'grafana', {
    alias: 'grafana',
    files: { '/run/ca.pem': stage.ca.cert },
    env: { SETTINGS: JSON.stringify(settings), NODE_EXTRA_CA_CERTS: '/run/ca.pem' },
  }),
]);

let mark = 0;

async function signIn(person: string, path = '/d/abc/home', origin = home) {
  const agent = newAgent(stage);
  const form = await agent.visit(origin + path);
  return { agent, page: await sso.signIn(agent, form, person) };
}

const textOf = (page: { document: { querySelector(selector: string): { textContent: string } | null } }, id: string) =>
  page.document.querySelector(id)?.textContent;

const user = async (agent: UserAgent, headers: Record<string, string> = {}, origin = home) =>
  (await agent.fetch(`${origin}/api/user`, { from: `${origin}/d/abc/home`, headers })).json();

const ask = (path: string, headers: Record<string, string> = STRANGER, method = 'GET', at = host) =>
  gateway.send(at, { path, headers, method });

/** Requests that Grafana has received since the last call. */
async function received(): Promise<{ url: string; headers: [string, string][] }[]> {
  const all = await callAdmin(grafana, 'GET', '/requests');
  await callAdmin(grafana, 'DELETE', '/requests');
  return all;
}

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/d/abc/home`, 'https://sso:8443');
  await sso.change('ben', { groups: ['staff', 'editors'] });
  await sso.change('cleo', { groups: ['grafana-admins'] });
  await sso.change('eve', { groups: ['others'] });
  mark = await waitForWorkers(gateway, host);
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, host);
  await expectCleanLog(gateway, since);
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/glsa_HOru|eyJ[\w-]{10}/);
});

describe('with auth.jwt', () => {
  test.each([
    ['ada', 'Viewer'],
    ['ben', 'Editor'],
    ['cleo', 'Admin'],
  ])('%s is %s in Grafana, by the assertion that Grafana verifies with the keys of the gateway', async (name, role) => {
    const { agent, page } = await signIn(name);
    expect([page.status, textOf(page, '#user'), textOf(page, '#role')]).toEqual([200, name, role]);
    const administration = await agent.fetch(`${home}/api/serviceaccounts/search`, { from: `${home}/x` });
    expect(administration.status).toBe(role === 'Admin' ? 200 : 403);
  });

  test('people of no role see the denied page, and Grafana is not called', async () => {
    await received();
    expect((await signIn('eve')).page.status).toBe(403);
    expect(await received()).toEqual([]);
  });

  test('no header of a client gives an identity', async () => {
    const forged = {
      'X-Meshgate-Assertion': 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.',
      'X-WEBAUTH-USER': 'root',
      'X-WEBAUTH-ROLE': 'Admin',
    };
    const { agent } = await signIn('ada');
    expect(await user(agent, forged)).toEqual({ login: 'ada', role: 'Viewer' });
    expect((await ask('/api/user', { ...STRANGER, ...forged })).status).toBe(401);
    // The assertion of this person, which the service `other` receives, is not for Grafana.
    await received();
    await signIn('ada', '/d/abc/home', `https://${proxied}:8443`);
    const [, theirs = ''] =
      (await received()).at(-1)!.headers.find(([name]) => /^x-meshgate-assertion$/i.test(name)) ?? [];
    const port = { host: grafana.host, port: 3000, tls: false, name: host };
    expect(theirs).toMatch(/^eyJ/);
    for (const assertion of [theirs, forged['X-Meshgate-Assertion']]) {
      const answer = await send(port, { path: '/api/user', headers: { 'X-Meshgate-Assertion': assertion } });
      expect(answer.status).toBe(401);
    }
  });

  test('Live opens its WebSocket, for people who are signed in and for the own origin', async () => {
    const { agent } = await signIn('ada');
    const url = `wss://${host}:8443/api/live/ws`;
    const { answer, socket } = await agent.webSocket(url, { from: `${home}/d/abc/home` });
    expect(answer.status).toBe(101);
    const heard = new Promise<string>((resolve) => socket!.once('data', (data) => resolve(data.toString('latin1'))));
    // "hello", masked with zeros (RFC 6455 section 5.2).
    socket!.write(Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]));
    expect(await heard).toBe('\x81\x05hello');
    socket!.destroy();
    expect((await newAgent(stage).webSocket(url, { from: `${home}/x` })).answer.status).toBe(401);
    const Cookie = agent
      .cookies(home)
      .map(({ key, value }) => `${key}=${value}`)
      .join('; ');
    const stolen = { from: 'https://evil.example/x', headers: { Cookie } };
    expect((await newAgent(stage).webSocket(url, stolen)).answer.status).toBe(403);
  });

  test('pictures of panels, queries and the origin of forms reach Grafana', async () => {
    const { agent } = await signIn('ada');
    const from = `${home}/d/abc/home`;
    const picture = await agent.fetch(`${home}/render/d-solo/abc/home`, { from });
    expect([picture.status, picture.header('Content-Type')]).toEqual([200, 'image/png']);
    await received();
    const query = await agent.fetch(`${home}/api/ds/query`, { from, method: 'POST', body: '{}' });
    expect(query.json()).toEqual({ results: {}, by: 'ada' });
    const headers = new Map((await received()).at(-1)!.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect([headers.get('origin'), headers.get('host')?.split(':')[0]]).toEqual([home, host]);
  });

  test('people sign out of Grafana, of the gateway and of the provider', async () => {
    const { agent, page } = await signIn('ada');
    const asks = await agent.click(page, '#logout');
    expect(asks.url).toBe(`${home}/.meshgate/signout`);
    expect((await sso.confirm(agent, await agent.submit(asks))).status).toBe(200);
    expect((await agent.fetch(`${home}/api/user`, { from: `${home}/x` })).status).toBe(401);
  });

  test('tokens of service accounts pass from the address of the program, and Grafana verifies them', async () => {
    const token = { Authorization: `Bearer ${TOKEN}` };
    expect((await ask('/api/user', { ...CI, ...token })).json()).toEqual({ login: 'sa-terraform', role: 'Editor' });
    expect((await ask('/api/user', { ...CI, Authorization: 'Bearer glsa_forged' })).status).toBe(401);
    expect((await ask('/api/user', CI)).status).toBe(401);
    await received();
    expect((await ask('/api/user', { ...STRANGER, ...token })).status).toBe(401);
    expect((await ask('/d/abc/home', { ...CI, ...token })).status).toBe(401);
    expect((await ask('/api/serviceaccounts/search', { ...CI, ...token })).status).toBe(401);
    expect(await received()).toEqual([]);
  });

  test('anyone reads the health and shared dashboards, Prometheus reads the metrics', async () => {
    expect((await ask('/api/health')).json()).toEqual({ database: 'ok' });
    expect((await ask(SHARED)).status).toBe(200);
    expect((await ask('/public-dashboards/list')).status).toBe(401);
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/metrics', PROMETHEUS)).text).toBe('grafana_build_info 1\n');
    expect((await (await signIn('ada')).agent.fetch(`${home}/metrics`, { from: `${home}/x` })).status).toBe(403);
  });

  test('administrators use a local account from the address of break_glass', async () => {
    const login = await ask('/login', ADMINS);
    expect([login.status, login.text.includes('id="login"')]).toEqual([200, true]);
    const sent = await gateway.send(host, {
      method: 'POST',
      path: '/login',
      headers: { ...ADMINS, Origin: home, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ user: 'root', password: PASSWORD }).toString(),
    });
    const cookie = String(sent.header('Set-Cookie')).split(';')[0]!;
    expect(cookie).toMatch(/^grafana_session=/);
    expect((await ask('/api/user', { ...ADMINS, Cookie: cookie })).json()).toMatchObject({ login: 'root' });
    expect((await ask('/api/user', { ...STRANGER, Cookie: cookie })).status).toBe(401);
  });
});

describe('with auth.proxy', () => {
  const origin = `https://${proxied}:8443`;

  test('Grafana reads name and role from headers that no client can set', async () => {
    const { agent, page } = await signIn('ben', '/d/abc/home', origin);
    expect([textOf(page, '#user'), textOf(page, '#role')]).toEqual(['ben', 'Editor']);
    const forged = { 'X-WEBAUTH-USER': 'root', 'x-webauth-role': 'Admin', X_WEBAUTH_USER: 'root' };
    expect(await user(agent, forged, origin)).toEqual({ login: 'ben', role: 'Editor' });
    expect((await ask('/api/user', { ...STRANGER, ...forged }, 'GET', proxied)).status).toBe(401);
  });

  test('a token of a service account passes beside a session, and decides', async () => {
    const { agent } = await signIn('ada', '/d/abc/home', origin);
    const token = { Authorization: `Bearer ${TOKEN}` };
    expect(await user(agent, token, origin)).toEqual({ login: 'sa-terraform', role: 'Editor' });
    expect((await ask('/api/user', { ...STRANGER, ...token }, 'GET', proxied)).status).toBe(401);
  });
});
