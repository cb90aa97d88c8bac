/**
 * Takes the pictures of every page of the gateway, and of a page of `meshgate trace`, at a desktop's and at a phone's width, for docs/pages/: `npm run
 * screenshots`. The pages come from the code that the gateway runs, with their own headers; nothing else answers.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { renderPage, STYLE, STYLE_HEADERS } from '../src/session/pages/render-page.ts';
import type { Page } from '../src/session/pages/types.ts';
import { shoot, startBrowser } from './harness/browser.ts';
import { openStage } from './harness/stage.ts';
import { timeline } from './timelines.ts';

const folder = process.argv[2] ?? 'docs/pages';
const host = 'wiki.example.com';
const requestId = '0af7651916cd43dd8448eb211c80319c';

/** Every page by the name of its pictures. */
export const pages: Readonly<Record<string, Page>> = {
  choose: {
    kind: 'choose',
    host,
    choices: [
      { name: 'okta', label: 'Example staff' },
      { name: 'entra', label: 'Partners' },
    ],
    email: true,
    issuers: ['https://example.okta.com'],
    mode: 'in',
    to: '/page',
  },
  denied: {
    kind: 'refused',
    host,
    reason: 'role_missing',
    requestId,
    user: 'ben',
    owner: 'wiki-team@example.com',
    ask: 'https://tickets.example.com/new?reason={reason}&id={request_id}',
    route: 'wiki.example.com/*',
    signOut: true,
  },
  stepup: { kind: 'refused', host, reason: 'step_up_required', requestId, retry: '/page' },
  form: { kind: 'form', host, reason: 'session_expired', mode: 'in', requestId },
  unknown: { kind: 'refused', host, reason: 'attempt_unknown', requestId, retry: '/page' },
  failed: {
    kind: 'refused',
    host,
    reason: 'signin_failed',
    requestId,
    detail: 'the provider says access_denied',
    retry: '/page',
  },
  away: { kind: 'refused', host, reason: 'provider_unavailable', requestId, retry: '/page' },
  often: { kind: 'refused', host, reason: 'limit_exceeded', requestId, retry: '/page' },
  signedin: { kind: 'signedin', host, to: '/page' },
  confirm: { kind: 'confirm', host, issuers: ['https://example.okta.com'] },
  into: {
    kind: 'confirm',
    host: 'wiki.apps.example.com',
    request: 'sealed',
    issuers: ['https://example.okta.com'],
    requestId,
  },
  signedout: { kind: 'signedout', host },
};

/** The name of the picture of a timeline. */
export const TIMELINE = 'trace';

async function main(): Promise<void> {
  const stage = await openStage('screenshots');
  try {
    const browser = await startBrowser(stage);
    const person = await browser.person();
    const tab = await person.newPage();
    const troubles: string[] = [];
    tab.on('console', (message) => troubles.push(message.text()));
    await tab.route('**/*', async (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const page = pages[name];
      if (name.endsWith(STYLE.name)) return route.fulfill({ headers: STYLE_HEADERS, body: STYLE.text });
      if (name === TIMELINE) return route.fulfill({ contentType: 'text/html', body: await timeline() });
      if (page === undefined) return route.fulfill({ status: 404 });
      const { html, headers } = renderPage(page, 'en');
      return route.fulfill({ headers, body: html });
    });
    for (const name of readdirSync(folder)) if (name.endsWith('.png')) rmSync(join(folder, name));
    for (const name of [...Object.keys(pages), TIMELINE]) {
      await tab.goto(`https://${host}/${name}`);
      const wide = await tab.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
      if (wide) troubles.push(`${name} is wider than its window`);
      await shoot(tab, join(folder, name));
      console.log(name);
    }
    const wrong = troubles.filter((text) => !text.includes('favicon'));
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    await browser.close();
  } finally {
    await stage.close();
  }
}

if (import.meta.filename === process.argv[1]) await main();
