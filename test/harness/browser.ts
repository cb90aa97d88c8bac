import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BrowserContext, type Browser as Chromium, type Cookie, chromium, type Page } from 'playwright-core';
import { type Box, startContainer } from './container.ts';
import { chromiumImage } from './images.ts';
import type { Stage } from './stage.ts';

export type { BrowserContext, Cookie, Page };

const port = 9222;
const desktop = { width: 1280, height: 800 };
/** A phone of the usual size; screenshots have two pixels for one of its own. */
const phone = { width: 390, height: 844 };

/** A request of a page, and its outcome. */
export interface Fetched {
  readonly method: string;
  readonly url: string;
  /** `document`, `fetch`, `xhr`, `eventsource`, `stylesheet`, … */
  readonly kind: string;
  /** The status of the response, or the reason for having none (`net::ERR_…`). */
  readonly came: number | string;
}

/** Leaves out requests for a page's icon. Chromium sends them at any time after the page was loaded. */
export const withoutIcons = <T extends { readonly url: string }>(requests: readonly T[]): T[] =>
  requests.filter(({ url }) => url !== '/favicon.ico');

/** The events of a page since it is watched; the lists grow. */
export interface HealthConfig {
  /** Finished requests, in the order in which they ended. Each redirect counts separately. */
  readonly requests: readonly Fetched[];
  /** Errors and warnings of the console, uncaught errors included. */
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

  /**
   * A person's browser: own cookies, own storage, no page yet.
   *
   * @param options `icons: false`: it asks for no icons, so that a page that is loaded has no request in flight
   */
  async person(options: { readonly phone?: boolean; readonly icons?: boolean } = {}): Promise<BrowserContext> {
    const context = await this.#chromium.newContext({
      viewport: options.phone ? phone : desktop,
      ...(options.phone ? { deviceScaleFactor: 2, isMobile: true, hasTouch: true } : {}),
      locale: 'en-GB',
      timezoneId: 'UTC',
    });
    if (options.icons === false) await context.route('**/favicon.ico', (route) => route.abort());
    return context;
  }

  /** Disconnects; the container ends with the stage. */
  async close(): Promise<void> {
    await this.#chromium.close();
  }
}

/** Starts Chromium, which trusts the stage's CA. `flags` are added to those of the image. */
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

/** Records a page's requests and console messages from now on. */
export function watch(page: Page): HealthConfig {
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
 * Takes a page's picture at the width of a desktop and of a phone, at full height: FILE.png and FILE-phone.png. The
 * page is laid out again for each, not loaded again.
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
