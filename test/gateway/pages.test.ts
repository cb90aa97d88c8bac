/**
 * The gateway's pages in a real browser: their forms lead to the provider under the pages' own policy, and back. Each
 * click waits for the URL that it leads to, or for the element that it shows.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type BrowserContext,
  type Page,
  readyToSignIn,
  startBrowser,
  startEcho,
  startGateway,
  startProvider,
  testStage,
  until,
  watch,
} from '../harness/index.ts';
import { timeline } from '../timelines.ts';

const stage = await testStage('pages');
const host = 'wiki.example.com';
const origin = `https://${host}:8443`;
const logo = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><circle r="5"/></svg>';

const provider = (name: string, alias: string, domain: string) => `
  ${name}:
    issuer: https://${alias}:8443
    ca_file: /run/provider-ca.pem
    subject: { prefix: ${name}- }
    client: { id: gateway, secret_file: /run/secrets/${name} }
    signin: { scopes: [openid, email, groups], label: ${name}, domains: [${domain}] }`;

const [gateway, browser] = await Promise.all([
  startGateway(stage, {
    policy: `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { pages_dir: /etc/meshgate/pages }
providers:${provider('staff', 'provider', 'example.org')}${provider('partners', 'other', 'example.net')}
roles:
  editor: { group: confluence-editors, provider: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    providers: [staff, partners]
    owner: wiki-team@example.org
    ask: https://tickets.example.org/new?reason={reason}
    /*: { service: wiki, allow: [authenticated] }
    /edit/*: { service: wiki, allow: [editor] }
`,
    files: {
      '/etc/meshgate/pages/page.html':
        '<!doctype html><html lang="{{lang}}"><head><title>{{title}}</title><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="{{stylesheet}}"></head><body><img src="/.meshgate/assets/logo.svg" alt="Example"><main>{{main}}</main></body></html>',
      '/etc/meshgate/pages/logo.svg': logo,
      '/etc/meshgate/pages/de.json': '{"signedout.title":"Tschüss"}',
    },
  }),
  startBrowser(stage),
  startEcho(stage, { alias: 'wiki' }),
  startProvider(stage, { name: 'staff', origins: [origin] }),
  startProvider(stage, { alias: 'other', name: 'partners', origins: [origin] }),
]);
afterAll(() => browser.close());

beforeAll(() =>
  readyToSignIn(stage, gateway, `${origin}/.meshgate/signin?in&provider=staff&to=/`, 'https://provider:8443'),
);

/** A tab of a new person, with the messages that must never appear in its console. */
async function open(path: string): Promise<{ person: BrowserContext; tab: Page; violations(): readonly string[] }> {
  const person = await browser.person();
  const tab = await person.newPage();
  const { troubles } = watch(tab);
  await tab.goto(origin + path);
  return { person, tab, violations: () => troubles.filter((text) => /Content.Security.Policy/i.test(text)) };
}

/** Signs in at the provider's own page. */
async function login(tab: Page, name: string): Promise<void> {
  await tab.fill('input[name=login]', name);
  await tab.fill('input[name=password]', 'x');
  await Promise.all([tab.waitForURL(`${origin}/**`), tab.click('button[type=submit]')]);
}

test('the chooser finds a provider by the e-mail address, and leads back to the page', async () => {
  const { person, tab, violations } = await open('/display/HOME?a=b');
  expect(await tab.title()).toBe('Sign in');
  await tab.fill('input[type=email]', 'person@example.com');
  await tab.click('button');
  await tab.waitForSelector('[role=alert]');
  await tab.fill('input[type=email]', 'ada@example.org');
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.click('button')]);
  await login(tab, 'ada');
  expect(tab.url()).toBe(`${origin}/display/HOME?a=b`);
  expect(violations()).toEqual([]);
  await person.close();
});

test('a refusal shows the owner and a picture of the operator, and writes nothing to the console', async () => {
  const { person, tab, violations } = await open('/edit/page');
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.click('text=Continue with staff')]);
  await login(tab, 'ben');
  expect(await tab.textContent('h1')).toBe('You may not open this page');
  expect(await tab.getAttribute('main a.button', 'href')).toBe('https://tickets.example.org/new?reason=role_missing');
  const seen = await tab.evaluate(
    "[document.images[0].naturalWidth, getComputedStyle(document.querySelector('a.button')).display]",
  );
  expect(seen).toEqual([10, 'inline-block']);
  expect(violations()).toEqual([]);
  await person.close();
});

test('signing out asks, leads to the provider, and ends', async () => {
  const { person, tab, violations } = await open('/page');
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.click('text=Continue with staff')]);
  await login(tab, 'ada');
  await tab.goto(`${origin}/.meshgate/signout`);
  expect(await tab.textContent('h1')).toBe('Sign out?');
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.click('button')]);
  expect((await person.cookies(origin)).map(({ name }) => name)).not.toContain('__Host-Http-meshgate');
  expect(violations()).toEqual([]);
  await person.close();
});

test.each([
  ['the page appears with the first click', 'start'],
  ['a window above the page closes with the first click', 'above'],
])('a double click that began elsewhere answers no question: %s', async (_, way) => {
  const { person, tab } = await open('/page');
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.click('text=Continue with staff')]);
  await login(tab, 'ada');
  const query = `${origin}/.meshgate/signout`;
  await tab.goto(query);
  const spot = (await tab.locator('button').boundingBox())!;
  const [x, y] = [spot.x + spot.width / 2, spot.y + spot.height / 2];
  const session = async () => (await person.cookies(origin)).some(({ name }) => name === '__Host-Http-meshgate');
  if (way === 'start') {
    await tab.goto(`${origin}/page`);
    await tab.mouse.move(x, y);
    await tab.evaluate(`addEventListener('mousedown', () => { location = '${query}'; }, { once: true })`);
    await Promise.all([tab.waitForURL(query), tab.mouse.click(x, y)]);
  } else {
    // The page was loaded long ago; the pointer enters it with the click.
    await tab.mouse.move(x, -10);
    await until(() => tab.evaluate('document.getAnimations().length === 0'), { what: 'the end of the animations' });
  }
  const answered: string[] = [];
  tab.on('request', (request) => answered.push(`${request.method()} ${request.url()}`));
  await tab.mouse.dblclick(x, y);
  // The rule is over at the end of the animations: only then the button has an effect.
  await until(() => tab.evaluate('document.getAnimations().length === 0'), { what: 'the end of the animations' });
  expect([tab.url(), answered, await session()]).toEqual([query, [], true]);
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.mouse.click(x, y)]);
  expect(await session()).toBe(false);
  await person.close();
});

test('a form without a session is explained, and sent again after a sign-in in another tab', async () => {
  const { person, tab, violations } = await open('/page');
  await Promise.all([tab.waitForURL('https://provider:8443/**'), tab.click('text=Continue with staff')]);
  await login(tab, 'ada');
  await person.clearCookies({ domain: host });
  await Promise.all([
    tab.waitForNavigation(),
    tab.evaluate(`{
      const form = document.createElement('form');
      form.method = 'post';
      form.action = '/save?x=1';
      form.innerHTML = '<input name=text value=kept>';
      document.body.append(form);
      form.submit();
    }`),
  ]);
  expect(await tab.textContent('h1')).toBe('Your input was not sent');
  const [other] = await Promise.all([person.waitForEvent('page'), tab.click('ol a')]);
  await other.waitForSelector('text=Continue with staff');
  // The provider still knows them.
  await Promise.all([other.waitForURL(`${origin}/`), other.click('text=Continue with staff')]);
  await tab.reload();
  expect(JSON.parse((await tab.textContent('body')) ?? '')).toMatchObject({ method: 'POST', url: '/save?x=1' });
  expect(violations()).toEqual([]);
  await person.close();
});

test('a page uses the operator’s texts, in the language of the browser', async () => {
  const answer = await gateway.send(host, { path: '/.meshgate/signout', headers: { 'Accept-Language': 'de-CH' } });
  expect([answer.status, answer.header('Content-Language')]).toEqual([200, 'de']);
  expect(answer.text).toContain('<h1>Tschüss</h1>');
  expect(answer.text).toContain('<html lang="de">');
});

test('the page of meshgate trace has its colours under its own policy, in light and dark, and a keyboard opens its details', async () => {
  const person = await browser.person();
  const tab = await person.newPage();
  const { requests, troubles } = watch(tab);
  await tab.setContent(await timeline());
  const back = () => tab.evaluate('getComputedStyle(document.body).backgroundColor');
  await tab.emulateMedia({ colorScheme: 'light' });
  const light = await back();
  await tab.emulateMedia({ colorScheme: 'dark' });
  expect([light, await back()]).toEqual(['rgb(244, 245, 247)', 'rgb(20, 23, 27)']);
  for (const key of ['Tab', 'Tab', 'Enter']) await tab.keyboard.press(key);
  expect(await tab.locator('details[open]').count()).toBe(1);
  expect([requests, troubles]).toEqual([[], []]);
  await person.close();
});
