/**
 * docs/examples/three-meshes.yaml with other addresses, issuers and files, and nothing else: the gateway in front of an
 * Envoy for each mesh, and the services behind them.
 */
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { readSigningKeys } from '../../src/assertion/signing-keys.ts';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  createKey,
  expectCleanLog,
  gatewayCase,
  jsonLines,
  mcpTransport,
  newAgent,
  rawRequest,
  ready,
  readyToSignIn,
  Sealer,
  type Sent,
  stageFetch,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  startMcp,
  startSso,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';
import { reported } from '../security/trap-fixture.ts';
import { claimed, hiding } from '../unit/caller/hidden-tokens.ts';

const WIKI = 'confluence.example.com';
const BOARD = 'grafana.example.com';
const TOOLS = 'mcp.example.com';
const HEADER = 'X-Gateway-Authorization';
const TENANT = '11111111-2222-3333-4444-555555555555';
const JWKS = '/run/ingress/jwks.json';
const RING = '/run/secrets/session.jwks';
const MESHES = ['istio', 'linkerd', 'consul'] as const;

const stage = await testStage('example');
const [issuers, confluence, synchrony, grafana, pages] = await Promise.all([
  startIssuer(stage),
  startEcho(stage, { alias: 'confluence' }),
  startEcho(stage, { alias: 'synchrony' }),
  startEcho(stage, { alias: 'grafana' }),
  startMcp(stage, 'pages'),
]);
const echoes = [confluence, synchrony, grafana];
const [okta, entra] = await Promise.all([issuers.create('oauth2/default'), issuers.create(`${TENANT}/v2.0`)]);

/** The ingress of the tests is an Envoy, which has files of its own. */
const own = `own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443, assertion_jwks_file: ${JWKS} }`;

/** The example with the addresses, issuers and files of the tests. The kinds of the example follow from its issuers. */
const policyFor = (oktaUrl: string) => ({
  text: readFileSync('docs/examples/three-meshes.yaml', 'utf8'),
  overlay: `
gateway: { public_port: 8443 }
providers:
  okta: { kind: okta, issuer: "${oktaUrl}", ca_file: /run/provider/ca.pem }
  entra: { kind: entra, issuer: "${entra.url}", ca_file: /run/provider/ca.pem }
meshes:
${MESHES.map((mesh) => `  ${mesh}: { ingress: { ${own} } }`).join('\n')}
services:
  confluence: { endpoint: "confluence:8080" }
  synchrony: { endpoint: "synchrony:8080" }
  grafana: { endpoint: "grafana:8080" }
  pages: { endpoint: "pages:8080" }
`,
});
const policy = policyFor(okta.url);
const keyFile = await newSigningKeys(Date.now() / 1000);
const keys = await readSigningKeys(keyFile);
if (typeof keys === 'string') throw new Error(keys);
const ring = newRing(Math.floor(Date.now() / 1000) - 7200);
const envoys = await Promise.all(
  MESHES.map((mesh) => startEnvoy(stage, { policy, mesh, files: { [JWKS]: keys.published } })),
);
// The gateway starts after the ingresses: nginx looks up an unknown name again only seconds later.
const gateway = await startGateway(stage, {
  policy,
  files: { '/run/secrets/assertion.jwks': keyFile, [RING]: ring },
});
const setup = { gateway, echoes };

const sealer = await Sealer.of(gateway.policy, ring);
const ANN = { sub: 'ann', groups: ['staff', 'confluence-editors'], email: 'ann@example.com', email_verified: true };
const session = (host: string, provider: string, claims: object) =>
  sealer.cookie(host, sealer.session(provider, claims as typeof ANN));
const PARTNERS = 'aaaaaaaa-0000-0000-0000-000000000001';
const VIEWERS = 'aaaaaaaa-0000-0000-0000-000000000002';
const partner = { sub: 'pairwise', oid: '0000-bob', tid: TENANT, groups: [PARTNERS] };
const cookies = {
  ann: await session(WIKI, 'okta', ANN),
  ben: await session(WIKI, 'okta', { sub: 'ben', groups: ['staff'] }),
  bob: await session(WIKI, 'entra', partner),
  annAtBoard: await session(BOARD, 'okta', ANN),
  viewer: await session(BOARD, 'entra', { ...partner, oid: '0000-vic', groups: [VIEWERS] }),
};
const MCP = `https://${TOOLS}/mcp`;
const tokenOf = (claims: object, aud = 'api://apps') =>
  okta.sign({ ver: 1, aud, uid: '00u1', cid: '0oa9program', scp: ['openid'], ...claims }, { header: { typ: 'JWT' } });
const tokens = {
  ann: await tokenOf(ANN),
  bob: await entra.sign({
    ...partner,
    ...{ aud: '66666666-7777-8888-9999-000000000000', ver: '2.0', azp: '9999', scp: 'wiki' },
  }),
  bot: await tokenOf({ sub: 'ann', groups: ['staff'], cid: '0oa2pagesbot' }, MCP),
  person: await tokenOf({ sub: 'ann', groups: ['staff'] }, MCP),
};

beforeAll(async () => {
  await ready(gateway, WIKI, { path: '/display/HOME', token: tokens.ann });
  await ready(gateway, WIKI, { path: '/display/HOME', token: tokens.bob });
  await ready(gateway, WIKI, { path: '/synchrony/heartbeat' });
  await ready(gateway, BOARD, { path: '/d/home', token: tokens.ann });
  await until(async () => (await gateway.send(TOOLS, { path: '/mcp', token: tokens.person })).status < 500, {
    what: 'the MCP server to be reached',
    help: () => gateway.box.logs.tail(),
  });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const PAT = 'Bearer NDc4NDkyNDg3ODE3OstHYSeYC1HgXqRacSqvUbookcZk';
const BASIC = `Basic ${base64('ada:secret')}`;
const OAUTH = 'OAuth oauth_consumer_key="jira", oauth_token="", oauth_signature="tR3%2BTy81lMeYAr%3D"';
const GLSA = 'Bearer glsa_HOruNAb7SOiCdshU8algkrq7FDsNSLAa_55e2f8be';
/** Texts that no log line may contain. */
const forbidden = [
  /NDc4NDkyNDg3/,
  /YWRhOnNlY3JldA/,
  /tR3%2BTy81lMeYAr/,
  /glsa_HOru/,
  /oauth_token/,
  /__Host-Http-meshgate/,
];

const DOMAINS = {
  istio: 'wiki.example.org/ns/edge/sa',
  linkerd: 'cluster.local/ns/edge/sa',
  consul: `${TENANT}.consul/ns/default/dc/dc1/svc`,
};
/** The SPIFFE id of an identity. */
const svid = (mesh: keyof typeof DOMAINS, identity: string) =>
  `spiffe://${DOMAINS[mesh]}/${identity === 'default' ? 'gateway' : identity}`;

const IDENTITY = ['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Roles', 'X-WEBAUTH-USER', 'X-WEBAUTH-ROLE'];
const ASSERTION = 'X-Meshgate-Assertion';
const GATEWAYS = ['Cookie', HEADER, 'X-Gateway_Authorization', 'X-Meshgate-Service-Credential'];

interface Passing {
  readonly name: string;
  readonly host: string;
  readonly request: Sent;
  /** Service, mesh, identity and rule. */
  readonly to: readonly [service: string, mesh: keyof typeof DOMAINS, identity: string, rule: string];
  /** The scheme of the service's credential, which arrives as it was sent. */
  readonly scheme?: string;
  /** The identity headers; without them, the caller is anonymous. */
  readonly caller?: Readonly<Record<string, string>>;
  /** The caller in the log. */
  readonly user?: string;
}

/** A request that passes: what the service receives, and what the log says. */
function passes({ name, host, request, to, scheme = '', caller = {}, user = '' }: Passing): void {
  const [service, mesh, identity, rule] = to;
  const sent = (request.headers as Record<string, string> | undefined)?.Authorization;
  const known = Object.keys(caller);
  gatewayCase(setup, {
    name,
    host,
    request,
    status: 200,
    upstream: {
      service,
      headers: {
        ...caller,
        ...(scheme === '' ? {} : { Authorization: sent! }),
        ...(user === '' ? {} : { [ASSERTION]: /^ey[\w-]+\.[\w-]+\.[\w-]+$/ }),
        'X-Meshgate-Rule': `${host}${rule}`,
        'X-Forwarded-Client-Cert': new RegExp(`URI=${svid(mesh, identity)}(;|$)`),
      },
      absent: [
        ...GATEWAYS,
        ...IDENTITY.filter((it) => !known.includes(it)),
        ...(scheme === '' ? ['Authorization'] : []),
        ...(user === '' ? [ASSERTION] : []),
      ],
    },
    log: {
      fields: {
        'user.id': user,
        'meshgate.rule': `${host}${rule}`,
        'meshgate.mesh': mesh,
        'meshgate.identity': identity,
        'meshgate.service': service,
        'meshgate.service_credential': scheme,
      },
      forbidden,
    },
  });
}

const ann = { 'X-Forwarded-User': 'okta-ann', 'X-Forwarded-Email': 'ann@example.com' };

describe('Confluence: a credential of its own arrives alone', () => {
  for (const [name, scheme, header] of [
    ['a personal access token', 'bearer', PAT],
    ['a password', 'basic', BASIC],
    ['OAuth 1 of an application link', 'oauth', OAUTH],
  ] as const) {
    passes({
      name: `${name}, of an anonymous caller`,
      host: WIKI,
      request: { path: '/rest/api/space', headers: { Authorization: header } },
      to: ['confluence', 'istio', 'default', '/rest/*#3'],
      scheme,
    });
  }

  passes({
    name: 'OAuth 1, to get a token',
    host: WIKI,
    request: { method: 'POST', path: '/plugins/servlet/oauth/request-token', headers: { Authorization: OAUTH } },
    to: ['confluence', 'istio', 'default', '/plugins/servlet/oauth/*#1'],
    scheme: 'oauth',
  });

  passes({
    name: 'a personal access token, to download an attachment',
    host: WIKI,
    request: { path: '/download/attachments/1/plan.pdf', headers: { Authorization: PAT } },
    to: ['confluence', 'istio', 'default', '/download/*#3'],
    scheme: 'bearer',
  });

  const attachment = Buffer.alloc(30 * 1024 * 1024, 'meshgate');
  passes({
    name: 'a personal access token, to upload an attachment of 30 MB',
    host: WIKI,
    request: {
      method: 'POST',
      path: '/rest/api/content/1/child/attachment',
      headers: { Authorization: PAT, 'X-Atlassian-Token': 'no-check' },
      body: attachment,
    },
    to: ['confluence', 'istio', 'default', '/rest/api/content/*#3'],
    scheme: 'bearer',
  });

  for (const [path, bytes] of [
    ['/rest/api/space', 20 * 1024 * 1024 + 1],
    ['/rest/api/content/1/child/attachment', 500 * 1024 * 1024 + 1],
  ] as const) {
    gatewayCase(setup, {
      name: `a body of ${bytes} bytes is too large for ${path}`,
      host: WIKI,
      request: {
        raw: rawRequest(`POST ${path} HTTP/1.1`, [
          ['Host', WIKI],
          ['Authorization', PAT],
          ['Content-Length', String(bytes)],
        ]),
      },
      status: 413,
      log: { expected: [/client intended to send too large body/], forbidden },
    });
  }
});

describe('Confluence: callers of the gateway', () => {
  passes({
    name: 'an editor of Okta has the identity of editors',
    host: WIKI,
    request: { method: 'DELETE', path: '/pages/1', headers: { Cookie: cookies.ann } },
    to: ['confluence', 'istio', 'editor', '/*#1'],
    caller: { ...ann, 'X-Forwarded-Roles': 'staff,editor' },
    user: 'okta-ann',
  });

  passes({
    name: 'staff of Okta has the default identity',
    host: WIKI,
    request: { path: '/display/HOME', headers: { Cookie: cookies.ben, 'X-Forwarded-User': 'okta-ann' } },
    to: ['confluence', 'istio', 'default', '/*#2'],
    caller: { 'X-Forwarded-User': 'okta-ben', 'X-Forwarded-Roles': 'staff' },
    user: 'okta-ben',
  });

  for (const [name, request] of [
    ['a session', { headers: { Cookie: cookies.bob } }],
    ['a token', { token: tokens.bob }],
  ] as const) {
    passes({
      name: `a partner of Entra ID with ${name}`,
      host: WIKI,
      request: { path: '/display/HOME', ...request },
      to: ['confluence', 'istio', 'default', '/*#2'],
      caller: { 'X-Forwarded-User': 'entra-0000-bob', 'X-Forwarded-Roles': 'staff' },
      user: 'entra-0000-bob',
    });
  }

  for (const [scheme, header] of [
    ['bearer', PAT],
    ['basic', BASIC],
  ] as const) {
    passes({
      name: `${scheme} beside the session of an editor: both arrive`,
      host: WIKI,
      request: { method: 'PUT', path: '/rest/api/content/1', headers: { Authorization: header, Cookie: cookies.ann } },
      to: ['confluence', 'istio', 'editor', '/rest/api/content/*#1'],
      scheme,
      caller: { ...ann, 'X-Forwarded-Roles': 'staff,editor' },
      user: 'okta-ann',
    });
  }

  passes({
    name: 'a personal access token beside a token of Okta in the header of the policy: both arrive',
    host: WIKI,
    request: { path: '/rest/api/space', headers: { Authorization: PAT, [HEADER]: `Bearer ${tokens.ann}` } },
    to: ['confluence', 'istio', 'editor', '/rest/*#1'],
    scheme: 'bearer',
    caller: { ...ann, 'X-Forwarded-Roles': 'staff,editor' },
    user: 'okta-ann',
  });

  passes({
    name: 'a token of Okta decides where credentials of Confluence pass, and does not arrive',
    host: WIKI,
    request: { path: '/rest/api/space', token: tokens.ann },
    to: ['confluence', 'istio', 'editor', '/rest/*#1'],
    caller: { ...ann, 'X-Forwarded-Roles': 'staff,editor' },
    user: 'okta-ann',
  });

  gatewayCase(setup, {
    name: 'a group of Entra ID does not count at Okta',
    host: WIKI,
    request: async () => ({ path: '/display/HOME', token: await tokenOf({ sub: 'eve', groups: [PARTNERS] }) }),
    status: 403,
    reason: 'role_missing',
    log: { forbidden },
  });

  gatewayCase(setup, {
    name: 'an editor who is no administrator is refused',
    host: WIKI,
    request: { path: '/admin/users', headers: { Cookie: cookies.ann } },
    status: 403,
    reason: 'role_missing',
    log: { forbidden },
  });
});

describe('Synchrony', () => {
  const page = `https://${WIKI}:8443/display/HOME`;
  const open = async (cookie: string, from: string) => {
    const agent = newAgent(stage);
    agent.setCookie(`${cookie}; Path=/; Secure`, page);
    return agent.webSocket(`wss://${WIKI}:8443/synchrony/v1/bayeux-sync1`, { from });
  };

  test.each([
    ['an editor', cookies.ann, 'editor', 'okta-ann'],
    ['staff', cookies.ben, 'default', 'okta-ben'],
  ])('%s opens a WebSocket, through Istio', async (_, cookie, identity, user) => {
    await synchrony.clear();
    const mark = await waitForWorkers(gateway, WIKI);
    const { answer, socket } = await open(cookie, page);
    expect(answer.status).toBe(101);
    let heard = '';
    socket!.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    // "hello", masked with zeros (RFC 6455 section 5.2).
    socket!.write(Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]));
    await until(() => heard.includes('\x81\x05hello'), { what: 'the message of the WebSocket' });
    socket!.destroy();
    const [received] = await synchrony.requests();
    expect(received?.upgrade).toBe('websocket');
    expect(valuesOf(received!, 'X-Forwarded-User')).toEqual([user]);
    expect(valuesOf(received!, ASSERTION)).toHaveLength(1);
    expect(valuesOf(received!, 'X-Forwarded-Client-Cert').join()).toContain(`URI=${svid('istio', identity)}`);
    const path = '"url.path":"/synchrony/v1/bayeux-sync1".*"http.response.status_code":101';
    await gateway.box.logs.waitFor(new RegExp(`${path}.*"meshgate.identity":"${identity}"`), mark);
    await expectCleanLog(gateway, mark);
  });

  test('a page of another origin opens none, although the person is signed in', async () => {
    await synchrony.clear();
    const { answer } = await open(cookies.ann, 'https://evil.example/');
    expect([answer.status, await synchrony.requests()]).toEqual([403, []]);
  });

  passes({
    name: 'anyone may ask whether it lives',
    host: WIKI,
    request: { path: '/synchrony/heartbeat' },
    to: ['synchrony', 'istio', 'default', '/synchrony/heartbeat#1'],
  });
});

describe('Grafana', () => {
  const forged = {
    'X-WEBAUTH-USER': 'root',
    'X-WEBAUTH-ROLE': 'Admin',
    X_WEBAUTH_USER: 'root',
    'X-Webauth_Role': 'Admin',
  };

  passes({
    name: 'a viewer of Entra ID, by the headers of auth.proxy',
    host: BOARD,
    request: { path: '/d/home', headers: { Cookie: cookies.viewer, ...forged } },
    to: ['grafana', 'linkerd', 'default', '/*#2'],
    caller: { 'X-WEBAUTH-USER': 'entra-0000-vic', 'X-WEBAUTH-ROLE': 'Viewer' },
    user: 'entra-0000-vic',
  });

  passes({
    name: 'an editor of Okta, by the headers of auth.proxy',
    host: BOARD,
    request: { path: '/d/home', headers: { Cookie: cookies.annAtBoard } },
    to: ['grafana', 'linkerd', 'default', '/*#1'],
    caller: { 'X-WEBAUTH-USER': 'okta-ann', 'X-WEBAUTH-ROLE': 'Editor' },
    user: 'okta-ann',
  });

  passes({
    name: 'the token of a service account arrives alone, without a name and a role',
    host: BOARD,
    request: { path: '/api/dashboards/home', headers: { Authorization: GLSA, ...forged } },
    to: ['grafana', 'linkerd', 'default', '/api/*#3'],
    scheme: 'bearer',
  });

  gatewayCase(setup, {
    name: 'the token of a service account is not enough for queries',
    host: BOARD,
    request: { method: 'POST', path: '/api/ds/query', headers: { Authorization: GLSA } },
    status: 401,
    reason: 'credential_missing',
    log: { fields: { 'meshgate.service_credential': '' }, forbidden },
  });

  for (const [name, beside] of [
    ['a session', { Cookie: cookies.annAtBoard }],
    ['a token of Okta', { [HEADER]: `Bearer ${tokens.ann}` }],
  ] as const) {
    passes({
      name: `the token of a service account beside ${name}: both arrive`,
      host: BOARD,
      request: { method: 'POST', path: '/api/ds/query', headers: { Authorization: GLSA, ...beside } },
      to: ['grafana', 'linkerd', 'default', '/api/ds/*#1'],
      scheme: 'bearer',
      caller: { 'X-WEBAUTH-USER': 'okta-ann', 'X-WEBAUTH-ROLE': 'Editor' },
      user: 'okta-ann',
    });
  }
});

describe('the MCP server', () => {
  const call = (tool: string, headers: Record<string, string> = {}): Sent => ({
    method: 'POST',
    path: '/mcp',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...{ 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': tool },
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } }),
  });

  test('an agent calls the tools of its rule for a person, through Consul, and no others', async () => {
    await pages.forget();
    const mark = await waitForWorkers(gateway, TOOLS);
    const consul = envoys[2]!;
    const seen = consul.box.logs.mark();
    const client = new Client(
      { name: 'tests', version: '1.0.0' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const fetch = stageFetch(stage);
    const requestInit = { headers: { Authorization: `Bearer ${tokens.bot}` } };
    await client.connect(mcpTransport(stage, `https://${TOOLS}:8443/mcp`, { fetch, requestInit }));
    const found = await client.callTool({ name: 'search_pages', arguments: { text: 'nginx' } });
    expect(found.content).toEqual([{ type: 'text', text: 'found nginx' }]);
    await expect(client.callTool({ name: 'delete_page', arguments: { id: '1' } })).rejects.toThrow(/tool_refused|403/);
    expect(await pages.calls()).toEqual([{ tool: 'search_pages', user: 'okta-ann' }]);
    const line = /"gen_ai.tool.name":"search_pages"/;
    const logged = jsonLines([await gateway.box.logs.waitFor(line, mark)])[0];
    expect(logged).toMatchObject({
      ...{ 'user.id': 'okta-ann', 'meshgate.agent': 'pages-bot', 'meshgate.rule': `${TOOLS}/mcp#1` },
      ...{ 'meshgate.mesh': 'consul', 'meshgate.identity': 'default' },
    });
    await until(() => consul.access(seen).length > 0, { what: 'a line of the ingress of Consul' });
    const uris = consul.access(seen).map((it) => it.downstream_peer_uri_san);
    expect(new Set(uris)).toEqual(new Set([svid('consul', 'default')]));
    await expectCleanLog(gateway, mark);
  });

  test('the ingress of Consul accepts no request of the gateway’s identity without its assertion', async () => {
    await pages.forget();
    const { pem } = await stage.meshCa.client(svid('consul', 'default'));
    const answer = await envoys[2]!.send(pem, 'pages.virtual.consul', call('search_pages'));
    expect([[401, 403].includes(answer.status), await pages.calls()]).toEqual([true, []]);
  });

  for (const [name, token, reason, status] of [
    ['a tool that the rule does not name', tokens.bot, 'tool_refused', 403],
    ['a token for another audience', tokens.ann, 'audience_mismatch', 401],
  ] as const) {
    gatewayCase(setup, {
      name: `${name} is refused`,
      host: TOOLS,
      request: { ...call('delete_page'), token },
      status,
      reason,
      log: { forbidden },
    });
  }
});

test('the assertion names the caller, the roles and the identity, for one service', async () => {
  const jwks = createLocalJWKSet(JSON.parse(keys.published));
  for (const [host, path, cookie, service, expected] of [
    [WIKI, '/display/HOME', cookies.ann, 'confluence', { sub: 'okta-ann', provider: 'okta', as: 'editor' }],
    [WIKI, '/synchrony/x', cookies.bob, 'synchrony', { sub: 'entra-0000-bob', provider: 'entra', as: 'default' }],
    [BOARD, '/d/home', cookies.viewer, 'grafana', { sub: 'entra-0000-vic', roles: ['viewer'], as: 'default' }],
  ] as const) {
    const echo = echoes.find(({ alias }) => alias === service)!;
    await echo.clear();
    expect((await gateway.send(host, { path, headers: { Cookie: cookie } })).status).toBe(200);
    const [assertion] = valuesOf((await echo.requests())[0]!, ASSERTION);
    const issuer = `https://${WIKI}`;
    const { payload } = await jwtVerify(assertion!, jwks, { issuer, audience: service, typ: 'meshgate+jwt' });
    expect(payload).toMatchObject(expected);
  }
});

describe('a sign-in at a real provider', async () => {
  // A network of its own, because the hosts have the same names.
  const other = await testStage('example, sign-in');
  const origin = `https://${WIKI}:8443`;
  const [sso, wiki] = await Promise.all([
    startSso(other, { origins: [origin], names: ['okta', 'entra'], id: '0oa1meshgate' }),
    startEcho(other, { alias: 'confluence' }),
  ]);
  const signing = policyFor(sso.issuer);
  await startEnvoy(other, { policy: signing, mesh: 'istio', files: { [JWKS]: keys.published } });
  const files = { '/run/secrets/assertion.jwks': keyFile, '/run/secrets/okta': ssoSecret };
  const ingress = await startGateway(other, { policy: signing, files });
  const choice = `${origin}/.meshgate/signin?in&provider=okta&to=/display/HOME`;
  beforeAll(() => readyToSignIn(other, ingress, choice, sso.issuer));

  test('a person chooses Okta, signs in, and is an editor of Confluence', async () => {
    const agent = newAgent(other);
    const chooser = await agent.visit(`${origin}/display/HOME`);
    const names = [...chooser.document.querySelectorAll('ul.choices a')].map((link) => link.textContent.trim());
    expect(names.map((name) => name.replace(/\s+/g, ' '))).toEqual([
      expect.stringContaining('Example staff'),
      expect.stringContaining('Partners'),
    ]);
    await wiki.clear();
    const page = await sso.signIn(agent, await agent.click(chooser, 'ul.choices a'), 'ada');
    expect([page.status, page.url]).toEqual([200, `${origin}/display/HOME`]);
    const received = (await wiki.requests()).at(-1)!;
    expect(IDENTITY.flatMap((name) => valuesOf(received, name))).toEqual([
      'okta-ada',
      'ada@example.org',
      'staff,editor',
    ]);
    expect(valuesOf(received, 'X-Forwarded-Client-Cert').join()).toContain(`URI=${svid('istio', 'editor')}`);
    expect(valuesOf(received, 'Cookie')).toEqual([]);
  });
});

describe('attempts to be accepted as a caller by a credential of a service', () => {
  interface Attempt {
    readonly name: string;
    readonly host: string;
    readonly sent: Sent;
    /** The request passes, but the service learns of no caller. */
    readonly anonymous: boolean;
  }
  const attempts: Attempt[] = [];
  /** Headers by which a client could name itself. */
  const named = Object.fromEntries([...IDENTITY, 'X-Meshgate-Caller', ASSERTION].map((name) => [name, 'okta-ann']));

  const add = (name: string, host: string, method: string, path: string, header: string, anonymous = false) => {
    const headers = { Authorization: header, ...(anonymous ? named : {}) };
    attempts.push({ name: `${method} ${host}${path}: ${name}`, host, sent: { method, path, headers }, anonymous });
  };

  // Routes that need a caller and pass no credential on.
  const closed: readonly (readonly [string, string, string])[] = [
    [WIKI, 'GET', '/display/HOME'],
    [WIKI, 'POST', '/pages/createpage.action'],
    [WIKI, 'DELETE', '/pages/1'],
    [WIKI, 'GET', '/admin/users'],
    [WIKI, 'GET', '/synchrony/v1/bayeux-sync1'],
    [BOARD, 'GET', '/d/home'],
    [BOARD, 'GET', '/api/live/ws'],
    [BOARD, 'PUT', '/api/admin/settings'],
    [TOOLS, 'POST', '/mcp'],
  ];
  for (const [host, method, path] of closed) {
    for (const header of [PAT, GLSA, BASIC, OAUTH, 'Token x']) {
      add(header.slice(0, 12), host, method, path, header);
    }
  }
  const form = (start: string) => claimed.filter(([, header]) => header.startsWith(start));
  // Routes that pass another form on, or that need a caller beside it.
  for (const [name, header] of [...form('Basic'), ...form('Token')])
    add(name, WIKI, 'GET', '/plugins/servlet/oauth/x', header);
  for (const [name, header] of [...form('Basic'), ...form('OAuth')]) add(name, BOARD, 'GET', '/api/search', header);
  for (const [name, header] of form('Bearer')) add(name, BOARD, 'POST', '/api/ds/query', header);
  // Routes that pass it on: the request passes, and its names count for nothing.
  for (const [name, header] of form('OAuth')) add(name, WIKI, 'POST', '/plugins/servlet/oauth/x', header, true);
  for (const [name, header] of form('Basic').slice(0, 10)) add(name, WIKI, 'PUT', '/rest/api/content/1', header, true);
  for (const [name, header] of form('Bearer')) add(name, BOARD, 'GET', '/api/search', header, true);

  beforeAll(async () => {
    const mallory = await createKey('RS256', { kid: okta.key.jwk.kid as string });
    const claims = { aud: 'api://apps', ...ANN };
    const bad = [
      ['a forged token', await okta.sign(claims, { key: mallory })],
      ['an expired token', await okta.sign({ ...claims, iat: 1_700_000_000, exp: 1_700_000_060 })],
      ['a good token', tokens.ann],
      ['a token of the other provider', tokens.bob],
    ] as const;
    for (const [what, token] of bad) {
      for (const [name, hide] of hiding) add(`${what} ${name}`, WIKI, 'GET', '/rest/api/space', hide(token));
    }
    for (const [name, hide] of hiding) add(`a good token ${name}`, BOARD, 'GET', '/api/search', hide(tokens.ann));
  });

  test('there are at least 200, and all fail', async () => {
    expect(attempts.length).toBeGreaterThanOrEqual(200);
    expect(new Set(attempts.map(({ name }) => name)).size).toBe(attempts.length);
    await Promise.all(echoes.map((echo) => echo.clear()));
    await pages.forget();
    const mark = await waitForWorkers(gateway, WIKI);
    const agents = new Map([WIKI, BOARD, TOOLS].map((host) => [host, gateway.keepAlive(host)]));
    const answers: string[] = [];
    for (const [at, { host, sent }] of attempts.entries()) {
      const path = `${sent.path}?attempt=${at}`;
      answers.push(reported(await gateway.send(host, { ...sent, path, agent: agents.get(host)! })));
    }
    for (const agent of agents.values()) agent.destroy();
    const received = (await Promise.all(echoes.map((echo) => echo.requests()))).flat();

    const wrong = attempts.flatMap(({ name, sent, anonymous }, at) => {
      const reached = received.filter(({ url }) => url.endsWith(`?attempt=${at}`));
      const told = reached.flatMap((one) => [...IDENTITY, ASSERTION].flatMap((header) => valuesOf(one, header)));
      const header = (sent.headers as Record<string, string>).Authorization;
      const passed = reached.length === 1 && valuesOf(reached[0]!, 'Authorization').join() === header;
      const failed = anonymous
        ? answers[at] === '200 -' && passed && told.length === 0
        : /^401 \w+$/.test(answers[at]!) && reached.length === 0;
      return failed ? [] : [`${name}: ${answers[at]}, ${reached.length} reached, ${told.join()}`];
    });
    expect(wrong).toEqual([]);
    expect(await pages.calls()).toEqual([]);

    const end = await waitForWorkers(gateway, WIKI);
    const lines = jsonLines(gateway.box.logs.since(mark).slice(0, end - mark));
    expect(lines).toHaveLength(attempts.length);
    expect(lines.filter((line) => line['user.id'] !== '' || line['user.roles'] !== '')).toEqual([]);
    const secrets = [...forbidden, new RegExp(tokens.ann.split('.')[2]!), new RegExp(tokens.bob.split('.')[2]!)];
    const all = gateway.box.logs.since(mark).slice(0, end - mark);
    expect(all.filter((line) => secrets.some((secret) => secret.test(line)))).toEqual([]);
  });

  test('the same requests with a session pass as its caller, so the attempts are near', async () => {
    for (const [host, path, cookie, service] of [
      [WIKI, '/display/HOME', cookies.ann, confluence],
      [WIKI, '/synchrony/v1/bayeux-sync1', cookies.ann, synchrony],
      [BOARD, '/d/home', cookies.annAtBoard, grafana],
    ] as const) {
      await service.clear();
      expect(reported(await gateway.send(host, { path, headers: { ...named, Cookie: cookie } }))).toBe('200 -');
      const last = (await service.requests()).at(-1);
      const told = IDENTITY.flatMap((header) => valuesOf(last!, header));
      expect(told).toContain('okta-ann');
    }
  });
});
