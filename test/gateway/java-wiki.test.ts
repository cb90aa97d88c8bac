/** Two people use a Java wiki in one browser, one after the other. The wiki reads the assertion once, and keeps the person
 * in its own session, whose cookie has the path of the wiki. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  expectCleanLog,
  MANY_SIGNINS,
  newAgent,
  readyToSignIn,
  startContainer,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  waitForWorkers,
  wikiImage,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const [home, loose] = ['wiki.example.com', 'loose.example.com'].map((host) => `https://${host}:8443`) as [
  string,
  string,
];
const KEYS = '/run/secrets/assertion.jwks';

const policy = `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
  assertion: { issuer: "${home}", keys_file: ${KEYS} }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    audiences: [api://wiki]
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  loose: { insecure_url: "http://loose:8080", session_cookies: [] }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
  loose.example.com:
    /*: { service: loose, allow: [authenticated] }
`;

const signing = await newSigningKeys(Date.now() / 1000);
const { keys } = JSON.parse(signing) as { keys: Record<string, unknown>[] };

const stage = await testStage('java wiki');
const [sso, gateway] = await Promise.all([
  startSso(stage, { origins: [home, loose] }),
  startGateway(stage, {
    policy,
    files: {
      '/run/secrets/sso': `${ssoSecret}\n`,
      '/run/secrets/session.jwks': newRing(Date.now() / 1000 - 7200),
      [KEYS]: signing,
    },
  }),
  ...['wiki', 'loose'].map((alias) =>
    startContainer(stage, {
      image: wikiImage,
      alias,
      env: { MESHGATE_ISSUER: home, MESHGATE_AUDIENCE: alias },
      files: { '/etc/wiki/jwks.json': JSON.stringify({ keys: keys.map(({ d: _, ...key }) => key) }) },
      memory: 700,
      ready: /Server startup in/,
      startMs: 240_000,
    }),
  ),
]);
let mark = 0;

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/wiki/Wiki.jsp`, 'https://sso:8443');
  mark = await waitForWorkers(gateway, 'wiki.example.com');
});

afterAll(() => expectCleanLog(gateway, mark, []));

/** Opens a page of the wiki, and signs in if the gateway asks.
 * @returns the person that the wiki takes the browser for */
async function open(agent: UserAgent, person: string, origin = home): Promise<string | undefined> {
  const page = await agent.visit(`${origin}/wiki/Wiki.jsp`);
  const there = page.document.querySelector('#signin') === null ? page : await sso.signIn(agent, page, person);
  expect([there.status, new URL(there.url).pathname]).toEqual([200, '/wiki/Wiki.jsp']);
  return there.document.querySelector('meta[name=wikiUserName]')?.getAttribute('content') ?? undefined;
}

async function signOut(agent: UserAgent, origin = home): Promise<void> {
  const atProvider = await agent.submit(await agent.visit(`${origin}/.meshgate/signout`));
  expect((await sso.confirm(agent, atProvider)).status).toBe(200);
}

/** The provider asks the next person who signs in. */
function leaveProvider(agent: UserAgent): void {
  for (const { key } of agent.cookies('https://sso:8443'))
    agent.setCookie(`${key}=; Path=/; Max-Age=0`, 'https://sso:8443');
}

const session = (agent: UserAgent, origin = home) =>
  agent.cookies(`${origin}/wiki/`).find(({ key }) => key === 'JSESSIONID')?.value;

test('keeps one session of the wiki for one person', async () => {
  const agent = newAgent(stage);
  expect(await open(agent, 'ada')).toBe('ada');
  const first = session(agent);
  expect(first).toMatch(/^[0-9A-F]{32}~mg-/);
  expect([await open(agent, 'ada'), session(agent)]).toEqual(['ada', first]);
});

test.each([
  ['signed out', (agent: UserAgent) => signOut(agent)],
  [
    'was revoked',
    async (agent: UserAgent) => {
      expect((await gateway.box.exec('meshgate', 'revoke', '--subject', 'sso/ada')).exitCode).toBe(0);
      leaveProvider(agent);
    },
  ],
  [
    'lost the session',
    async (agent: UserAgent) => {
      agent.setCookie('__Host-Http-meshgate=; Path=/; Secure; Max-Age=0', home);
      leaveProvider(agent);
    },
  ],
])('greets the next person by name after the first one %s', async (_, end) => {
  const agent = newAgent(stage);
  expect(await open(agent, 'ada')).toBe('ada');
  const first = session(agent);
  await end(agent);
  expect(session(agent)).toBe(first);
  expect(await open(agent, 'ben')).toBe('ben');
  expect(session(agent)).not.toBe(first);
});

test('greets a person who signs in beside the session of another one by name', async () => {
  const agent = newAgent(stage);
  expect(await open(agent, 'ada')).toBe('ada');
  leaveProvider(agent);
  const page = await agent.visit(`${home}/.meshgate/signin?in&to=${encodeURIComponent('/wiki/Wiki.jsp')}`);
  await sso.signIn(agent, page, 'ben');
  expect(await open(agent, 'ben')).toBe('ben');
});

test('takes the next person for the first one if the policy leaves its cookies alone', async () => {
  const agent = newAgent(stage);
  expect(await open(agent, 'ada', loose)).toBe('ada');
  await signOut(agent, loose);
  expect(await open(agent, 'ben', loose)).toBe('ada');
});
