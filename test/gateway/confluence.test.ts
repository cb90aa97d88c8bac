/** Confluence with its profile: a stand-in that behaves as Atlassian documents it, behind a real gateway and provider. */
import { createHash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { systemAsk } from '../../src/cli/machine/http.ts';
import {
  callAdmin,
  expectCleanLog,
  follow,
  type Gateway,
  inBox,
  localPort,
  MANY_SIGNINS,
  newAgent,
  newcomerImage,
  readGuide,
  readyToSignIn,
  send,
  startContainer,
  startGateway,
  startService,
  startSso,
  testStage,
  tlsOptions,
  type UserAgent,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';
import { meshgate } from '../unit/cli/fake.ts';

const host = 'wiki.example.com';
const home = `https://${host}:8443`;
const KEYS = '/run/secrets/assertion.jwks';
/** The address of Jira, and the one of break-glass: the machine of the tests is a proxy that the gateway trusts. */
const JIRA = { 'X-Forwarded-For': '192.0.2.7' };
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
  wiki: { insecure_url: "http://confluence:8090" }
  editor: { insecure_url: "http://confluence:8091" }
profiles:
  - use: confluence
    host: ${host}
    service: wiki
    roles:
      user: { group: staff }
      admin: { group: wiki-admins }
      break_glass: { network: [198.51.100.7/32] }
    options:
      synchrony: editor
      token_auth: true
      tokens: true
      applinks: [192.0.2.7/32]
`;

const signing = await newSigningKeys(Date.now() / 1000);
const { keys } = JSON.parse(signing) as { keys: Record<string, unknown>[] };
const PAT = 'NDc4NDkyNDg3ODE3OstHYSeYC1HgXqRacSqvUbookcZk';
const PASSWORD = 'the local password';
const settings = {
  connector: { proxyName: host, proxyPort: 8443, scheme: 'https' },
  baseUrl: home,
  logoutUrl: '/.meshgate/signout',
  assertion: { issuer: home, audience: 'wiki', keys: { keys: keys.map(({ d: _, ...key }) => key) } },
  tokens: { [PAT]: 'bot' },
  passwords: { root: { password: PASSWORD, groups: ['confluence-administrators'] } },
  link: { signature: 'tR3%2BTy81lMeYAr%3D', user: 'jira' },
};

const stage = await testStage('confluence');
const [sso, gateway, confluence, reader] = await Promise.all([
  startSso(stage, { origins: [home] }),
  startGateway(stage, { policy, files: { '/run/secrets/sso': `${ssoSecret}\n`, [KEYS]: signing } }),
  startService(stage, 'confluence', { alias: 'confluence', env: { SETTINGS: JSON.stringify(settings) } }),
  startContainer(stage, {
    image: newcomerImage,
    alias: 'reader',
    files: { '/etc/ssl/certs/ca-certificates.crt': stage.ca.cert },
    command: ['sh', '-c', 'echo ready; exec sleep infinity'],
    ready: /ready/,
  }),
]);

let mark = 0;
const expected: RegExp[] = [];

/** A browser in which a person opens a page and signs in for it. */
async function signIn(person: string, path = '/display/HOME', agent = newAgent(stage)) {
  const form = await agent.visit(home + path);
  return { agent, page: await sso.signIn(agent, form, person) };
}

const cookiesOf = (agent: UserAgent) =>
  agent
    .cookies(home)
    .map(({ key, value }) => `${key}=${value}`)
    .join('; ');

const textOf = (page: { document: { querySelector(selector: string): { textContent: string } | null } }, id: string) =>
  page.document.querySelector(id)?.textContent;

interface Noted {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** The last request that Confluence received for a path. */
async function last(path: string): Promise<Noted> {
  const all = (await callAdmin(confluence, 'GET', '/requests')) as Noted[];
  return all.findLast(({ url }) => url.split('?')[0] === path)!;
}

const headerOf = ({ headers }: Noted, name: string) =>
  headers.filter(([it]) => it.toLowerCase() === name.toLowerCase()).map(([, value]) => value);

const space = (agent: UserAgent, headers: Record<string, string> = {}) =>
  agent.fetch(`${home}/rest/api/space`, { from: `${home}/display/HOME`, headers });

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/display/HOME`, 'https://sso:8443');
  await sso.change('cleo', { groups: ['staff', 'wiki-admins'] });
  mark = await waitForWorkers(gateway, host);
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, host);
  await expectCleanLog(gateway, since, expected.splice(0));
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/NDc4NDkyNDg3|tR3%2BTy81|eyJ[\w-]{10}/);
});

describe('people', () => {
  test('sign in at the provider, and Confluence knows their name and groups by the assertion', async () => {
    const { page } = await signIn('ada', '/');
    expect([page.status, page.url]).toEqual([200, `${home}/display/HOME`]);
    expect([textOf(page, '#user'), textOf(page, '#groups'), textOf(page, '#base')]).toEqual([
      'ada',
      'confluence-users',
      'The base URL matches',
    ]);
    const { headers } = await last('/display/HOME');
    const seen = (name: string) => headerOf({ headers } as Noted, name);
    expect([seen('X-Forwarded-User'), seen('X-Forwarded-Roles')]).toEqual([['ada'], ['confluence-users']]);
    expect([seen('X-Forwarded-Host'), seen('X-Forwarded-Proto')]).toEqual([[host], ['https']]);
    expect(seen('Authorization')).toEqual([]);
  });

  test('who come to the login page of Confluence sign in at the gateway, and return to their page', async () => {
    const { page } = await signIn('ada', '/login.action?os_destination=%2Fdisplay%2FHOME');
    expect([page.url, textOf(page, '#user')]).toEqual([`${home}/display/HOME`, 'ada']);
  });

  test('cannot forge an identity', async () => {
    const { agent } = await signIn('ada');
    const forged = {
      'X-Forwarded-User': 'root',
      'X-Forwarded-Roles': 'confluence-administrators',
      'X-Meshgate-Assertion': 'x',
    };
    expect((await space(agent, forged)).header('X-AUSERNAME')).toBe('ada');
    const answer = await gateway.send(host, { path: '/rest/api/space', headers: { ...forged, ...STRANGER } });
    expect(answer.status).toBe(401);
  });

  test('without the group see the denied page, and Confluence is not called', async () => {
    await sso.change('eve', { groups: ['others'] });
    const { page } = await signIn('eve');
    expect(page.status).toBe(403);
  });

  test('who administer Confluence open the administration, and others do not', async () => {
    const { page } = await signIn('cleo', '/admin/console.action');
    expect([page.status, textOf(page, '#user')]).toEqual([200, 'cleo']);
    const roles = headerOf(await last('/admin/console.action'), 'X-Forwarded-Roles')[0]?.split(',');
    expect(roles).toEqual(expect.arrayContaining(['confluence-users', 'confluence-administrators']));
    for (const path of ['/admin/console.action', '/setup/setupstart.action']) {
      expect((await (await signIn('ada', path)).page).status, path).toBe(403);
    }
  });

  test('sign out of Confluence, of the gateway and of the provider', async () => {
    const { agent, page } = await signIn('ada');
    const asks = await agent.click(page, '#logout');
    expect([asks.status, asks.url]).toEqual([200, `${home}/.meshgate/signout`]);
    const back = await sso.confirm(agent, await agent.submit(asks));
    expect([back.status, back.text.includes('signed out')]).toEqual([200, true]);
    expect((await space(agent)).status).toBe(401);
    expect((await agent.visit(`${home}/display/HOME`)).document.querySelector('#signin')).not.toBeNull();
  });

  test('send forms that pass the XSRF checks of Confluence, and pages of other sites do not', async () => {
    const { agent, page } = await signIn('ada');
    const added = await agent.submit(page, { text: 'x' }, { form: '#comment' });
    expect([added.status, added.url]).toEqual([200, `${home}/display/HOME`]);
    const sent = await last('/pages/doaddcomment.action');
    expect([headerOf(sent, 'Origin'), headerOf(sent, 'Referer').length]).toEqual([[home], 1]);
    // The cookies are strict, so this page cannot send them; a client that sends them is refused for its origin.
    await callAdmin(confluence, 'DELETE', '/requests');
    const forged = (headers: Record<string, string>) =>
      gateway.send(host, {
        ...{ method: 'POST', path: '/pages/doaddcomment.action', body: 'text=x&atl_token=atl-token' },
        headers: { Origin: 'https://evil.example', 'X-Atlassian-Token': 'no-check', ...STRANGER, ...headers },
      });
    expect((await forged({})).status).toBe(401);
    const stolen = await forged({ Cookie: cookiesOf(agent) });
    expect([stolen.status, stolen.json().reason]).toEqual([403, 'origin_refused']);
    expect(await callAdmin(confluence, 'GET', '/requests')).toEqual([]);
  });
});

describe('attachments', () => {
  const SIZE = 100 * 1024 * 1024;
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const entire = createHash('sha256');
  for (let sent = 0; sent < SIZE; sent += chunk.length) entire.update(chunk);
  const digest = entire.digest('hex');

  /** The highest memory of nginx's worker so far, in KB. */
  async function peak(of: Gateway): Promise<number> {
    const { stdout } = await of.box.exec('cat', `/proc/${of.workers()[0]}/status`);
    return Number(/VmHWM:\s+(\d+)/.exec(stdout)?.[1]);
  }

  /** Streams both bodies, so that the memory of this process is small too. Returns the digest of the answer's body. */
  function transfer(
    cookie: string,
    method: string,
    path: string,
  ): Promise<{ status: number; text: string; sha256: string }> {
    const target = gateway.target(host);
    const headers = { Host: `${host}:8443`, Cookie: cookie, Origin: home, 'X-Atlassian-Token': 'no-check' };
    const body = { 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': SIZE };
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        ...{ host: target.host, port: target.port, method, path, agent: false as const, ...tlsOptions(target) },
        headers: method === 'POST' ? { ...headers, ...body } : headers,
      });
      request.on('error', reject).on('response', async (response) => {
        const hash = createHash('sha256');
        let text = '';
        for await (const part of response as AsyncIterable<Buffer>) {
          hash.update(part);
          if (text.length < 4096) text += part.toString('latin1', 0, 4096);
        }
        resolve({ status: response.statusCode ?? 0, text, sha256: hash.digest('hex') });
      });
      let left = method === 'POST' ? SIZE : 0;
      const more = (): void => {
        while (left > 0) {
          left -= chunk.length;
          if (!request.write(chunk)) return void request.once('drain', more);
        }
        request.end();
      };
      more();
    });
  }

  test('of 100 MB pass up and down, and nginx holds none of them', async () => {
    const { agent } = await signIn('ada');
    const cookie = cookiesOf(agent);
    const before = await peak(gateway);
    const up = await transfer(cookie, 'POST', '/rest/api/content/1/child/attachment');
    expect(up.status).toBe(200);
    expect(JSON.parse(up.text)).toMatchObject({ length: SIZE, sha256: digest });
    const down = await transfer(cookie, 'GET', `/download/attachments/1/large.bin?size=${SIZE}`);
    expect([down.status, down.sha256]).toEqual([200, digest]);
    expect((await peak(gateway)) - before).toBeLessThan(8 * 1024);
  });

  test('larger than the option allows do not reach Confluence', async () => {
    const { agent } = await signIn('ada');
    const headers = { 'Content-Length': String(111 * 1024 * 1024), 'X-Forwarded-For': '203.0.113.9' };
    const answer = await agent.fetch(`${home}/rest/api/content/1/child/attachment`, {
      ...{ from: `${home}/display/HOME`, method: 'POST', headers },
    });
    expect(answer.status).toBe(413);
    expected.push(/client intended to send too large body/);
  });
});

describe('personal access tokens', () => {
  test('pass beside a session, and Confluence decides whose they are', async () => {
    const { agent } = await signIn('ada');
    const answer = await space(agent, { Authorization: `Bearer ${PAT}` });
    expect([answer.status, answer.header('X-AUSERNAME'), answer.json().by]).toEqual([200, 'bot', 'token']);
  });

  test('that are not valid are an anonymous caller for Confluence', async () => {
    const { agent } = await signIn('ada');
    const answer = await space(agent, { Authorization: 'Bearer AAAAAAAAAAAAAAAAAAAA' });
    expect([answer.status, answer.header('X-AUSERNAME'), answer.json().results]).toEqual([200, 'anonymous', []]);
  });

  test('do not pass alone, on other paths, or with a bad credential of the gateway', async () => {
    const ask = (path: string, headers: Record<string, string> = {}) =>
      gateway.send(host, { path, headers: { ...STRANGER, Authorization: `Bearer ${PAT}`, ...headers } });
    await callAdmin(confluence, 'DELETE', '/requests');
    expect((await ask('/rest/api/space')).status).toBe(401);
    expect((await ask('/display/HOME')).status).toBe(401);
    expect(
      (await ask('/rest/api/space', { 'X-Gateway-Authorization': 'Bearer eyJhbGciOiJub25lIn0.e30.' })).status,
    ).toBe(401);
    expect(await callAdmin(confluence, 'GET', '/requests')).toEqual([]);
  });

  test('of apps pass on /rest/token-auth, where Confluence verifies them', async () => {
    const ask = (value: string) =>
      gateway.send(host, {
        path: '/rest/token-auth/api/content/1',
        headers: { ...STRANGER, Authorization: `JWT ${value}` },
      });
    expect((await ask(settings.link.signature)).status).toBe(200);
    expect((await ask('other')).status).toBe(401);
  });
});

describe('application links', () => {
  const oauth = (signature: string) => `OAuth oauth_consumer_key="jira", oauth_signature="${signature}"`;
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    gateway.send(host, { path, headers, method });

  test('pass from the address of Jira with its signature, which Confluence verifies', async () => {
    const signed = { ...JIRA, Authorization: oauth(settings.link.signature) };
    expect((await ask('/rest/applinks/1.0/manifest', JIRA)).status).toBe(200);
    expect((await ask('/plugins/servlet/oauth/consumer-info', JIRA)).status).toBe(200);
    expect((await ask('/plugins/servlet/oauth/request-token', signed, 'POST')).json()).toEqual({
      user: 'jira',
      by: 'oauth',
    });
    expect((await ask('/plugins/servlet/applinks/whoami', signed)).json()).toEqual({ user: 'jira', by: 'oauth' });
    expect((await ask('/rest/api/space', signed)).header('X-AUSERNAME')).toBe('jira');
    expect(headerOf(await last('/rest/api/space'), 'X-Forwarded-User')).toEqual([]);
    const wrong = await ask('/rest/api/space', { ...JIRA, Authorization: oauth('forged') });
    expect([wrong.status, wrong.header('WWW-Authenticate')]).toEqual([401, expect.stringContaining('oauth_problem')]);
  });

  test('do not pass from other addresses, nor to pages', async () => {
    await callAdmin(confluence, 'DELETE', '/requests');
    const signed = { Authorization: oauth(settings.link.signature) };
    expect((await ask('/rest/api/space', { ...STRANGER, ...signed })).status).toBe(401);
    expect((await ask('/rest/applinks/1.0/manifest', STRANGER)).status).toBe(401);
    expect((await ask('/display/HOME', JIRA)).status).toBe(401);
    expect(await callAdmin(confluence, 'GET', '/requests')).toEqual([]);
  });

  test('are allowed by people in their browser, who sign in at the gateway', async () => {
    const { page } = await signIn('ada', '/plugins/servlet/oauth/authorize?oauth_token=x');
    expect([page.status, textOf(page, '#user')]).toEqual([200, 'ada']);
  });
});

describe('collaborative editing', () => {
  // "hello", masked with zeros (RFC 6455 section 5.2).
  const hello = Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]);

  test.each(['synchrony', 'synchrony-proxy'])('has a WebSocket at /%s, for people of the group', async (path) => {
    const { agent } = await signIn('ada');
    const url = `wss://${host}:8443/${path}/sockjs/v1/a1/websocket`;
    const { answer, socket } = await agent.webSocket(url, { from: `${home}/display/HOME` });
    expect(answer.status).toBe(101);
    const heard = new Promise<string>((resolve) =>
      socket!.once('data', (data: Buffer) => resolve(data.toString('latin1'))),
    );
    socket!.write(hello);
    expect(await heard).toBe('\x81\x05hello');
    socket!.destroy();
    expect((await newAgent(stage).webSocket(url, { from: `${home}/x` })).answer.status).toBe(401);
    expect((await agent.webSocket(url, { from: 'https://evil.example/x' })).answer.status).toBe(401);
    const stolen = { from: 'https://evil.example/x', headers: { Cookie: cookiesOf(agent) } };
    expect((await newAgent(stage).webSocket(url, stolen)).answer.status).toBe(403);
  });

  test.each(['synchrony', 'synchrony-proxy'])('falls back to requests that wait at /%s', async (path) => {
    const { agent } = await signIn('ada');
    const url = `${home}/${path}/sockjs/v1/b1`;
    const from = `${home}/display/HOME`;
    const waits = agent.fetch(`${url}/xhr`, { from, method: 'POST' });
    // The second request is answered only after the first one is there.
    let answer = '';
    void waits.then(({ text }) => {
      answer = text;
    });
    for (let tries = 0; answer === '' && tries < 200; tries++) {
      expect((await agent.fetch(`${url}/xhr_send`, { from, method: 'POST', body: '["hello"]' })).status).toBe(204);
    }
    expect((await waits).text).toBe('a["hello"]\n');
  });

  test('tells Confluence at its public address that Synchrony runs', async () => {
    const answer = await gateway.send(host, { path: '/synchrony/heartbeat', headers: STRANGER });
    expect([answer.status, answer.text]).toEqual([200, 'OK']);
  });
});

test('load balancers read the state without a credential', async () => {
  const answer = await gateway.send(host, { path: '/status', headers: STRANGER });
  expect([answer.status, answer.json()]).toEqual([200, { state: 'RUNNING' }]);
});

test('a reader who follows the guide finds Confluence protected, and a forgery rejected', async () => {
  const steps = readGuide('docs/confluence.md', {
    sections: ['Try it'],
    replace: { 'https://wiki.example.com': home },
  });
  const done = await follow(steps, inBox(reader));
  const reason = (part: string) => JSON.parse(done.output(part)).reason;
  expect(JSON.parse(done.output('/status'))).toEqual({ state: 'RUNNING' });
  expect([reason('/display/HOME'), reason('/rest/api/space')]).toEqual(['credential_missing', 'credential_missing']);
  expect(reason('/rest/api/user/current')).toBe('issuer_unknown');
});

test('the port of Confluence itself believes no header', async () => {
  const target = { host: confluence.host, port: 8090, tls: false, name: host };
  const answer = await send(target, { path: '/rest/api/space', headers: { 'X-Forwarded-User': 'root' } });
  expect(answer.header('X-AUSERNAME')).toBe('anonymous');
});

test('drift compares the groups of Confluence with the roles of the policy', async () => {
  const url = `http://localhost:${await localPort(confluence, 8090)}`;
  const files = { './meshgate.yaml': policy, pat: PAT, wrong: 'AAAAAAAAAAAAAAAAAAAA' };
  const drift = (file: string) =>
    meshgate(['drift', 'confluence', '--url', url, '--token-file', file], { files, ask: systemAsk()! });
  expect(await drift('pat')).toMatchObject({
    code: 1,
    out: `same      confluence-administrators
same      confluence-users
not given wiki-guests: a group of Confluence that no role gives
1 difference
`,
  });
  expect(await drift('wrong')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('does not know the token'),
  });
});

// At the end, because the provider is away from then on.
describe('while the provider does not answer', () => {
  test('administrators use a local account from their address, and Confluence asks for the password again', async () => {
    await sso.box.pause();
    try {
      const agent = newAgent(stage);
      const login = await agent.visit(`${home}/admin/console.action`, { headers: ADMINS });
      expect(new URL(login.url).pathname).toBe('/login.action');
      const typed = { os_username: 'root', os_password: PASSWORD };
      const asks = await agent.submit(login, typed, { form: '#login', headers: ADMINS });
      expect(new URL(asks.url).pathname).toBe('/authenticate.action');
      const page = await agent.submit(asks, { password: PASSWORD }, { form: '#sudo', headers: ADMINS });
      expect([page.status, page.url, textOf(page, '#user')]).toEqual([200, `${home}/admin/console.action`, 'root']);
      expect(headerOf(await last('/admin/console.action'), 'X-Forwarded-User')).toEqual([]);
      // The session of Confluence is of no use elsewhere, and the setup stays closed here too.
      const elsewhere = await agent.visit(`${home}/admin/console.action`, { headers: STRANGER, follow: false });
      expect([302, 303, 401]).toContain(elsewhere.status);
      expect(elsewhere.text).not.toContain('root');
      const setup = await agent.visit(`${home}/setup/setupstart.action`, { headers: ADMINS, follow: false });
      expect(setup.text).not.toContain('Welcome');
    } finally {
      await sso.box.resume();
    }
  });
});
