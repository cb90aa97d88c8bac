/** Two people use one browser, one after the other. A service keeps a session of its own in a cookie. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  expectCleanLog,
  MANY_SIGNINS,
  newAgent,
  readyToSignIn,
  startEcho,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const host = 'wiki.example.com';
const home = `https://${host}:8443`;

const policy = `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    audiences: [api://wiki]
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
headers: { X-Forwarded-User: subject }
services:
  usual: { insecure_url: "http://wiki:8080" }
  named: { insecure_url: "http://wiki:8080", session_cookies: [PHPSESSID] }
  none: { insecure_url: "http://wiki:8080", session_cookies: [] }
hosts:
  ${host}:
    /*: { service: usual, allow: [authenticated] }
    /named/*: { service: named, allow: [authenticated] }
    /none/*: { service: none, allow: [authenticated] }
    /open/*: { service: usual, allow: [anyone] }
`;

const stage = await testStage('service cookies');
const [sso, gateway] = await Promise.all([
  startSso(stage, { origins: [home] }),
  startGateway(stage, {
    policy,
    files: {
      '/run/secrets/sso': `${ssoSecret}\n`,
      '/run/secrets/session.jwks': newRing(Date.now() / 1000 - 7200),
    },
  }),
  startEcho(stage, { alias: 'wiki' }),
]);
let mark = 0;

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/page`, 'https://sso:8443');
  mark = await waitForWorkers(gateway, host);
});

afterAll(() => expectCleanLog(gateway, mark, []));

async function signIn(person: string, agent: UserAgent = newAgent(stage)): Promise<UserAgent> {
  const page = await agent.visit(`${home}/page`);
  expect(page.document.querySelector('#signin')).not.toBeNull();
  expect((await sso.signIn(agent, page, person)).status).toBe(200);
  return agent;
}

async function signOut(agent: UserAgent): Promise<void> {
  const atProvider = await agent.submit(await agent.visit(`${home}/.meshgate/signout`));
  expect((await sso.confirm(agent, atProvider)).status).toBe(200);
}

/** The person leaves the provider, so that it asks the next one who signs in. */
function leaveProvider(agent: UserAgent): void {
  for (const { key } of agent.cookies('https://sso:8443'))
    agent.setCookie(`${key}=; Path=/; Max-Age=0`, 'https://sso:8443');
}

const fetched = (agent: UserAgent, path: string) => agent.fetch(home + path, { from: `${home}/page` });

/** Lets the service set cookies in the response to a request. */
const sets = (agent: UserAgent, path: string, ...cookies: readonly string[]) =>
  fetched(agent, `${path}?${cookies.map((it) => `echo-header=${encodeURIComponent(`Set-Cookie:${it}`)}`).join('&')}`);

/** The cookies that the service receives at a path, or undefined. */
async function received(agent: UserAgent, path: string): Promise<string | undefined> {
  const { headers } = (await fetched(agent, path)).json() as { headers: readonly (readonly [string, string])[] };
  return headers.find(([name]) => name.toLowerCase() === 'cookie')?.[1];
}

const inBrowser = (agent: UserAgent, path: string) => agent.cookies(home + path).map(({ key }) => key);

const BELOW = 'JSESSIONID=of-ada; Path=/app; HttpOnly';

describe('a session cookie of a service', () => {
  test('comes back without a mark to the service that set it', async () => {
    const agent = await signIn('ada');
    await sets(agent, '/app/x', BELOW, 'theme=dark; Path=/app', 'empty=; Path=/app; HttpOnly');
    const cookie = await received(agent, '/app/x');
    expect(cookie?.split('; ').sort()).toEqual(['JSESSIONID=of-ada', 'empty=', 'theme=dark']);
    expect(agent.cookies(`${home}/app`).find(({ key }) => key === 'JSESSIONID')?.value).toMatch(/^of-ada~mg-.{16}$/);
  });

  test.each([
    ['signs out', signOut],
    [
      'has a session that was revoked',
      async () => {
        const { exitCode } = await gateway.box.exec('meshgate', 'revoke', '--subject', 'sso/ada');
        expect(exitCode).toBe(0);
      },
    ],
    [
      'has a session that the browser lost',
      async (agent: UserAgent) => agent.setCookie('__Host-Http-meshgate=; Path=/; Secure; Max-Age=0', home),
    ],
  ])('does not reach the service for the next person, if the first one %s', async (_, end) => {
    const agent = await signIn('ada');
    await sets(agent, '/app/x', BELOW);
    expect(await received(agent, '/app/x')).toBe('JSESSIONID=of-ada');
    await end(agent);
    leaveProvider(agent);
    await signIn('ben', agent);
    expect(inBrowser(agent, '/app')).toContain('JSESSIONID');
    expect(await received(agent, '/app/x')).toBeUndefined();
    // The service begins a session for this person.
    await sets(agent, '/app/x', 'JSESSIONID=of-ben; Path=/app; HttpOnly');
    expect(await received(agent, '/app/x')).toBe('JSESSIONID=of-ben');
  });

  test('that an anonymous caller received does not reach the service after the sign-in', async () => {
    const agent = newAgent(stage);
    await sets(agent, '/open/x', 'JSESSIONID=anonymous; Path=/open; HttpOnly');
    expect(await received(agent, '/open/x')).toBe('JSESSIONID=anonymous');
    await signIn('ada', agent);
    expect(await received(agent, '/open/x')).toBeUndefined();
  });

  test('that scripts can read is deleted at the sign-out, if its path is /', async () => {
    const agent = await signIn('ada');
    await sets(agent, '/app/x', 'PHPSESSID=of-ada; Path=/', 'theme=dark; Path=/app');
    await signOut(agent);
    expect(inBrowser(agent, '/app')).toEqual(['theme']);
  });
});

describe('session_cookies', () => {
  test('also names cookies that scripts can read, and deletes them at the paths of the service', async () => {
    const agent = await signIn('ada');
    await sets(agent, '/named/x', 'PHPSESSID=of-ada; Path=/named', 'other=1; Path=/named; HttpOnly');
    expect((await received(agent, '/named/x'))?.split('; ').sort()).toEqual(['PHPSESSID=of-ada', 'other=1']);
    await signOut(agent);
    expect(inBrowser(agent, '/named')).toEqual(['other']);
  });

  test('keeps a named cookie without a mark from the service', async () => {
    const agent = await signIn('ada');
    agent.setCookie('PHPSESSID=from-a-script; Path=/', home);
    expect([await received(agent, '/named/x'), await received(agent, '/app/x')]).toEqual([
      undefined,
      'PHPSESSID=from-a-script',
    ]);
  });

  test('marks nothing if the list is empty', async () => {
    const agent = await signIn('ada');
    await sets(agent, '/none/x', 'JSESSIONID=of-ada; Path=/none; HttpOnly');
    expect(agent.cookies(`${home}/none`).find(({ key }) => key === 'JSESSIONID')?.value).toBe('of-ada');
  });
});
