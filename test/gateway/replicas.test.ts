/** Two gateways behind a TCP balancer share their sessions in etcd, of which one node hangs, then one is dead, then all. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/rotate-ring.ts';
import {
  type Gateway,
  newAgent,
  startEcho,
  startEtcd,
  startGateway,
  startService,
  startSso,
  testStage,
  type UserAgent,
  until,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const host = 'wiki.example.com';
const home = `https://${host}:8443`;
const FRESH = 4;

const policy = `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks, fresh: ${FRESH}s }
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
// First, so that browsers find it under the host's name.
await startService(stage, 'balancer', {
  alias: host,
  ports: [8443],
  env: { BACKENDS: 'gateway-a:8443 gateway-b:8443' },
});
const etcd = await startEtcd(stage);
const files = {
  '/run/secrets/sso': `${ssoSecret}\n`,
  '/run/secrets/session.jwks': newRing(Date.now() / 1000 - 7200),
  '/run/etcd/ca.pem': etcd.ca,
  '/run/etcd/cert.pem': etcd.client.cert,
  '/run/etcd/key.pem': etcd.client.key,
};
const start = (alias: string) => startGateway(stage, { policy, alias, files });
const [sso, a, b] = await Promise.all([
  startSso(stage, { origins: [home] }),
  start('gateway-a'),
  start('gateway-b'),
  startEcho(stage, { alias: 'wiki' }),
]);
const both = [a, b] as const;
const [first, second, third] = etcd.members;

async function signIn(person = 'ada'): Promise<UserAgent> {
  const agent = newAgent(stage);
  const page = await agent.visit(`${home}/page`);
  const back = await sso.signIn(agent, page, person);
  expect([back.status, back.url]).toEqual([200, `${home}/page`]);
  return agent;
}

const ask = (agent: UserAgent) => agent.fetch(`${home}/page`, { from: `${home}/page` });

const cookieOf = (agent: UserAgent): string =>
  `__Host-meshgate=${agent.cookies(home).find(({ key }) => key === '__Host-meshgate')!.value}`;

/** A script's request straight at one gateway. */
const at = async (gateway: Gateway, cookie: string) =>
  (await gateway.send(host, { path: '/page', headers: { Cookie: cookie } })).status;

const stale = () => new Promise((resolve) => setTimeout(resolve, FRESH * 1000 + 200));

const refreshes = async () => (await sso.grants()).refresh_token ?? { good: 0, bad: 0 };

const many = async (agent: UserAgent, count: number) =>
  (await Promise.all(Array.from({ length: count }, () => ask(agent)))).map(({ status }) => status);

const health = async (gateway: Gateway) => (await gateway.health('/.meshgate/readyz')).json();

/** Both know within a time that a session is no more. */
const gone = (cookie: string, timeoutMs = 2000) =>
  until(async () => (await Promise.all(both.map((one) => at(one, cookie)))).every((status) => status === 401), {
    what: 'both gateways to know',
    timeoutMs,
    help: () => both.map(({ box }) => box.logs.tail()).join('\n'),
  });

beforeAll(async () => {
  for (const gateway of both) {
    const ready = async () => (await health(gateway)).revocations?.state === 'ok';
    await until(ready, { what: 'etcd at the gateway', timeoutMs: 60_000, help: () => gateway.box.logs.tail() });
  }
  const ready = async () => (await newAgent(stage).visit(`${home}/page`)).url.startsWith('https://sso:8443/');
  await until(async () => (await ready()) && ready(), { what: 'the provider at both', timeoutMs: 60_000 });
});

afterAll(() => {
  for (const { box } of both) expect(box.logs.since(0).join('\n')).not.toMatch(/eyJ[\w-]{10}|refresh_token=/);
});

test('a sign-in that one gateway began the other one finishes, and both have the session', async () => {
  const agent = await signIn();
  expect(await Promise.all(both.map((one) => at(one, cookieOf(agent))))).toEqual([200, 200]);
  const keys = await first!.keys('/meshgate/session/');
  expect(keys.length).toBeGreaterThan(0);
  const value = await first!.get(keys[0]!);
  expect(value).toMatch(/^[\w-]+\.\d+\.[\w-]+$/);
});

/** Twenty requests past the fresh time. */
async function refreshedOnce(): Promise<void> {
  const agent = await signIn();
  await stale();
  await sso.forget();
  expect(await many(agent, 20)).toEqual(Array(20).fill(200));
  expect([await refreshes(), (await sso.calls())['/token']]).toEqual([{ good: 1, bad: 0 }, 1]);
}

test('twenty requests past the fresh time call the provider once, and none fails', refreshedOnce);

test('and with a provider that takes a second', async () => {
  await sso.control('/token', { answerMs: 1000 });
  const agent = await signIn();
  await stale();
  await sso.forget();
  expect(await many(agent, 20)).toEqual(Array(20).fill(200));
  await sso.control('/token');
  expect(await refreshes()).toEqual({ good: 1, bad: 0 });
});

test('a sign-out by the provider is seen by both within two seconds', async () => {
  const agent = await signIn('ben');
  const cookie = cookieOf(agent);
  expect(await Promise.all(both.map((one) => at(one, cookie)))).toEqual([200, 200]);
  expect(await sso.signOut('ben')).toBeGreaterThan(0);
  await gone(cookie);
});

test('what is called back at one is called back at the other', async () => {
  const agent = await signIn();
  const { exitCode, stderr } = await a.box.exec('meshgate', 'revoke', '--subject', 'sso/ada');
  expect([exitCode, stderr]).toEqual([0, 'revoked: no request passes with it any more\n']);
  await gone(cookieOf(agent));
});

describe('etcd', () => {
  test('with a node that hangs: sessions are renewed, and called back', async () => {
    await second!.hang();
    await until(async () => (await first!.keys('/x').catch(() => undefined)) !== undefined, {
      what: 'etcd',
      timeoutMs: 30_000,
    });
    await refreshedOnce();
    const agent = await signIn();
    await a.box.exec('meshgate', 'revoke', '--subject', 'sso/ada');
    await gone(cookieOf(agent), 10_000);
    await second!.resume();
  });

  test('with a dead node: the same', async () => {
    await until(async () => (await second!.keys('/x').catch(() => undefined)) !== undefined, {
      what: 'the node that hung',
      timeoutMs: 30_000,
    });
    await third!.kill();
    await until(async () => (await first!.keys('/x').catch(() => undefined)) !== undefined, {
      what: 'etcd',
      timeoutMs: 30_000,
    });
    await refreshedOnce();
    const agent = await signIn();
    await b.box.exec('meshgate', 'revoke', '--subject', 'sso/ada');
    await gone(cookieOf(agent), 10_000);
  });

  test('away: sessions work, what was called back stays so, and health and log say how old that is', async () => {
    const agent = await signIn();
    const lost = await signIn('ben');
    await a.box.exec('meshgate', 'revoke', '--subject', 'sso/ben');
    await gone(cookieOf(lost), 10_000);
    await second!.kill();
    const old = async () => (await Promise.all(both.map(health))).every((one) => one.revocations.state === 'warning');
    await until(old, { what: 'health to say it', timeoutMs: 20_000 });
    for (const gateway of both) {
      const { ready, revocations } = await health(gateway);
      expect([ready, revocations.reason]).toEqual([true, 'revocations_old']);
      expect(revocations.age).toBeGreaterThanOrEqual(5);
      await gateway.box.logs.waitFor(/revocations are \d+ s old: etcd does not answer/, 0);
      expect([await at(gateway, cookieOf(agent)), await at(gateway, cookieOf(lost))]).toEqual([200, 401]);
    }
    // Called back here all the same, though nobody else hears of it now.
    const { exitCode } = await a.box.exec('meshgate', 'revoke', '--subject', 'sso/ada');
    expect(exitCode).toBe(1);
    expect(await at(a, cookieOf(agent))).toBe(401);
  });
});
