/** Sessions are renewed by their refresh token: one call to the provider, whatever number of requests ask. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/rotate-ring.ts';
import {
  expectClean,
  newAgent,
  settle,
  startEcho,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  until,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const host = 'wiki.example.com';
const home = `https://${host}:8443`;
/** Seconds that claims stay fresh. */
const FRESH = 4;

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks, fresh: ${FRESH}s }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
roles:
  staff: { group: staff }
  editor: { group: confluence-editors }
headers: { X-Forwarded-User: subject, X-Forwarded-Roles: roles }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [staff] }
    /edit/*: { service: wiki, allow: [editor] }
`;

const stage = await testStage('renew');
const [sso, gateway] = await Promise.all([
  startSso(stage, { origins: [home] }),
  startGateway(stage, {
    policy,
    workers: 2,
    files: { '/run/secrets/sso': `${ssoSecret}\n`, '/run/secrets/session.jwks': newRing(Date.now() / 1000 - 7200) },
  }),
  startEcho(stage, { alias: 'wiki' }),
]);

let mark = 0;
const expected: RegExp[] = [];

async function signIn(person = 'ada'): Promise<UserAgent> {
  const agent = newAgent(stage);
  const page = await agent.visit(`${home}/page`);
  const back = page.document.querySelector('#signin') === null ? page : await sso.signIn(agent, page, person);
  expect([back.status, back.url]).toEqual([200, `${home}/page`]);
  return agent;
}

const cookieOf = (agent: UserAgent): string => agent.cookies(home).find(({ key }) => key === '__Host-meshgate')!.value;

const ask = (agent: UserAgent, path = '/page') => agent.fetch(home + path, { from: `${home}/page` });

/** Requests of scripts, all with the cookie of now, and each on a connection of its own. */
const many = (agent: UserAgent, count: number, path?: string) =>
  Promise.all(Array.from({ length: count }, () => ask(agent, path)));

const refreshes = async () => (await sso.grants()).refresh_token ?? { good: 0, bad: 0 };

/** Waits as long as claims are fresh. */
const stale = () => new Promise((resolve) => setTimeout(resolve, FRESH * 1000 + 200));

beforeAll(async () => {
  const ready = async () => (await newAgent(stage).visit(`${home}/page`)).url.startsWith('https://sso:8443/');
  await until(ready, { what: 'the provider at the gateway', timeoutMs: 60_000, help: () => gateway.box.logs.tail() });
  mark = await settle(gateway, host);
});

afterEach(async () => {
  await sso.control('/token');
  await settle(gateway, host);
  const since = mark;
  mark = gateway.mark();
  expectClean(gateway, since, expected.splice(0));
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/eyJ[\w-]{10}|refresh_token=/);
});

describe('past the fresh time', () => {
  test('twenty requests on two workers call the provider once, and none fails', async () => {
    const agent = await signIn();
    await stale();
    await sso.forget();
    const answers = await many(agent, 20);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect([await refreshes(), (await sso.calls())['/token']]).toEqual([{ good: 1, bad: 0 }, 1]);
  });

  test('the provider takes a second: one call, and none fails', async () => {
    const agent = await signIn();
    await stale();
    await sso.forget();
    await sso.control('/token', { delayMs: 500, answerMs: 500 });
    const before = cookieOf(agent);
    const answers = await many(agent, 20);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
    expect(cookieOf(agent)).not.toBe(before);
  });

  test('a client that goes away leaves no lock, and nothing is lost', async () => {
    const agent = await signIn();
    await stale();
    await sso.forget();
    await sso.control('/token', { delayMs: 1000, times: 1 });
    const raw = `GET /page HTTP/1.1\r\nHost: ${host}\r\nCookie: __Host-meshgate=${cookieOf(agent)}\r\nConnection: close\r\n\r\n`;
    await gateway.sendRaw(host, raw, { timeoutMs: 300 }).catch(() => {});
    await until(async () => (await refreshes()).good === 1, { what: 'the refresh' });
    expect((await ask(agent)).status).toBe(200);
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
  });
});

describe('before it', () => {
  test('one call after the answer, under ten requests; the next ones find the new session', async () => {
    const agent = await signIn();
    await sso.forget();
    await sso.control('/token', { delayMs: 300 });
    const before = cookieOf(agent);
    const early = async () => {
      const answers = await many(agent, 10);
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      return ((await sso.calls())['/token'] ?? 0) > 0;
    };
    await until(early, { what: 'the early refresh', timeoutMs: 10_000 });
    await until(async () => (await ask(agent)).status === 200 && cookieOf(agent) !== before, {
      what: 'the new cookie',
      timeoutMs: 15_000,
    });
    expect((await refreshes()).bad).toBe(0);
  });
});

describe('what the provider says at a refresh', () => {
  test('of other groups decides from then on', async () => {
    const agent = await signIn('ben');
    expect((await ask(agent, '/edit/x')).status).toBe(403);
    await sso.change('ben', { groups: ['confluence-editors', 'staff'] });
    await stale();
    expect((await ask(agent, '/edit/x')).status).toBe(200);
    await sso.change('ben', { groups: ['confluence-readers'] });
    await stale();
    expect((await ask(agent)).status).toBe(403);
    await sso.change('ben', { groups: ['confluence-readers', 'staff'] });
  });

  test('that it is over ends the session, for every request', async () => {
    const agent = await signIn('ben');
    await sso.change('ben', { disabled: true });
    await stale();
    const answers = await many(agent, 10);
    await sso.change('ben', { disabled: false });
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(401));
    expect(answers.every((answer) => answer.json().reason === 'session_expired')).toBe(true);
    expect((await ask(agent)).status).toBe(401);
  });
});

describe('a session goes on', () => {
  test('over a reload', async () => {
    const agent = await signIn();
    await gateway.reload();
    expected.push(/./);
    await stale();
    await sso.forget();
    expect((await ask(agent)).status).toBe(200);
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
  });
});

/** After these the provider is left alone for some seconds. */
describe('the provider', () => {
  test('loses an answer: none fails, the token is not used again, a page goes through the provider', async () => {
    const agent = await signIn();
    await stale();
    await sso.forget();
    await sso.control('/token', { lose: true, times: 1 });
    expected.push(/upstream prematurely closed connection/, /sessions are not renewed by provider sso/);
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await sso.calls())['/token']).toBe(1);
    const page = await agent.visit(`${home}/page?x=1`);
    expect([page.status, page.url]).toEqual([200, `${home}/page?x=1`]);
    expect(page.hops.map(({ url }) => url)).toContainEqual(expect.stringContaining('prompt=none'));
    expect((await sso.grants()).refresh_token).toEqual({ good: 1, bad: 0 });
  });

  test('is away: scripts go on, and it is asked again when it is back', async () => {
    const agent = await signIn();
    await stale();
    await sso.forget();
    await sso.control('/token', { fail: 429 });
    expected.push(/sessions are not renewed by provider sso/);
    const asked = async () => {
      expect((await many(agent, 5)).map(({ status }) => status)).toEqual(Array(5).fill(200));
      return ((await sso.calls())['/token'] ?? 0) === 1;
    };
    await until(asked, { what: 'the first call', timeoutMs: 20_000 });
    for (let round = 0; round < 3; round++) await asked();
    expect((await sso.calls())['/token']).toBe(1);
    await sso.control('/token');
    const renewed = async () => (await ask(agent)).status === 200 && (await refreshes()).good === 1;
    await until(renewed, { what: 'the refresh after the pause', timeoutMs: 20_000 });
  });

  test('does not even take connections: no token is used up, and the session is renewed when it does', async () => {
    const agent = await signIn();
    await stale();
    await sso.forget();
    await sso.box.pause();
    expected.push(/./);
    try {
      // Until the pause of the test before is over the provider is not asked, so nobody waits for it.
      const unreached = async () => {
        const mark = gateway.mark();
        expect((await many(agent, 5)).map(({ status }) => status)).toEqual(Array(5).fill(200));
        return gateway.box.logs.since(mark).some((line) => line.includes('the token endpoint is not reached'));
      };
      await until(unreached, { what: 'a call that does not get through', timeoutMs: 25_000 });
    } finally {
      await sso.box.resume();
    }
    const renewed = async () => (await ask(agent)).status === 200 && (await refreshes()).good === 1;
    await until(renewed, { what: 'the refresh after the pause', timeoutMs: 20_000 });
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
  });
});
