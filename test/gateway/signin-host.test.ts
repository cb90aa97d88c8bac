/** One sign-in host for many hosts: one callback, and a handover to each. */
import { afterEach, beforeAll, expect, test } from 'vitest';
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
  type Visited,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const [WIKI, DASH, AUTH] = ['wiki.example.com', 'dash.example.net', 'auth.example.org'] as const;
/** A name below a wildcard whose owner in DNS is an attacker. */
const WILD = 'a.apps.example.com';
const originOf = (host: string) => `https://${host}:8443`;
const [wikiHome, dashHome, authHome, wildHome] = [WIKI, DASH, AUTH, WILD].map(originOf) as [
  string,
  string,
  string,
  string,
];

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { host: ${AUTH}, ${MANY_SIGNINS} }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
roles:
  staff: { group: staff }
headers: { X-Forwarded-User: subject }
services:
  echo: { insecure_url: "http://echo:8080" }
hosts:
  ${WIKI}:
    /*: { service: echo, allow: [staff] }
  ${DASH}:
    /*: { service: echo, allow: [staff] }
  "*.apps.example.com":
    /*: { service: echo, allow: [staff] }
`;

const stage = await testStage('signin-host');
const [gateway, echo, sso] = await Promise.all([
  startGateway(stage, { policy, alias: WILD, files: { '/run/secrets/sso': ssoSecret } }),
  startEcho(stage),
  startSso(stage, { origins: [authHome] }),
]);

let mark = 0;

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${wikiHome}/`, sso.issuer);
  mark = await waitForWorkers(gateway, WIKI);
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, WIKI);
  await expectCleanLog(gateway, since);
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/[?&](code|state|ticket|for)=|eyJ[\w-]{10}/);
  await echo.clear();
});

const pathsOf = ({ hops }: Visited) => hops.map(({ url }) => new URL(url).hostname + new URL(url).pathname);
const names = (agent: UserAgent, origin: string) => agent.cookies(origin).map(({ key }) => key);

/** Follows a sign-in as far as the ticket. */
async function handedOver(agent: UserAgent): Promise<string> {
  const first = await agent.visit(`${wikiHome}/page`);
  const page = await sso.signIn(agent, first, 'ada', { until: /\/\.meshgate\/handover/ });
  return page.location!;
}

test('people sign in once, and each host has its own session', async () => {
  const agent = newAgent(stage);
  const page = await sso.signIn(agent, await agent.visit(`${wikiHome}/page?x=1`), 'ada');
  expect([page.url, page.status]).toEqual([`${wikiHome}/page?x=1`, 200]);
  expect(pathsOf(page).slice(-3)).toEqual([`${AUTH}/.meshgate/callback`, `${WIKI}/.meshgate/handover`, `${WIKI}/page`]);
  // The other host shows no form.
  const other = await agent.visit(`${dashHome}/board`);
  expect([other.url, other.status]).toEqual([`${dashHome}/board`, 200]);
  expect(pathsOf(other).slice(0, 3)).toEqual([`${DASH}/board`, `${DASH}/.meshgate/signin`, `${AUTH}/.meshgate/signin`]);
  expect(names(agent, wikiHome)).toEqual(['__Host-Http-meshgate']);
  expect(names(agent, dashHome)).toEqual(['__Host-Http-meshgate']);
  expect(names(agent, authHome)).toEqual([]);
  for (const received of await echo.requests()) expect(valuesOf(received, 'X-Forwarded-User')).toEqual(['ada']);
  const value = (origin: string) => agent.cookies(origin)[0]!.value;
  const planted = newAgent(stage);
  planted.setCookie(`__Host-Http-meshgate=${value(wikiHome)}; Path=/; Secure`, dashHome);
  expect((await planted.visit(`${dashHome}/board`, { follow: false })).status).toBe(303);
});

test('a ticket is valid once, in the browser that began, at the host that requested it', async () => {
  const agent = newAgent(stage);
  const ticket = await handedOver(agent);
  const twin = agent.twin();
  const victim = newAgent(stage);
  const planted = await handedOver(newAgent(stage));
  const stolen = await victim.visit(planted, { follow: false });
  expect(stolen.location).toMatch(new RegExp(`^${authHome}/\\.meshgate/signin\\?for=`));
  expect(names(victim, wikiHome)).not.toContain('__Host-Http-meshgate');
  const elsewhere = await agent.visit(ticket.replace(WIKI, DASH), { follow: false });
  expect([elsewhere.status, names(agent, dashHome)]).toEqual([400, []]);
  expect((await agent.visit(`${ticket.slice(0, -4)}AAAA`, { follow: false })).status).toBe(400);
  expect((await agent.visit(ticket)).url).toBe(`${wikiHome}/page`);
  const again = await twin.visit(ticket, { follow: false });
  expect([again.status, names(twin, wikiHome).includes('__Host-Http-meshgate')]).toEqual([400, false]);
});

test('a ticket that arrives in another browser is used up for the one that began', async () => {
  const attacker = newAgent(stage);
  const ticket = await handedOver(attacker);
  await newAgent(stage).visit(ticket, { follow: false });
  const stolen = await attacker.visit(ticket, { follow: false });
  expect([stolen.status, stolen.text.includes('attempt_unknown')]).toEqual([400, true]);
  expect(names(attacker, wikiHome)).not.toContain('__Host-Http-meshgate');
});

test('for a host by wildcard each browser is asked, even if another browser has already agreed', async () => {
  const attacker = newAgent(stage);
  const query = await attacker.visit(`${wildHome}/page`);
  expect([query.status, new URL(query.url).host]).toEqual([200, new URL(authHome).host]);
  expect(query.text).toContain(WILD);
  const confirmed = await attacker.submit(query, {}, { follow: 1, until: /^https:\/\/sso:/ });
  const state = new URL(confirmed.location!).searchParams.get('state');
  // The victim is signed in at the provider, which would show no form.
  const victim = newAgent(stage);
  await sso.signIn(victim, await victim.visit(`${wikiHome}/page`), 'ada');
  await sso.forget();
  for (const link of [`${authHome}/.meshgate/callback?state=${state}&code=junk`, confirmed.location!]) {
    const requested = await victim.visit(link);
    expect([requested.status, requested.url.startsWith(`${authHome}/.meshgate/signin?for=`)]).toEqual([200, true]);
    expect(requested.text).toContain(WILD);
    expect(requested.hops.filter(({ url }) => url.startsWith(wildHome))).toEqual([]);
    expect((await sso.grants()).authorization_code?.good ?? 0).toBe(0);
  }
  // A person who began and answered in one browser is signed in, with an attempt that no other browser has shown.
  const again = await attacker.visit(`${wildHome}/page`);
  const page = await sso.signIn(attacker, await attacker.submit(again, {}), 'ada');
  expect([page.url, page.status]).toEqual([`${wildHome}/page`, 200]);
});

test('a failure is shown on a page there, and the sign-in host serves nothing else', async () => {
  const agent = newAgent(stage);
  const callback = await agent.visit(`${authHome}/.meshgate/callback?code=x&state=y`);
  expect([callback.status, callback.text.includes('attempt_unknown')]).toEqual([400, true]);
  expect((await agent.visit(`${authHome}/.meshgate/signin?for=x.y.z`)).status).toBe(400);
  expect((await agent.visit(`${authHome}/page`)).status).toBe(404);
  expect((await agent.visit(`${wikiHome}/.meshgate/callback?code=x&state=y`)).status).toBeGreaterThanOrEqual(400);
  expect(await echo.requests()).toEqual([]);
});
