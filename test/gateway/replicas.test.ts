/** Two gateways behind a TCP balancer share their sessions in etcd, of which one node hangs, then one is dead, then
 * all. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  type EtcdMember,
  type Gateway,
  Memory,
  metric,
  newAgent,
  Sealer,
  startEcho,
  startEtcd,
  startGateway,
  startService,
  startSso,
  testStage,
  type UserAgent,
  until,
  withMemory,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';
import { opening } from './session-fixture.ts';

const host = 'wiki.example.com';
const home = `https://${host}:8443`;

const policy = `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  store:
    etcd: [https://etcd-0:2379, https://etcd-1:2379, https://etcd-2:2379]
    ca_file: /run/etcd/ca.pem
    cert_file: /run/etcd/cert.pem
    key_file: /run/etcd/key.pem
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [staff] }
`;

const stage = await testStage('replicas');
// The first one, so that browsers find it under the host's name.
await startService(stage, 'balancer', {
  alias: host,
  env: { BACKENDS: 'gateway-a:8443 gateway-b:8443' },
});
const etcd = await startEtcd(stage);
const ring = newRing(Date.now() / 1000 - 7200);
const files = {
  '/run/secrets/sso': `${ssoSecret}\n`,
  '/run/secrets/session.jwks': ring,
  '/run/etcd/ca.pem': etcd.ca,
  '/run/etcd/cert.pem': etcd.client.cert,
  '/run/etcd/key.pem': etcd.client.key,
};
const start = (alias: string) => startGateway(stage, { policy, alias, files, mutate: withMemory });
const [sso, a, b] = await Promise.all([
  startSso(stage, { origins: [home] }),
  start('gateway-a'),
  start('gateway-b'),
  startEcho(stage, { alias: 'wiki' }),
]);
const both = [a, b] as const;
const [first, second, third] = etcd.members as [EtcdMember, EtcdMember, EtcdMember];
const sealer = await Sealer.of(a.policy, ring);

async function signIn(person = 'ada'): Promise<UserAgent> {
  const agent = newAgent(stage);
  const page = await agent.visit(`${home}/page`);
  const back = await sso.signIn(agent, page, person);
  expect([back.status, back.url]).toEqual([200, `${home}/page`]);
  return agent;
}

const ask = (agent: UserAgent) => agent.fetch(`${home}/page`, { from: `${home}/page` });

const cookieOf = (agent: UserAgent): string =>
  `__Host-Http-meshgate=${agent.cookies(home).find(({ key }) => key === '__Host-Http-meshgate')!.value}`;

/** A script's request directly to one gateway. */
const at = async (gateway: Gateway, cookie: string) =>
  (await gateway.send(host, { path: '/page', headers: { Cookie: cookie } })).status;

/** The stored sessions of the gateways, read from the member that lives longest but one. */
const records = {
  get: (sid: string) => first.get(`/meshgate/session/${sid}`),
  put: (sid: string, sealed: string) => first.put(`/meshgate/session/${sid}`, sealed),
};
const makeStale = (agent: UserAgent) => sealer.age(records, agent, home, -1);

/** Persons to revoke, one for each time: a revocation is in force for the whole of its second. */
async function newPerson(name: string): Promise<string> {
  await sso.change(name, { groups: ['staff'] });
  return name;
}

const refreshes = async () => (await sso.grants()).refresh_token ?? { good: 0, bad: 0 };

const many = async (agent: UserAgent, count: number) =>
  (await Promise.all(Array.from({ length: count }, () => ask(agent)))).map(({ status }) => status);

const health = async (gateway: Gateway) => (await gateway.health('/.meshgate/readyz')).json();

/** Both know that a session has ended once each has read etcd after the revocation. */
async function gone(cookie: string): Promise<void> {
  const reported = Date.now() / 1000;
  for (const gateway of both) {
    const memory = new Memory(gateway, host);
    await until(async () => Number(await memory.get('meshgate_locks', 'revocations seen')) > reported, {
      what: 'a look into etcd',
      help: () => gateway.box.logs.tail(),
    });
  }
  expect(await Promise.all(both.map((one) => at(one, cookie)))).toEqual([401, 401]);
}

/** A member answers, which needs a leader. */
const answers = (member: EtcdMember) =>
  until(async () => (await member.keys('/x').catch(() => undefined)) !== undefined, {
    what: `${member.box.alias} to answer`,
    help: () => member.box.logs.tail(),
  });

beforeAll(async () => {
  for (const gateway of both) {
    // The gateway has read etcd, and has the provider's discovery document.
    const ready = async () => (await health(gateway)).revocations?.state === 'ok';
    await until(ready, { what: 'etcd at the gateway', help: () => gateway.box.logs.tail() });
    const signin = { path: '/.meshgate/signin?in&to=/', headers: opening };
    const begins = async () => (await gateway.send(host, signin)).status === 303;
    await until(begins, { what: 'the provider at the gateway' });
  }
});

afterAll(() => {
  for (const { box } of both) expect(box.logs.since(0).join('\n')).not.toMatch(/eyJ[\w-]{10}|refresh_token=/);
});

test('a sign-in that one gateway began is finished by the other one, and both have the session', async () => {
  const agent = await signIn();
  expect(await Promise.all(both.map((one) => at(one, cookieOf(agent))))).toEqual([200, 200]);
  const keys = await first.keys('/meshgate/session/');
  expect(keys.length).toBeGreaterThan(0);
  const value = await first.get(keys[0]!);
  expect(value).toMatch(/^[\w-]+\.\d+\.[\w-]+$/);
});

test('an answer that arrives in another browser is used up at both', async () => {
  const attacker = newAgent(stage);
  const page = await attacker.visit(`${home}/page`);
  const back = new URL((await sso.signIn(attacker, page, 'ada', { until: /\.meshgate\/callback/ })).location!);
  // Neither answer of the provider is known: the code stays valid, and only the attempt is used up.
  await sso.control('/token', { lose: true, times: 1 });
  const target = { path: `${back.pathname}${back.search}`, headers: opening };
  expect((await a.send(host, target)).status).toBe(303);
  const Cookie = attacker
    .cookies(home)
    .map(({ key, value }) => `${key}=${value}`)
    .join('; ');
  for (const gateway of both) {
    const { status, headers } = await gateway.send(host, { ...target, headers: { ...opening, Cookie } });
    expect([status, JSON.stringify(headers).includes('__Host-Http-meshgate=')]).toEqual([400, false]);
  }
});

/** Sends twenty requests past the fresh time. */
async function refreshedOnce(): Promise<void> {
  const agent = await signIn();
  await makeStale(agent);
  await sso.forget();
  expect(await many(agent, 20)).toEqual(Array(20).fill(200));
  // A gateway that received no answer from etcd in time tries again later.
  await until(async () => (await ask(agent)).status === 200 && (await refreshes()).good > 0, {
    what: 'the refresh',
    everyMs: 100,
  });
  expect([await refreshes(), (await sso.calls())['/token']]).toEqual([{ good: 1, bad: 0 }, 1]);
}

test('twenty requests past the fresh time call the provider once, and none fails', refreshedOnce);

test('even if the provider is slow', async () => {
  const agent = await signIn();
  await makeStale(agent);
  await sso.forget();
  await sso.control('/token', { holdAnswer: true });
  const requested = many(agent, 20);
  // The provider has renewed and not answered, and requests other than the first one wait.
  await until(async () => (await refreshes()).good === 1, { what: 'the refresh' });
  const waiting = async () => {
    const counts = both.map((one) => new Memory(one, host).held('waiting checks'));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  await until(async () => (await waiting()) > 1, { what: 'the others' });
  await sso.control('/token');
  expect(await requested).toEqual(Array(20).fill(200));
  expect(await refreshes()).toEqual({ good: 1, bad: 0 });
});

test('a sign-out by the provider is known to both at their next read from etcd', async () => {
  const person = await newPerson('dana');
  const agent = await signIn(person);
  const cookie = cookieOf(agent);
  expect(await Promise.all(both.map((one) => at(one, cookie)))).toEqual([200, 200]);
  expect(await sso.signOut(person)).toBeGreaterThan(0);
  await gone(cookie);
});

/** Seconds since a gateway last knew all revocations of other replicas. */
const lag = async (gateway: Gateway) => (await metric(gateway, 'meshgate_revocations_lag_seconds'))[''];

const revoke = (gateway: Gateway, person: string) =>
  gateway.box.exec('meshgate', 'revoke', '--subject', `sso/${person}`);

test('a revocation at one is enforced at the other', async () => {
  const person = await newPerson('emil');
  const agent = await signIn(person);
  const { exitCode, stderr } = await revoke(a, person);
  expect([exitCode, stderr]).toEqual([0, 'recorded: every credential with this name is rejected from now on\n']);
  await gone(cookieOf(agent));
});

describe('etcd', () => {
  test('that does not answer during a storm renews nothing, so its requests pass unconfirmed; the next attempt asks the provider, once', async () => {
    const agent = await signIn();
    await makeStale(agent);
    await sso.forget();
    const before = cookieOf(agent);
    const marks = both.map(({ box }) => box.logs.mark());
    await Promise.all(etcd.members.map((one) => one.hang()));
    try {
      expect(await many(agent, 20)).toEqual(Array(20).fill(200));
      const lines = both.flatMap(({ box }, i) => box.logs.since(marks[i]!));
      expect(lines.join('\n')).toMatch(/a session is not renewed: etcd does not answer/);
    } finally {
      await Promise.all(etcd.members.map((one) => one.resume()));
    }
    expect([await refreshes(), cookieOf(agent)]).toEqual([{ good: 0, bad: 0 }, before]);
    await answers(first);
    // Five seconds after its failed attempt, a worker tries again. A storm in between causes no call and no cookie.
    await until(async () => (await many(agent, 20)).every((status) => status === 200) && cookieOf(agent) !== before, {
      what: 'the new cookie',
      everyMs: 100,
    });
    expect([await refreshes(), (await sso.calls())['/token']]).toEqual([{ good: 1, bad: 0 }, 1]);
  });

  test('with a node that hangs, sessions are renewed and revoked', async () => {
    const person = await newPerson('fay');
    await second.hang();
    try {
      await answers(first);
      await refreshedOnce();
      const agent = await signIn(person);
      await revoke(a, person);
      await gone(cookieOf(agent));
    } finally {
      await second.resume();
    }
  });

  test('with a dead node, sessions are renewed and revoked', async () => {
    const person = await newPerson('gus');
    await answers(second);
    await third.kill();
    await answers(first);
    await refreshedOnce();
    const agent = await signIn(person);
    await revoke(b, person);
    await gone(cookieOf(agent));
  });

  test('unavailable: sessions and earlier revocations stay in force, and health and log report their age', async () => {
    const agent = await signIn();
    const person = await newPerson('hal');
    const lost = await signIn(person);
    await revoke(a, person);
    await gone(cookieOf(lost));
    await second.kill();
    for (const gateway of both) expect(await lag(gateway)).toBeLessThan(5);
    const old = async () => (await Promise.all(both.map(health))).every((one) => one.revocations.state === 'warning');
    // They report it when they have not read etcd for five seconds.
    await until(old, { what: 'health to say it', everyMs: 100 });
    for (const gateway of both) {
      const { ready, revocations } = await health(gateway);
      expect([ready, revocations.reason]).toEqual([true, 'revocations_old']);
      expect(revocations.age).toBeGreaterThanOrEqual(5);
      expect(await lag(gateway)).toBeGreaterThanOrEqual(revocations.age);
      // The job of revocations reports it after health does.
      await gateway.box.logs.waitFor(/revocations are \d+ s old: etcd does not answer/, 0);
      expect([await at(gateway, cookieOf(agent)), await at(gateway, cookieOf(lost))]).toEqual([200, 401]);
    }
    // A revocation at this gateway is in force all the same, although no other gateway receives it now.
    const { exitCode } = await revoke(a, 'ada');
    expect(exitCode).toBe(1);
    expect(await at(a, cookieOf(agent))).toBe(401);
  });
});
