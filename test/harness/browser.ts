import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BrowserContext, type Browser as Chromium, type Cookie, chromium, type Page } from 'playwright-core';
import { type Box, startContainer } from './container.ts';
import { chromiumImage } from './images.ts';
import type { Stage } from './stage.ts';

export type { BrowserContext, Cookie, Page };

const port = 9222;
const desktop = { width: 1280, height: 800 };
/** A phone of the usual size; screenshots of it have two pixels for one. */
const phone = { width: 390, height: 844 };

/** What a page asked for, and what came of it. */
export interface Fetched {
  readonly method: string;
  readonly url: string;
  /** `document`, `fetch`, `xhr`, `eventsource`, `stylesheet`, … */
  readonly kind: string;
  /** The answer's status, or why there was none (`net::ERR_…`). */
  readonly came: number | string;
}

/** What a page did since it is watched; the lists grow. */
export interface Watched {
  /** Requests that have come to their end, in that order. A redirect is one of its own. */
  readonly requests: readonly Fetched[];
  /** Errors and warnings of the console, uncaught errors among them. */
  readonly troubles: readonly string[];
}

/** A headless Chromium in the stage's network: it knows every container by its names, on the ports inside. */
export class Browser {
  readonly box: Box;
  readonly #chromium: Chromium;

  constructor(box: Box, browser: Chromium) {
    this.box = box;
    this.#chromium = browser;
  }

  /** Chromium's version. */
  get version(): string {
    return this.#chromium.version();
  }

  /** A person's browser: own cookies, own storage, no page yet. */
  person(options: { readonly phone?: boolean } = {}): Promise<BrowserContext> {
    return this.#chromium.newContext({
      viewport: options.phone ? phone : desktop,
      ...(options.phone ? { deviceScaleFactor: 2, isMobile: true, hasTouch: true } : {}),
      locale: 'en-GB',
      timezoneId: 'UTC',
    });
  }

  /** Lets go of it; the container ends with the stage. */
  async close(): Promise<void> {
    await this.#chromium.close();
  }
}

/** Starts Chromium, which trusts the stage's CA. `flags` are Chromium's own, beside those of the image. */
export async function startBrowser(
  stage: Stage,
  options: { readonly alias?: string; readonly flags?: readonly string[] } = {},
): Promise<Browser> {
  const authority = stage.ca.cert.replace(/-----[^-]+-----|\s/g, '');
  const managed = { CACertificates: [authority], DnsOverHttpsMode: 'off', BuiltInDnsClientEnabled: false };
  const box = await startContainer(stage, {
    image: chromiumImage,
    alias: options.alias ?? 'browser',
    command: ['start.sh', ...(options.flags ?? [])],
    files: { '/etc/chromium/policies/managed/meshgate.json': JSON.stringify(managed) },
    memory: 2048,
    ready: /DevTools listening on/,
  });
  return new Browser(box, await chromium.connectOverCDP(`http://${box.host}:${port}`));
}

/** Notes what a page asks for and complains of from now on. */
export function watch(page: Page): Watched {
  const requests: Fetched[] = [];
  const troubles: string[] = [];
  page.on('requestfinished', async (request) => {
    const response = await request.response();
    requests.push({
      method: request.method(),
      url: request.url(),
      kind: request.resourceType(),
      came: response?.status() ?? 'no answer',
    });
  });
  page.on('requestfailed', (request) => {
    const came = request.failure()?.errorText ?? 'no answer';
    requests.push({ method: request.method(), url: request.url(), kind: request.resourceType(), came });
  });
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(String(error)));
  return { requests, troubles };
}

/**
 * Takes a page's picture at a desktop's and at a phone's width, the whole of it: FILE.png and FILE-phone.png. The page is
 * laid out anew for each, not loaded.
 */
export async function shoot(page: Page, file: string): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  for (const [size, path] of [
    [desktop, `${file}.png`],
    [phone, `${file}-phone.png`],
  ] as const) {
    await page.setViewportSize(size);
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
  }
  await page.setViewportSize(desktop);
}
