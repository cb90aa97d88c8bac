/** Sessions are renewed by their refresh token: one call to the provider, whatever the number of requests. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  counting,
  expectCleanLog,
  Memory,
  newAgent,
  openRaw,
  plainRequest,
  readyToSignIn,
  Sealer,
  startEcho,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  until,
  waitForWorkers,
  withMemory,
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
const ring = newRing(Date.now() / 1000 - 7200);
const [sso, gateway] = await Promise.all([
  startSso(stage, { origins: [home] }),
  startGateway(stage, {
    policy,
    workers: 2,
    mutate: withMemory,
    files: { '/run/secrets/sso': `${ssoSecret}\n`, '/run/secrets/session.jwks': ring },
  }),
  startEcho(stage, { alias: 'wiki' }),
]);
const memory = new Memory(gateway, host);
const sealer = await Sealer.of(gateway.policy, ring);

let mark = 0;
const expected: RegExp[] = [];

async function signIn(person = 'ada'): Promise<UserAgent> {
  const agent = newAgent(stage);
  const page = await agent.visit(`${home}/page`);
  const back = page.document.querySelector('#signin') === null ? page : await sso.signIn(agent, page, person);
  expect([back.status, back.url]).toEqual([200, `${home}/page`]);
  return agent;
}

const cookieOf = (agent: UserAgent): string =>
  agent.cookies(home).find(({ key }) => key === '__Host-Http-meshgate')!.value;

const ask = (agent: UserAgent, path = '/page') => agent.fetch(home + path, { from: `${home}/page` });

/** Requests of scripts with the current cookie, each on its own connection. */
const many = (agent: UserAgent, count: number, path?: string) =>
  Promise.all(Array.from({ length: count }, () => ask(agent, path)));

const refreshes = async () => (await sso.grants()).refresh_token ?? { good: 0, bad: 0 };

/** Claims stay fresh for ten minutes; in the last two minutes they are confirmed early. */
const makeStale = (agent: UserAgent) => sealer.age(memory.records, agent, home, -1);
const makeDue = (agent: UserAgent) => sealer.age(memory.records, agent, home, 60);

/** Begins to count the refreshes, by provider and result. */
const refreshing = () => counting(gateway, 'meshgate_session_refreshes_total');

/** The token endpoint was called. */
const isCalled = async () => (await sso.calls())['/token'] === 1;

/** Ends the pause after a failed call, which otherwise lasts ten seconds. */
const forgetPause = () => memory.forget('meshgate_locks', /^pause\s+sso\s*$/);

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/page`, sso.issuer);
  mark = await waitForWorkers(gateway, host);
});

afterEach(async () => {
  await sso.control('/token');
  const since = mark;
  mark = await waitForWorkers(gateway, host);
  await expectCleanLog(gateway, since, expected.splice(0));
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/eyJ[\w-]{10}|refresh_token=/);
});

describe('past the fresh time', () => {
  test('twenty requests on two workers call the provider once, and none fails', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    const refreshed = await refreshing();
    const answers = await many(agent, 20);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect([await refreshes(), (await sso.calls())['/token']]).toEqual([{ good: 1, bad: 0 }, 1]);
    expect(await refreshed()).toEqual({ 'sso confirmed': 1 });
  });

  test('a slow provider is called once, and no request fails', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    await sso.control('/token', { holdAnswer: true });
    const before = cookieOf(agent);
    const times = await counting(gateway, 'meshgate_check_duration_seconds_bucket');
    const requested = many(agent, 20);
    // The provider has renewed and not answered, and requests other than the first one wait.
    await until(async () => (await refreshes()).good === 1, { what: 'the refresh' });
    await until(async () => (await memory.held('waiting checks')) > 1, { what: 'the others' });
    await sso.control('/token');
    const answers = await requested;
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
    expect(cookieOf(agent)).not.toBe(before);
    // Each check is in one bucket, and those that waited for the provider are not in the first one.
    const { '0.005': fast = 0, '+Inf': all } = await until(
      async () => {
        const found = await times();
        return (found['0.005'] ?? 0) < 19 ? found : undefined;
      },
      { what: 'checks that took long' },
    );
    expect([all, fast < 19]).toEqual([20, true]);
  });

  test('a client that disconnects leaves no lock, and nothing is lost', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    await sso.control('/token', { hold: true });
    const socket = openRaw(gateway.target(host));
    const mark = await waitForWorkers(gateway);
    socket.write(plainRequest(host, { path: '/page', headers: { Cookie: `__Host-Http-meshgate=${cookieOf(agent)}` } }));
    // The provider has received the call and does not answer.
    await until(isCalled, { what: 'the call of the token endpoint' });
    socket.destroy();
    // nginx has seen that the client is gone.
    await gateway.box.logs.waitFor(/"http\.response\.status_code":499/, mark);
    await sso.control('/token');
    await until(async () => (await refreshes()).good === 1, { what: 'the refresh' });
    expect((await ask(agent)).status).toBe(200);
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
  });
});

describe('before the end of the fresh time', () => {
  test('ten requests cause one call after the response, and the next ones find the new session', async () => {
    const agent = await signIn();
    await makeDue(agent);
    await sso.forget();
    await sso.control('/token', { hold: true });
    const before = cookieOf(agent);
    // All requests are answered before the provider answers.
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    await until(isCalled, { what: 'the early refresh' });
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    await sso.control('/token');
    // Every five seconds each worker asks about a session that is being renewed.
    await until(async () => (await ask(agent)).status === 200 && cookieOf(agent) !== before, {
      what: 'the new cookie',
      everyMs: 100,
    });
    expect([await refreshes(), (await sso.calls())['/token']]).toEqual([{ good: 1, bad: 0 }, 1]);
  });
});

describe('the answer of the provider at a refresh', () => {
  test('with other groups changes decisions from then on', async () => {
    const agent = await signIn('ben');
    expect((await ask(agent, '/edit/x')).status).toBe(403);
    await sso.change('ben', { groups: ['confluence-editors', 'staff'] });
    await makeStale(agent);
    expect((await ask(agent, '/edit/x')).status).toBe(200);
    await sso.change('ben', { groups: ['confluence-readers'] });
    await makeStale(agent);
    expect((await ask(agent)).status).toBe(403);
    await sso.change('ben', { groups: ['confluence-readers', 'staff'] });
  });

  test('that the session has ended ends it for every request', async () => {
    expected.push(/provider sso ends a session: the token endpoint refused: invalid_grant/);
    const agent = await signIn('ben');
    await sso.change('ben', { disabled: true });
    await makeStale(agent);
    const refreshed = await refreshing();
    const answers = await many(agent, 10);
    await sso.change('ben', { disabled: false });
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(401));
    expect(answers.every((answer) => answer.json().reason === 'session_expired')).toBe(true);
    expect(await refreshed()).toEqual({ 'sso over': 1 });
    expect((await ask(agent)).status).toBe(401);
  });
});

describe('a session', () => {
  test('survives a reload', async () => {
    const agent = await signIn();
    await gateway.reload();
    expected.push(/./);
    await makeStale(agent);
    await sso.forget();
    expect((await ask(agent)).status).toBe(200);
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
  });
});

/** After these tests calls to the provider pause for ten seconds, unless the pause is ended. */
describe('the provider', () => {
  test('whose answer is lost causes no failed request, its token is not used again, and a page goes through the provider', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    await sso.control('/token', { lose: true, times: 1 });
    const refreshed = await refreshing();
    const sessions = await counting(gateway, 'meshgate_session_events_total');
    expected.push(/upstream prematurely closed connection/, /sessions are not renewed by provider sso/);
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    await forgetPause();
    expect((await many(agent, 10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await sso.calls())['/token']).toBe(1);
    const page = await agent.visit(`${home}/page?x=1`);
    expect([page.status, page.url]).toEqual([200, `${home}/page?x=1`]);
    expect(page.hops.map(({ url }) => url)).toContainEqual(expect.stringContaining('prompt=none'));
    expect((await sso.grants()).refresh_token).toEqual({ good: 1, bad: 0 });
    expect([await refreshed(), await sessions()]).toEqual([{ 'sso lost': 1 }, { continued: 1 }]);
  });

  test('that is unavailable does not stop scripts, and is called again when it is back', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    await sso.control('/token', { fail: 429 });
    expected.push(/sessions are not renewed by provider sso/);
    const refreshed = await refreshing();
    const began = performance.now();
    for (let round = 0; round < 4; round++) {
      expect((await many(agent, 5)).map(({ status }) => status)).toEqual(Array(5).fill(200));
      const { '/token': calls } = await sso.calls();
      expect(calls).toBeGreaterThanOrEqual(1);
      // One call for each pause that has begun: on a machine that is not very slow, one.
      expect(calls).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 10_000));
    }
    await sso.control('/token');
    const renewed = async () => (await ask(agent)).status === 200 && (await refreshes()).good === 1;
    // The only test of this file that waits for a time of the gateway: ten seconds later it calls the provider again.
    const { '/token': failed } = await sso.calls();
    await until(renewed, { what: 'the refresh after the pause', everyMs: 100 });
    expect(await refreshed()).toEqual({ 'sso confirmed': 1, 'sso unused': failed });
  });

  test.each([
    [200, '{"error":"invalid_grant"}', /provider sso ends a session/],
    [200, '{}', /a session is not renewed by provider sso/],
    [204, '', /a session is not renewed by provider sso/],
    [400, '', /a session is not renewed by provider sso/],
    [401, '', /a session is not renewed by provider sso/],
  ])(
    'that refuses a person by %i %j lets no request of that person pass after the fresh time',
    async (status, body, line) => {
      const [agent, other] = [await signIn(), await signIn('ben')];
      await forgetPause();
      await memory.forget('meshgate_locks', /^said of one\s/);
      await makeStale(agent);
      expected.push(line);
      await sso.control('/token', { answer: { status, body } });
      const answers = [await ask(agent), await ask(agent, '/edit/x'), await ask(agent)];
      expect(answers.map((it) => [it.status, it.json().reason])).toEqual(Array(3).fill([401, 'session_expired']));
      // It affects no other person.
      expect((await ask(other)).status).toBe(200);
      await makeStale(other);
      await sso.control('/token');
      expect((await ask(other)).status).toBe(200);
    },
  );

  test('that accepts no connection uses up no token, and the session is renewed when it does', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    await forgetPause();
    await sso.box.pause();
    expected.push(/./);
    try {
      const mark = await waitForWorkers(gateway);
      expect((await many(agent, 5)).map(({ status }) => status)).toEqual(Array(5).fill(200));
      // The five requests may have their answers before the one call is given up.
      await gateway.box.logs.waitFor(/the token endpoint was not reached/, mark);
    } finally {
      await sso.box.resume();
    }
    await forgetPause();
    // A cookie that no worker has tried to renew yet: a failed one is not tried again for five seconds.
    await makeStale(agent);
    expect((await ask(agent)).status).toBe(200);
    expect(await refreshes()).toEqual({ good: 1, bad: 0 });
  });
});
