/** What a real Chromium shows the next person of one browser: no page of the person before, from no cache. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  type BrowserContext,
  type Page,
  readyToSignIn,
  startBrowser,
  startEcho,
  startGateway,
  startSso,
  testStage,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const home = 'https://wiki.example.com:8443';
const ring = '/run/secrets/session.jwks';

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: ${ring} }
providers:
  sso:
    kind: generic
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups] }
roles: { staff: { group: staff } }
headers: { X-Forwarded-User: email }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.example.com: { /*: { service: wiki, allow: [staff] } }
`;

const stage = await testStage('browser-cache');
const [, sso, browser] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startSso(stage, { origins: [home] }),
  startBrowser(stage),
]);
const gateway = await startGateway(stage, {
  policy,
  files: { [ring]: newRing(Date.now() / 1000 - 7200), '/run/secrets/sso': ssoSecret },
});
beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/`, sso.issuer);
  await sso.change('ben', { groups: ['staff'] });
});
afterAll(() => browser.close());

const page = (...headers: readonly string[]) =>
  `${home}/page?${new URLSearchParams(headers.map((header): [string, string] => ['echo-header', header]))}`;

const services = [
  ['says nothing about caches', page()],
  ['says only when the page was changed', page('Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT')],
  ['lets browsers store the page for an hour', page('Cache-Control: max-age=3600')],
] as const;

async function signIn(tab: Page, person: string): Promise<void> {
  await tab.goto(`${home}/.meshgate/signin?in&to=/start`);
  await sso.signInAt(tab, person);
  await tab.waitForURL(`${home}/start`);
}

/** How ben's session comes to the browser in which ada's was. */
const changes = {
  'after a sign-out': async (tab: Page) => {
    await tab.goto(`${home}/.meshgate/signout`);
    await tab.click('button');
    await tab.waitForURL((url) => url.origin !== home);
    await tab.click('button[type=submit], input[type=submit]');
    await tab.waitForURL(/\/\.meshgate\/signout\?state=/);
    await signIn(tab, 'ben');
  },
  'in place of her session': async (tab: Page, person: BrowserContext) => {
    await person.clearCookies({ domain: 'sso' });
    await signIn(tab, 'ben');
  },
} as const;

describe.each(Object.entries(changes))('ben, who signs in %s,', (_, change) => {
  test.each(services)('sees no page of ada if the service %s', async (_, url) => {
    const person = await browser.person({ icons: false });
    const tab = await person.newPage();
    await signIn(tab, 'ada');
    const [back, again] = await Promise.all([person.newPage(), person.newPage()]);
    for (const one of [back, again]) {
      await one.goto(url);
      expect(await one.textContent('body')).toContain('ada@example.org');
      await one.goto('about:blank');
    }
    await change(tab, person);
    await back.goBack();
    await again.goto(url);
    for (const one of [back, again]) {
      expect(one.url()).toBe(url);
      const shown = await one.textContent('body');
      expect(shown).toContain('ben@example.org');
      expect(shown).not.toContain('ada@example.org');
    }
    await person.close();
  });
});

test.each(services)(
  'asks again for a page of which the service %s only where the service leaves it open',
  async (_, url) => {
    const person = await browser.person({ icons: false });
    const tab = await person.newPage();
    await signIn(tab, 'ada');
    const first = await (await tab.goto(url))?.headerValue('Cache-Control');
    expect(first).toBe(url.includes('max-age') ? 'max-age=3600' : 'private, no-cache');
    await person.close();
  },
);
