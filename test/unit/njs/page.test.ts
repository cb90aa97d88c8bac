import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pages } from '../../../src/njs/signin/page.ts';
import { STYLE } from '../../../src/session/pages/render-page.ts';
import type { SigninTable } from '../../../src/session/signin-table.ts';
import { fakeNgx } from './fake-ngx.ts';

const ngx = fakeNgx();
const route = 'wiki.example.com/*';
const table = {
  routes: { [route]: { owner: 'wiki-team@example.com', ask: 'https://t.example/?r={reason}' } },
} as unknown as SigninTable;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

function ask(run: (r: NginxHTTPRequest) => void, headersIn: Record<string, string>, uri = '/'): Answer {
  let answer: Answer | undefined;
  const headersOut = {};
  run({
    uri,
    headersIn,
    headersOut,
    return: (status: number, body = '') => {
      answer = { status, body: String(body), headers: headersOut };
    },
  } as unknown as NginxHTTPRequest);
  return answer as Answer;
}

const refusal = (reason: string, headers: Record<string, string> = {}, pages = new Pages(table)) =>
  ask((r) => pages.refusal(r), { 'X-Meshgate-Host': 'wiki.example.com', ...headers }, `/.meshgate/page/${reason}`);

describe('the page of a refusal', () => {
  test('shows what nginx passes to it', () => {
    const { status, body, headers } = refusal('role_missing', {
      'X-Meshgate-Detail': 'needs \\"editor\\"',
      'X-Meshgate-Request-Id': '0af7651916cd43dd8448eb211c80319c',
      'X-Meshgate-Route': route,
      'X-Meshgate-User': 'Zo%C3%AB',
      'Accept-Language': 'de',
    });
    expect([status, headers['Content-Language']]).toEqual([403, 'de']);
    const { document } = parseHTML(body);
    expect(document.querySelector('dl')?.textContent).toContain('needs "editor"');
    expect(document.querySelector('dl')?.textContent).toContain('0af7651916cd43dd8448eb211c80319c');
    expect(document.querySelector('dl')?.textContent).toContain('Zoë');
    expect([...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))).toEqual([
      'https://t.example/?r=role_missing',
      '/.meshgate/signout',
      'mailto:wiki-team@example.com',
    ]);
  });

  test.each(['credential_missing', 'session_expired', 'revoked', 'step_up_required'])(
    'explains to a form that was sent with %s what to do',
    (reason) => {
      const headers = { 'X-Meshgate-Navigation': 'post' };
      const { status, body } = refusal(reason, { ...headers, 'X-Meshgate-Signin': 'step&role=admin' });
      expect(status).toBe(401);
      expect(parseHTML(body).document.querySelector('ol a')?.getAttribute('href')).toBe(
        '/.meshgate/signin?step&role=admin&to=/',
      );
      expect(refusal(reason, headers).body).not.toContain('<ol>');
    },
  );

  test('offers a sign-in for the same page, and has the status that nginx sends', () => {
    const { status, body } = refusal('credential_missing', {
      'X-Meshgate-Status': '403',
      'X-Meshgate-Target': '/a?b=1',
    });
    expect(status).toBe(403);
    expect(parseHTML(body).document.querySelector('a')?.getAttribute('href')).toBe('/.meshgate/signin?in&to=/a?b=1');
  });

  test.each(['', 'toString', '<b>', 'no_reason'])('is not reachable for %j', (reason) => {
    expect(refusal(reason, { 'X-Meshgate-Detail': '\\' })).toMatchObject({
      status: 503,
      body: expect.stringContaining('check_unavailable'),
    });
  });
});

describe('assets', () => {
  const dir = mkdtempSync(join(tmpdir(), 'meshgate-pages-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const asset = (pages: Pages, name: string) => ask((r) => pages.asset(r), {}, `/.meshgate/assets/${name}`);

  test('are the stylesheet by its hash, and nothing else', () => {
    const pages = new Pages(table);
    expect(asset(pages, STYLE.name)).toMatchObject({
      status: 200,
      body: STYLE.text,
      headers: { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'public, max-age=31536000, immutable' },
    });
    expect(asset(pages, 'style-00.css')).toMatchObject({ status: 200, headers: { 'Cache-Control': 'no-store' } });
    for (const name of ['', 'style.css', 'logo.svg', '../../etc/passwd', '..%2fx.svg', 'page.html']) {
      expect(asset(pages, name), name).toMatchObject({ status: 404, headers: { 'Cache-Control': 'no-store' } });
    }
  });

  describe('of a folder', () => {
    const pages = new Pages({ ...table, pagesDir: dir });
    beforeAll(() => {
      writeFileSync(join(dir, 'logo.svg'), '<svg/>');
      writeFileSync(join(dir, 'style.css'), 'p{}');
      writeFileSync(join(dir, 'page.html'), '{{lang}}{{title}}{{main}}{{mian}}');
      mkdirSync(join(dir, '..data'));
    });

    test('are its stylesheet and pictures; its mistakes are logged, and the default is used instead', () => {
      const { body } = refusal('role_missing', {}, pages);
      expect(body).toContain('<!doctype html>');
      const [, style = ''] = /\/assets\/([^"]+)/.exec(body) ?? [];
      expect(asset(pages, style)).toMatchObject({
        body: expect.stringMatching(/^p\{\}\n/),
        headers: { 'Cache-Control': expect.stringContaining('immutable') },
      });
      expect(asset(pages, 'logo.svg')).toMatchObject({
        status: 200,
        headers: { 'Content-Type': 'image/svg+xml', 'Content-Security-Policy': "default-src 'none'" },
      });
      expect(asset(pages, 'page.html').status).toBe(404);
      expect(ngx.logged).toEqual([expect.stringContaining(`${dir}/page.html:1 no slot "mian"`)]);
    });

    test('that is missing are the default', () => {
      expect(refusal('role_missing', {}, new Pages({ ...table, pagesDir: '/none' })).status).toBe(403);
      expect(ngx.logged.at(-1)).toContain('/none');
    });
  });
});
