/** The tests' browser: it reaches containers by name over TLS, separates people, and reports what happened. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { shoot, startBrowser, startEcho, startSso, testStage, until, watch } from '../harness/index.ts';

const stage = await testStage('browser');
const origin = 'https://wiki.example.com:8443';
const [browser, wiki, stranger, sso] = await Promise.all([
  startBrowser(stage),
  startEcho(stage, { alias: 'wiki.example.com', tls: { pem: (await stage.ca.server('wiki.example.com')).pem } }),
  startEcho(stage, { alias: 'other.example.com', tls: { pem: (await stage.ca.server('not.example.com')).pem } }),
  startSso(stage, { origins: [origin] }),
]);
afterAll(() => browser.close());

test('opens a page of a container over TLS, and sends the headers of a browser', async () => {
  const person = await browser.person();
  const page = await person.newPage();
  const answer = await page.goto(`${origin}/page?x=1`);
  expect(answer?.status()).toBe(200);
  expect(JSON.parse((await page.textContent('body')) ?? '').url).toBe('/page?x=1');
  const [received] = await wiki.requests();
  const sent = Object.fromEntries(received!.headers.map(([name, value]) => [name.toLowerCase(), value]));
  expect(sent).toMatchObject({
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'sec-fetch-site': 'none',
    'sec-fetch-user': '?1',
  });
  await person.close();
});

test('refuses a certificate for another name', async () => {
  const person = await browser.person();
  const page = await person.newPage();
  const observed = watch(page);
  await expect(page.goto('https://other.example.com:8443/')).rejects.toThrow(/ERR_CERT_COMMON_NAME_INVALID/);
  await until(() => observed.requests.length > 0, { what: "Chromium's word that the request failed" });
  expect(observed.requests[0]).toMatchObject({ kind: 'document', came: 'net::ERR_CERT_COMMON_NAME_INVALID' });
  expect(await stranger.requests()).toEqual([]);
  await person.close();
});

test('keeps separate cookies for each person, HttpOnly cookies included', async () => {
  const [ada, ben] = await Promise.all([browser.person(), browser.person()]);
  const cookie = encodeURIComponent('set-cookie:__Host-x=1; Path=/; Secure; HttpOnly; SameSite=Lax');
  await (await ada.newPage()).goto(`${origin}/?echo-header=${cookie}`);
  await (await ben.newPage()).goto(`${origin}/`);
  expect(await ada.cookies()).toMatchObject([{ name: '__Host-x', value: '1', httpOnly: true, sameSite: 'Lax' }]);
  expect(await ben.cookies()).toEqual([]);
  await Promise.all([ada.close(), ben.close()]);
});

test('records the requests and the console errors of a page', async () => {
  const person = await browser.person();
  const page = await person.newPage();
  await page.goto(`${origin}/`);
  const observed = watch(page);
  const status = await page.evaluate("fetch('/rest?echo-status=401').then((answer) => answer.status)");
  expect(status).toBe(401);
  await until(() => observed.requests.length > 0 && observed.troubles.length > 0, {
    what: "Chromium's word of the request, and of the console",
  });
  expect(observed.requests).toEqual([
    { method: 'GET', url: `${origin}/rest?echo-status=401`, kind: 'fetch', came: 401 },
  ]);
  expect(observed.troubles.join()).toContain('401');
  await person.close();
});

test('signs in with the provider’s form, which leads back to another origin', async () => {
  const person = await browser.person();
  const page = await person.newPage();
  const query = new URLSearchParams({
    ...{ client_id: 'wiki', response_type: 'code', scope: 'openid', redirect_uri: `${origin}/.meshgate/callback` },
    ...{ code_challenge_method: 'S256', code_challenge: 'x'.repeat(43), state: 's' },
  });
  await page.goto(`${sso.issuer}/auth?${query}`);
  await sso.signInAt(page, 'ada');
  await page.waitForURL(/\/\.meshgate\/callback\?.*code=/);
  await page.goto(`${sso.issuer}/auth?${query}`);
  expect(page.url(), 'with a session there is no form').toMatch(/\/\.meshgate\/callback\?.*code=/);
  await person.close();
});

test('takes pictures at the width of a desktop and of a phone', async () => {
  const person = await browser.person();
  const page = await person.newPage();
  await page.goto(`${origin}/`);
  const file = join(mkdtempSync(join(tmpdir(), 'meshgate-shot-')), 'page');
  await shoot(page, file);
  const width = (path: string) => readFileSync(path).readUInt32BE(16);
  expect([width(`${file}.png`), width(`${file}-phone.png`)]).toEqual([1280, 390]);
  await person.close();
});
