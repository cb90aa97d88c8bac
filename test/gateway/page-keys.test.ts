/**
 * Each page of the gateway with a keyboard alone, and with keys and clicks that began in the page before. The pages come
 * from the gateway's code with their own headers, as in the screenshots; a real browser shows them.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { renderPage, STYLE, STYLE_HEADERS } from '../../src/session/pages/render-page.ts';
import { type BrowserContext, type Page, startBrowser, testStage, until } from '../harness/index.ts';
import { pages } from '../screenshots.ts';

const stage = await testStage('page-keys');
const browser = await startBrowser(stage);
afterAll(() => browser.close());

const host = 'https://wiki.example.com';

/** A page of an attacker: any key or click leads on. */
const before = `<!doctype html><title>before</title><body style="height: 100vh"><script>
for (const kind of ['keydown', 'mousedown'])
  addEventListener(kind, () => { location = location.hash.slice(1); }, { once: true });
</script>`;

interface Opened {
  readonly person: BrowserContext;
  readonly tab: Page;
  /** Navigations to anything that is neither the page nor the page before. */
  readonly left: readonly string[];
  /** Stops or continues all animations, so that no test depends on how fast it is. */
  animate(rate: number): Promise<void>;
}

async function open(): Promise<Opened> {
  const person = await browser.person();
  const left: string[] = [];
  await person.route('**/*', async (route) => {
    const request = route.request();
    const name = new URL(request.url()).pathname.slice(1);
    if (name.endsWith(STYLE.name)) return route.fulfill({ headers: STYLE_HEADERS, body: STYLE.text });
    if (name === 'before') return route.fulfill({ contentType: 'text/html', body: before });
    const page = pages[name];
    if (page === undefined || request.method() !== 'GET') {
      if (request.isNavigationRequest()) left.push(`${request.method()} ${request.url()}`);
      return route.fulfill({ contentType: 'text/html', body: '<title>left</title>' });
    }
    const { html, headers } = renderPage(page, 'en');
    return route.fulfill({ headers, body: html });
  });
  const tab = await person.newPage();
  const session = await person.newCDPSession(tab);
  await session.send('Animation.enable');
  const animate = async (playbackRate: number) => {
    await session.send('Animation.setPlaybackRate', { playbackRate });
  };
  return { person, tab, left, animate };
}

const calm = (tab: Page) =>
  until(() => tab.evaluate('document.getAnimations().length === 0'), { what: 'the end of the animations' });

/** What a person can use on a page, in the order of the document. */
const CONTROLS = `[...document.querySelectorAll('main a[href], main button, main input:not([type=hidden])')]`;

const names = Object.keys(pages);

describe.each(names)('the page %s', (name) => {
  test('is answered by no key that began before it', async () => {
    const { person, tab, left, animate } = await open();
    for (const key of ['Enter', 'Space', 'Tab']) {
      await tab.goto(`${host}/before#/${name}`);
      await animate(0);
      await Promise.all([tab.waitForURL(`${host}/${name}`), tab.keyboard.down(key)]);
      await tab.waitForLoadState();
      // The key is still held, and repeats itself.
      for (let i = 0; i < 3; i++) await tab.keyboard.down(key);
      await tab.keyboard.up(key);
      for (const next of ['Tab', 'Enter', 'Space']) await tab.keyboard.press(next);
      await animate(1);
      await calm(tab);
      expect([key, tab.url(), left]).toEqual([key, `${host}/${name}`, []]);
    }
    await person.close();
  });

  test('is answered by no click that began before it', async () => {
    const { person, tab, left, animate } = await open();
    await tab.goto(`${host}/${name}`);
    await calm(tab);
    const spots = (await tab.evaluate(
      `[...document.querySelectorAll('main button, main a.button')].map((it) => {
        const { x, y, width, height } = it.getBoundingClientRect();
        return [x + width / 2, y + height / 2];
      })`,
    )) as readonly (readonly [number, number])[];
    for (const [x, y] of spots) {
      await tab.goto(`${host}/before#/${name}`);
      await tab.mouse.move(x, y);
      await animate(0);
      await Promise.all([tab.waitForURL(`${host}/${name}`), tab.mouse.down()]);
      await tab.waitForLoadState();
      await tab.mouse.up();
      await tab.mouse.dblclick(x, y);
      await animate(1);
      await calm(tab);
      expect([x, y, tab.url(), left]).toEqual([x, y, `${host}/${name}`, []]);
    }
    await person.close();
  });

  test('can be used with a keyboard alone', async () => {
    for (let i = 0, count = 1; i < Math.max(1, count); i++) {
      const { person, tab, left } = await open();
      await tab.goto(`${host}/${name}`);
      await calm(tab);
      expect(await tab.evaluate('document.activeElement === document.body')).toBe(true);
      expect(await tab.evaluate("document.querySelector('[accesskey], [tabindex], [autofocus]')")).toBe(null);
      count = (await tab.evaluate(`${CONTROLS}.length`)) as number;
      if (count === 0) return person.close();
      for (let tabs = 0; tabs <= i; tabs++) {
        await tab.keyboard.press('Tab');
        const isEmail = await tab.evaluate("document.activeElement.type === 'email'");
        if (isEmail) await tab.keyboard.type('ada@example.com');
      }
      const [at, outline, kind] = (await tab.evaluate(`{
        const it = document.activeElement;
        [${CONTROLS}.indexOf(it), parseFloat(getComputedStyle(it).outlineWidth), it.protocol];
      }`)) as [number, number, string];
      expect(at).toBe(i);
      expect(outline).toBeGreaterThanOrEqual(2);
      await tab.keyboard.press('Enter');
      // A link to a mail program sends no request.
      if (kind !== 'mailto:') await until(async () => left.length > 0, { what: `where control ${i} of ${name} leads` });
      await person.close();
    }
  });
});
