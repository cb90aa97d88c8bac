/** The tests' own user agent against Chromium: both send the same headers, and keep the same cookies. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  newAgent,
  type Page,
  type Received,
  startBrowser,
  startEcho,
  testStage,
  until,
  withoutIcons,
} from '../harness/index.ts';

const stage = await testStage('agent');
const certified = async (alias: string) =>
  startEcho(stage, { alias, tls: { pem: (await stage.ca.server(alias)).pem } });
const [browser, wiki, sibling, idp] = await Promise.all([
  startBrowser(stage),
  certified('wiki.example.com'),
  certified('auth.example.com'),
  certified('idp.example.org'),
]);
const echoes = [wiki, sibling, idp];
const [home, near, far] = echoes.map(({ alias }) => `https://${alias}:8443`) as [string, string, string];
afterAll(() => browser.close());
beforeEach(() => Promise.all(echoes.map((echo) => echo.clear())));

const start = `${home}/start?echo-header=content-type:text/html`;
const from = start;

/** A query that makes the echo service answer with these headers. */
const answering = (...headers: readonly string[]) =>
  headers.map((header) => `echo-header=${encodeURIComponent(header)}`).join('&');
const redirecting = (to: string, status = 303) => `echo-status=${status}&${answering(`Location:${to}`)}`;

const compared =
  /^(host|accept|accept-language|cache-control|pragma|cookie|content-type|origin|referer|upgrade-insecure-requests|sec-(fetch|purpose).*)$/i;

const received = async (): Promise<Received[]> =>
  withoutIcons((await Promise.all(echoes.map((echo) => echo.requests()))).flat());

/** Returns what the services received since the last call, without values that differ from run to run. */
async function heard(): Promise<unknown[]> {
  const all = await received();
  await Promise.all(echoes.map((echo) => echo.clear()));
  return all.map(({ service, method, url, headers, body }) => ({
    service,
    method,
    url,
    headers: Object.fromEntries(
      headers.filter(([name]) => compared.test(name)).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    body: body?.text,
  }));
}

/**
 * Opens a page of the wiki in Chromium, performs actions one after the other, and returns what the services received
 * because of them.
 */
async function inChromium(acts: ((page: Page) => Promise<unknown>) | ((page: Page) => Promise<unknown>)[], each = 1) {
  const person = await browser.person();
  const page = await person.newPage();
  await page.goto(start);
  const reported: unknown[] = [];
  for (const act of [acts].flat()) {
    await heard();
    await act(page);
    await until(async () => (await received()).length >= each, {
      what: `${each} requests of Chromium at the services`,
    });
    reported.push(...(await heard()));
  }
  await person.close();
  return reported;
}

/** DevTools runs a script as if a person had just clicked. */
const script = (text: string) => (page: Page) => page.evaluate(text);

describe('sends the headers that Chromium sends', () => {
  const agent = () => newAgent(stage);

  test('when a person types an address', async () => {
    const real = await inChromium((page) => page.goto(`${home}/page?x=1`));
    await agent().visit(`${home}/page?x=1`);
    expect(await heard()).toEqual(real);
  });

  test('when redirects lead to another site and back', async () => {
    const path = `/a?${redirecting(`${far}/b?${redirecting(`${home}/c`)}`)}`;
    const real = await inChromium((page) => page.goto(home + path), 3);
    const visited = await agent().visit(home + path);
    expect(await heard()).toEqual(real);
    expect(visited.hops.map(({ answer }) => answer.status)).toEqual([303, 303, 200]);
    expect(visited.url).toBe(`${home}/c`);
  });

  test('when a script leads to another site, which leads back', async () => {
    const path = `/b?${redirecting(`${home}/c`)}`;
    const real = await inChromium(script(`location = ${JSON.stringify(far + path)}`), 2);
    await agent().visit(far + path, { from });
    expect(await heard()).toEqual(real);
  });

  test('when a form is sent to a sibling host, which redirects', async () => {
    const to = `${near}/form?${redirecting(`${far}/after`)}`;
    const write = `document.body.innerHTML = '<form method="post"><input type="hidden" name="a" value="1 &amp; 2"></form>';
      const form = document.querySelector('form'); form.action = ${JSON.stringify(to)}; form.submit()`;
    const real = await inChromium(script(write), 2);
    await agent().visit(to, { from, body: new URLSearchParams({ a: '1 & 2' }) });
    expect(await heard()).toEqual(real);
  });

  test('for fetch and XMLHttpRequest, to the same and to other origins', async () => {
    const post = { method: 'POST', body: 'x', headers: { 'Content-Type': 'application/json' } };
    const xhr = `const x = new XMLHttpRequest(); x.open('GET', '/rest'); x.onload = () => done(1); x.send()`;
    const real = await inChromium([
      script(`fetch('/rest')`),
      script(`new Promise((done) => { ${xhr} })`),
      script(`fetch('/rest', ${JSON.stringify(post)})`),
      script(`fetch(${JSON.stringify(`${near}/rest`)}).catch(() => 0)`),
      script(`fetch(${JSON.stringify(`${far}/rest`)}).catch(() => 0)`),
    ]);
    const own = agent();
    for (const url of [`${home}/rest`, `${home}/rest`]) await own.fetch(url, { from });
    await own.fetch(`${home}/rest`, { from, ...post });
    for (const url of [`${near}/rest`, `${far}/rest`]) await own.fetch(url, { from });
    expect(await heard()).toEqual(real);
  });

  test('for an EventSource and a WebSocket', async () => {
    const events = '/events?echo-events=1';
    const socket = 'wss://wiki.example.com:8443/socket';
    const real = await inChromium([
      script(`new EventSource(${JSON.stringify(events)}).onmessage = (e) => e.target.close()`),
      script(`new WebSocket(${JSON.stringify(socket)})`),
    ]);
    const own = agent();
    await own.events(home + events, { from });
    const opened = await own.webSocket(socket, { from });
    expect(opened.answer.status).toBe(101);
    opened.socket?.destroy();
    expect(await heard()).toEqual(real);
  });
});

describe('keeps the cookies that Chromium keeps', () => {
  const long = 'x'.repeat(4090);
  const cookies = [
    'plain=1',
    'under=1; Path=/under',
    'secure=1; Path=/; Secure; HttpOnly; SameSite=Lax',
    'strict=1; Path=/; Secure; SameSite=Strict',
    '__Host-good=1; Path=/; Secure; HttpOnly',
    '__Host-path=1; Path=/under; Secure',
    '__Host-open=1; Path=/',
    '__Host-wide=1; Path=/; Secure; Domain=example.com',
    '__Secure-open=1; Path=/',
    'wide=1; Path=/; Domain=example.com; Secure',
    'foreign=1; Path=/; Domain=example.org',
    'old=1; Path=/; Max-Age=0',
    `fits=${long}; Path=/; Secure`,
    `large=${long}xxx; Path=/; Secure`,
  ];
  const path = `/under/page?${answering(...cookies.map((cookie) => `Set-Cookie:${cookie}`))}`;
  // Chromium treats a cookie without SameSite as Lax.
  const shape = ({ name, path, domain, httpOnly, secure }: { [key in string]?: unknown }) =>
    `${name} ${path} ${String(domain).replace(/^\./, '')} ${httpOnly} ${secure}`;

  test('keeps cookies by prefix, domain, path, age and size', async () => {
    const person = await browser.person();
    const page = await person.newPage();
    await page.goto(home + path);
    const real = (await person.cookies()).map((cookie) => shape(cookie as never)).toSorted();
    const agent = newAgent(stage);
    await agent.visit(home + path);
    const kept = agent.allCookies().map((cookie) => shape({ ...cookie, name: cookie.key } as never));
    expect(kept.toSorted()).toEqual(real);
    expect(agent.refused.length).toBe(6);
    await person.close();
  });

  test('sends cookies where and when Chromium does', async () => {
    const person = await browser.person();
    const page = await person.newPage();
    const agent = newAgent(stage);
    await page.goto(home + path);
    await agent.visit(home + path);
    await heard();
    const requested: unknown[][] = [[], []];
    for (const url of [`${home}/`, `${home}/under`, `${near}/`]) {
      await page.goto(url);
      requested[0]!.push(...(await heard()));
      await agent.visit(url);
      requested[1]!.push(...(await heard()));
    }
    // From a page of another site, a link sends the Lax cookies and a script's request sends none.
    await page.goto(`${far}/`);
    await heard();
    await page.evaluate(`location = ${JSON.stringify(`${home}/`)}`);
    await page.waitForURL(`${home}/`);
    requested[0]!.push(...(await heard()));
    await agent.visit(`${home}/`, { from: `${far}/` });
    requested[1]!.push(...(await heard()));
    const sorted = (all: unknown[]) =>
      (all as { headers: { cookie?: string } }[]).map(({ headers: { cookie } }) => cookie?.split('; ').toSorted());
    expect(sorted(requested[1]!)).toEqual(sorted(requested[0]!));
    expect(sorted(requested[0]!).length).toBe(4);
    await person.close();
  });
});

test('finds containers by name, and throws if there is none', async () => {
  await expect(newAgent(stage).visit('https://nowhere.example.com/')).rejects.toThrow(
    /no container of the stage is called nowhere/,
  );
});
