/** People sign in with a real Chromium, at a real Keycloak that rotates refresh tokens, and at oidc-provider. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRing, rotateRing } from '../../src/session/keys/rotate-ring.ts';
import { SESSION_COOKIE } from '../../src/session/names.ts';
import {
  type BrowserContext,
  expectCleanLog,
  Memory,
  type Page,
  readyToSignIn,
  startBrowser,
  startEcho,
  startGateway,
  startKeycloak,
  startSso,
  testStage,
  until,
  waitForWorkers,
  withMemory,
  withoutIcons,
} from '../harness/index.ts';
import { keycloakSecret } from '../harness/keycloak.ts';
import { Sealer } from '../harness/sessions.ts';
import { ssoSecret } from '../harness/sso.ts';

const hosts = { keycloak: 'corp.example.com', sso: 'wiki.example.com' } as const;
const originOf = (host: string) => `https://${host}:8443`;
const ring = '/run/secrets/session.jwks';

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: ${ring} }
providers:
  keycloak:
    issuer: https://keycloak:8443/realms/corp
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/keycloak }
  sso:
    kind: generic
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
roles:
  staff: { any: [{ group: staff, provider: keycloak }, { group: staff, provider: sso }] }
headers: { X-Forwarded-User: email, X-Forwarded-Roles: roles }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${hosts.keycloak}: { providers: [keycloak], /*: { service: wiki, allow: [staff] } }
  ${hosts.sso}: { providers: [sso], /*: { service: wiki, allow: [staff] } }
`;

const stage = await testStage('chromium');
const keys = newRing(Date.now() / 1000 - 7200);
const [wiki, keycloak, sso, browser] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startKeycloak(stage, { origins: [originOf(hosts.keycloak)] }),
  startSso(stage, { origins: [originOf(hosts.sso)] }),
  startBrowser(stage),
]);
// The gateway starts after its providers: it fetches their keys at its start, and tries again only after a while.
const gateway = await startGateway(stage, {
  policy,
  workers: 2,
  mutate: withMemory,
  files: { [ring]: keys, '/run/secrets/keycloak': keycloakSecret, '/run/secrets/sso': ssoSecret },
});
afterAll(() => browser.close());

const memory = new Memory(gateway, hosts.sso);
const sealer = await Sealer.of(gateway.policy, keys);

let mark = 0;

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${originOf(hosts.keycloak)}/`, keycloak.issuer);
  await readyToSignIn(stage, gateway, `${originOf(hosts.sso)}/`, sso.issuer);
  mark = await waitForWorkers(gateway, hosts.sso);
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, hosts.sso);
  await expectCleanLog(gateway, since);
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/eyJ[\w-]{10}|[?&](code|state)=/);
  await wiki.clear();
});

const providers = {
  keycloak: {
    signInAt: (page: Page, person: string) => keycloak.signInAt(page, person),
    form: '#kc-form-login',
    refreshes: async () => {
      await keycloak.settle();
      return keycloak.events('REFRESH_TOKEN').length;
    },
    signOut: (person: string) => keycloak.signOut(person),
    // It knows by the hint who signs out, and shows no form.
    confirm: async () => {},
  },
  sso: {
    signInAt: (page: Page, person: string) => sso.signInAt(page, person),
    form: '#signin',
    refreshes: async () => (await sso.grants()).refresh_token?.good ?? 0,
    signOut: async (person: string) => void (await sso.signOut(person)),
    confirm: (page: Page) => page.click('button[type=submit], input[type=submit]'),
  },
} as const;

describe.each(['keycloak', 'sso'] as const)('at %s', (name) => {
  const provider = providers[name];
  const home = originOf(hosts[name]);

  /** Ada's browser, signed in. */
  async function signedIn(person: BrowserContext): Promise<Page> {
    const page = await person.newPage();
    await page.goto(`${home}/start`);
    await provider.signInAt(page, 'ada');
    await page.waitForURL(`${home}/start`);
    return page;
  }

  const own = async (person: BrowserContext) =>
    (await person.cookies(home)).filter((cookie) => cookie.name.startsWith(SESSION_COOKIE));
  const names = async (person: BrowserContext) => (await own(person)).map((cookie) => cookie.name);

  /** Sends requests of a page's script at once; returns their statuses. */
  const fetches = (page: Page, count: number): Promise<number[]> =>
    page.evaluate(
      `Promise.all(Array.from({ length: ${count} }, (_, i) => fetch('/rest/' + i).then((answer) => answer.status)))`,
    );

  /** Makes the session of a browser one that is past its fresh time. */
  async function makeStale(person: BrowserContext): Promise<void> {
    const [cookie] = await own(person);
    const value = await sealer.older(memory.records, hosts[name], cookie?.value ?? '', -1);
    await person.addCookies([
      { name: SESSION_COOKIE, value, url: home, secure: true, httpOnly: true, sameSite: 'Lax' },
    ]);
  }

  /** A cookie that the gateway sealed, of an expired session. */
  async function expire(person: BrowserContext): Promise<string> {
    const past = Math.floor(Date.now() / 1000) - 60;
    const session = sealer.session(
      name,
      { sub: 'ada', groups: ['staff'] },
      { sealed: past - 60, fresh: past, end: past },
    );
    const value = await sealer.seal(hosts[name], session);
    await person.addCookies([
      { name: SESSION_COOKIE, value, url: home, secure: true, httpOnly: true, sameSite: 'Lax' },
    ]);
    return value;
  }

  test('a page opens, and its exact URL is restored after sign-in', async () => {
    const person = await browser.person();
    const page = await person.newPage();
    await page.goto(`${home}/display/My%20Page?a=b&to=//evil.example#part`);
    await provider.signInAt(page, 'ada');
    await page.waitForURL(/\/display\//);
    expect(page.url().replace(/#.*/, '')).toBe(`${home}/display/My%20Page?a=b&to=//evil.example`);
    const seen = JSON.parse((await page.textContent('body')) ?? '');
    expect(Object.fromEntries(seen.headers)).toMatchObject({ 'X-Forwarded-User': 'ada@example.org' });
    expect(JSON.stringify(seen.headers)).not.toContain(SESSION_COOKIE);
    expect(await own(person)).toMatchObject([{ name: SESSION_COOKIE, httpOnly: true, secure: true, sameSite: 'Lax' }]);
    await person.close();
  });

  test('a script cannot set a cookie of the gateway, partitioned or not, beside the session or of an attempt', async () => {
    const person = await browser.person();
    const page = await signedIn(person);
    const before = (await own(person)).map(({ name, value }) => [name, value]);
    for (const form of ['', '; Partitioned', '; SameSite=None; Partitioned', '; Max-Age=34560000; Partitioned']) {
      for (const name of [SESSION_COOKIE, `${SESSION_COOKIE}-a-1.abcdefgh`]) {
        await page.evaluate(`document.cookie = ${JSON.stringify(`${name}=x; Path=/; Secure${form}`)}`);
      }
    }
    expect((await own(person)).map(({ name, value }) => [name, value])).toEqual(before);
    // The same script can set other cookies.
    await page.evaluate("document.cookie = '__Host-other=x; Path=/; Secure; Partitioned'");
    expect((await person.cookies(home)).map((cookie) => cookie.name)).toContain('__Host-other');
    expect((await page.goto(`${home}/again`))?.status()).toBe(200);
    await person.close();
  });

  test('ten tabs at once each reach their page, and no attempt cookie is left', async () => {
    const person = await browser.person();
    // From here on the browser has a connection to the provider, which all tabs share.
    await signedIn(person);
    await person.clearCookies({ name: SESSION_COOKIE });
    const tabs = await Promise.all(Array.from({ length: 10 }, () => person.newPage()));
    await Promise.all(tabs.map((tab, i) => tab.goto(`${home}/tab/${i}`)));
    expect(tabs.map((tab) => tab.url())).toEqual(tabs.map((_, i) => `${home}/tab/${i}`));
    expect(await names(person)).toEqual([SESSION_COOKIE]);
    await person.close();
  });

  test('of ten tabs without a session one signs in, and the others recover with a reload', async () => {
    const person = await browser.person();
    const first = await person.newPage();
    await first.goto(`${home}/tab/0`);
    await first.waitForSelector(provider.form);
    // Keycloak treats these as tabs of the first tab's visit; if tabs come all at once it forgets most of them.
    const others = await Promise.all(Array.from({ length: 9 }, () => person.newPage()));
    await Promise.all(others.map((tab, i) => tab.goto(`${home}/tab/${i + 1}`)));
    await provider.signInAt(first, 'ada');
    await first.waitForURL(`${home}/tab/0`);
    // They show the provider's form, or have left it: Keycloak's form notices a sign-in.
    for (const [i, tab] of others.entries()) {
      const url = `${home}/tab/${i + 1}`;
      const there = async () => (await tab.goto(url).catch(() => undefined))?.ok() && tab.url() === url;
      // Its own script may leave the form at the same moment, which ends this navigation; then the page is opened
      // again.
      await until(there, { what: `the tab to show ${url}`, help: () => tab.url() });
    }
    await person.close();
  });

  test('twenty requests of a session that is not fresh make one call to the provider, and none fails', async () => {
    const person = await browser.person();
    const page = await signedIn(person);
    const before = await provider.refreshes();
    await makeStale(person);
    expect(await fetches(page, 20)).toEqual(Array(20).fill(200));
    expect((await provider.refreshes()) - before).toBe(1);
    await person.close();
  });

  test('thirty script requests with an expired session receive thirty 401 responses and no cookie', async () => {
    const person = await browser.person();
    const page = await signedIn(person);
    const cookie = await expire(person);
    // A request that is redirected to the provider would fail, or would not be a 401.
    expect(await fetches(page, 30)).toEqual(Array(30).fill(401));
    expect((await own(person)).map(({ name, value }) => [name, value])).toEqual([[SESSION_COOKIE, cookie]]);
    await person.close();
  });

  test('a form that is sent after its session ended is explained, and sent by a reload', async () => {
    const person = await browser.person();
    const page = await signedIn(person);
    await expire(person);
    await wiki.clear();
    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.evaluate(`
      document.body.innerHTML = '<form method="post" action="/edit/1"><input name="text" value="written for long"></form>';
      document.forms[0].submit();
    `);
    expect((await answer).status()).toBe(401);
    await page.waitForURL(`${home}/edit/1`);
    expect(await page.textContent('body')).toMatch(/another tab/i);
    expect(withoutIcons(await wiki.requests())).toEqual([]);
    const other = await person.newPage();
    await other.goto(`${home}/other`);
    expect(other.url()).toBe(`${home}/other`);
    await page.reload();
    const sent = (await wiki.requests()).filter(({ method }) => method === 'POST');
    expect(sent.map(({ url, body }) => [url, body?.text])).toEqual([['/edit/1', 'text=written+for+long']]);
    await person.close();
  });

  test('signing out ends the session at the gateway and at the provider', async () => {
    const person = await browser.person();
    const page = await signedIn(person);
    await page.goto(`${home}/.meshgate/signout`);
    await page.click('button');
    await page.waitForURL((url) => url.origin !== home || url.search.includes('state='));
    if (!page.url().startsWith(home)) await provider.confirm(page);
    await page.waitForURL(/\/\.meshgate\/signout\?state=/);
    expect(await page.textContent('body')).toMatch(/signed out/i);
    expect(await own(person)).toEqual([]);
    await page.goto(`${home}/start`);
    await page.waitForSelector(provider.form);
    await person.close();
  });

  test('a session survives a reload of nginx and a rotation of the keys', async () => {
    const person = await browser.person();
    const page = await signedIn(person);
    await gateway.reload();
    expect(await fetches(page, 4)).toEqual(Array(4).fill(200));
    const rotated = await rotateRing(keys, Date.now() / 1000, 86_400, true);
    if (!rotated.ok) throw new Error(rotated.error);
    expect(rotated.seals).toBe(true);
    await gateway.box.write({ [ring]: rotated.text });
    await page.goto(`${home}/after`);
    expect(page.url()).toBe(`${home}/after`);
    await person.close();
  });
});

test('a session survives a restart: the provider confirms it on the first page', async () => {
  // nginx refuses a request that it has not yet checked when it stops, and logs that: none may be in flight.
  const person = await browser.person({ icons: false });
  const page = await person.newPage();
  await page.goto(`${originOf(hosts.keycloak)}/start`);
  await keycloak.signInAt(page, 'ada');
  await page.waitForURL(/\/start$/);
  await gateway.box.restart();
  await readyToSignIn(stage, gateway, `${originOf(hosts.keycloak)}/`, keycloak.issuer);
  await page.goto(`${originOf(hosts.keycloak)}/again`);
  expect(page.url()).toMatch(/\/again$/);
  expect(await page.textContent('body')).toContain('ada@example.org');
  await person.close();
});
