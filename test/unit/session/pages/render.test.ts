import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { type ReasonCode, reasons } from '../../../../src/base/reasons.ts';
import { catalogues, languageFor } from '../../../../src/session/pages/language.ts';
import { renderPage, STYLE } from '../../../../src/session/pages/render-page.ts';
import { readTemplate, type Template } from '../../../../src/session/pages/template.ts';
import { readTheme, styleAsset } from '../../../../src/session/pages/theme.ts';
import type { Page } from '../../../../src/session/pages/types.ts';
import { holds } from '../../../harness/property.ts';
import { anyText } from '../../text.ts';

const host = 'wiki.example.com';
const choices = [
  { name: 'okta', label: 'Example staff' },
  { name: 'entra', label: 'Partners' },
];
const choose: Page = {
  kind: 'choose',
  host,
  choices,
  email: true,
  issuers: ['https://example.okta.com'],
  mode: 'step&role=admin%2Bx',
  to: '/a?b=1&to=/c',
};
const pages: readonly Page[] = [
  choose,
  { ...choose, email: false },
  { ...choose, unknown: true },
  { kind: 'refused', host, reason: 'role_missing', requestId: 'r1', owner: 'a@example.com', signOut: true },
  { kind: 'refused', host, reason: 'attempt_unknown', retry: '/x' },
  { kind: 'refused', host, reason: 'signin_failed', retry: '/x', detail: 'the provider says access_denied' },
  { kind: 'form', host, reason: 'session_expired', mode: 'in', requestId: 'r1' },
  { kind: 'form', host, reason: 'step_up_required', mode: 'step&role=admin' },
  { kind: 'signedin', host, to: '/x?y' },
  { kind: 'confirm', host, issuers: ['http://issuer.test:8080/x', 'https://example.okta.com'] },
  { kind: 'signedout', host },
  { kind: 'signedout', host, here: true },
];

const documentOf = (page: Page, languages = '') => parseHTML(renderPage(page, languages).html).document;
const links = (page: Page) =>
  [...documentOf(page).querySelectorAll('a')].map((link) => [link.textContent, link.getAttribute('href')]);

describe.each(pages.map((page) => [`${page.kind} ${'reason' in page ? page.reason : ''}`, page] as const))(
  'the page %s',
  (_, page) => {
    test.each(Object.keys(catalogues))('is complete and accessible in %s', (language) => {
      const document = documentOf(page, language);
      expect(document.documentElement.getAttribute('lang')).toBe(language);
      expect(document.querySelectorAll('main')).toHaveLength(1);
      const headings = [...document.querySelectorAll('h1,h2,h3')].map(({ tagName }) => tagName);
      expect([headings[0], headings.filter((tag) => tag === 'H1').length]).toEqual(['H1', 1]);
      expect(document.title).toContain(document.querySelector('h1')?.textContent);
      expect(document.querySelector('meta[name=viewport]')?.getAttribute('content')).toContain('width=device-width');
      for (const input of document.querySelectorAll('input:not([type=hidden])')) {
        expect(document.querySelector(`label[for=${input.id}]`)?.textContent).not.toBe('');
      }
      for (const link of document.querySelectorAll('a,button')) expect(link.textContent?.trim()).not.toBe('');
      expect(document.body.textContent).not.toMatch(/\{|\}|undefined|\[object/);
    });

    test('has no script, no inline style and nothing from elsewhere', () => {
      const document = documentOf(page);
      expect(document.querySelectorAll('script,style,[style],iframe,object,base,img')).toHaveLength(0);
      expect(document.querySelector('link[rel=stylesheet]')?.getAttribute('href')).toBe(
        `/.meshgate/assets/${STYLE.name}`,
      );
    });
  },
);

describe('headers', () => {
  const headersOf = (page: Page) => renderPage(page, '').headers;

  test('are the strictest that allow the page to work', () => {
    expect(headersOf({ kind: 'signedout', host })).toEqual({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': 'en',
      'Content-Security-Policy':
        "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
      Vary: 'Accept-Language',
    });
  });

  test('a form may lead through redirects to a provider, over TLS unless the provider has none', () => {
    const formAction = (page: Page) =>
      /form-action ([^;]+)/.exec(headersOf(page)['Content-Security-Policy'] ?? '')?.[1];
    expect(formAction(choose)).toBe("'self' https:");
    expect(formAction({ ...choose, email: false } as Page)).toBe("'none'");
    expect(formAction(pages[9] as Page)).toBe("'self' https: http://issuer.test:8080");
  });

  test('the form that signs out keeps its Origin', () => {
    expect(headersOf({ kind: 'confirm', host, issuers: [] })['Referrer-Policy']).toBe('same-origin');
  });
});

describe('the links and forms of pages', () => {
  test('the chooser links to each provider, and its form leads back to the same page', () => {
    expect(links(choose)).toEqual([
      ['Continue with Example staff', '/.meshgate/signin?step&role=admin%2Bx&provider=okta&to=/a?b=1&to=/c'],
      ['Continue with Partners', '/.meshgate/signin?step&role=admin%2Bx&provider=entra&to=/a?b=1&to=/c'],
    ]);
    const form = documentOf(choose).querySelector('form');
    expect([form?.getAttribute('method'), form?.getAttribute('action')]).toEqual(['get', '/.meshgate/signin']);
    const fields = [...(form?.querySelectorAll('input') ?? [])];
    expect(fields.map((field) => [field.getAttribute('name'), field.getAttribute('value')])).toEqual([
      ['step', ''],
      ['role', 'admin+x'],
      ['email', null],
      ['to', '/a?b=1&to=/c'],
    ]);
  });

  test('the denied page names the owner, the reason and the request, and links to ask', () => {
    const page: Page = {
      kind: 'refused',
      host,
      reason: 'role_missing',
      requestId: 'a b&c',
      owner: 'wiki-team@example.com',
      ask: 'https://tickets.example.com/new?reason={reason}&id={request_id}&r={route}&x={other}',
      route: 'wiki.example.com/*',
      signOut: true,
    };
    expect(links(page)).toEqual([
      [
        'Ask for access',
        'https://tickets.example.com/new?reason=role_missing&id=a%20b%26c&r=wiki.example.com%2F%2A&x=',
      ],
      ['Use another account', '/.meshgate/signout'],
      ['wiki-team@example.com', 'mailto:wiki-team@example.com'],
    ]);
    expect(documentOf(page).querySelector('dl')?.textContent).toContain('role_missing');
  });

  test('a link to ask for access is never executable', () => {
    const ask = (template: string) => links({ kind: 'refused', host, reason: 'role_missing', ask: template });
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', ' javascript:x', '{reason}:x']) {
      expect(ask(bad)).toEqual([]);
    }
  });

  test('a link to continue stays on this origin', () => {
    for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example', '/a\tb', '/ä', '']) {
      expect(links({ kind: 'signedin', host, to })).toEqual([['Go on', '/']]);
    }
  });

  test('the confirmation posts', () => {
    const form = documentOf({ kind: 'confirm', host, issuers: [] }).querySelector('form');
    expect([form?.getAttribute('method'), form?.getAttribute('action')]).toEqual(['post', '/.meshgate/signout']);
  });

  test('every reason has a page', () => {
    for (const reason of Object.keys(reasons) as ReasonCode[]) {
      const document = documentOf({ kind: 'refused', host, reason, retry: '/', detail: reasons[reason].help });
      expect(document.querySelector('dl')?.textContent).toBe(`Reason${reason}`);
    }
  });
});

describe('languages', () => {
  test.each([
    ['', 'en'],
    ['de', 'de'],
    ['de-AT,en;q=0.5', 'de'],
    ['fr, de;q=0.7, en;q=0.8', 'en'],
    ['de;q=0, en', 'en'],
    ['*', 'en'],
    ['DE', 'de'],
    ['de;q=x', 'en'],
    [`${'x,'.repeat(500)}de`, 'en'],
  ])('%j selects %s', (header, tag) => expect(languageFor(header).tag).toBe(tag));

  test('every catalogue has the same texts, with the same values in them', () => {
    const names = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    const { en, ...others } = catalogues;
    for (const texts of Object.values(others)) {
      expect(Object.keys(texts)).toEqual(Object.keys(en as object));
      for (const [name, text] of Object.entries(texts)) {
        expect(names(text), name).toEqual(names((en as Record<string, string>)[name] as string));
      }
    }
  });

  test('an operator replaces some texts, and adds others', () => {
    const own = { de: { 'signedout.title': 'Tschüss' }, 'pt-br': { 'signedout.title': 'Tchau' } };
    const page: Page = { kind: 'signedout', host };
    const title = (languages: string) => /<h1>(.*)<\/h1>/.exec(renderPage(page, languages, { texts: own }).html)?.[1];
    expect([title('de-CH'), title('pt-BR'), title('en')]).toEqual(['Tschüss', 'Tchau', 'You are signed out']);
  });
});

describe('an operator’s template', () => {
  test('an operator’s stylesheet makes buttons inert too', () => {
    const { theme } = readTheme({ 'style.css': 'button { color: red }' });
    expect(theme.style?.text).toMatch(/^button \{ color: red \}\n[\s\S]*a, button \{ animation: [^;]+ !important; \}/);
  });

  const read = (text: string) => readTemplate(text);
  const good = '<html lang={{lang}}><title>{{ title }}</title><link href={{stylesheet}}>{{main}}<i>{{host}}</i>';

  test('has values in its slots', () => {
    const { template } = read(good) as { template: Template };
    const style = styleAsset('h1 { color: red }');
    const { html } = renderPage({ kind: 'signedout', host: 'a<b' }, '', { page: template, style });
    expect(html).toContain(
      `<html lang=en><title>You are signed out</title><link href=/.meshgate/assets/${style.name}>`,
    );
    expect(html).toContain('<i>a&lt;b</i>');
  });

  test.each([
    ['{{lang}}{{title}}{{main}}\n{{mian}}', [[2, 'no slot "mian"']]],
    ['{{lang}}{{title}}{{main}}{{', [[1, '"{{" is not closed']]],
    [
      '{{lang}}',
      [
        [1, '{{title}} is missing'],
        [1, '{{main}} is missing'],
      ],
    ],
    [`${good}<script src=x></script>`, [[1, 'no script']]],
    [`${good}<p onclick=x>`, [[1, 'no script']]],
    [`${good}<p style="x">`, [[1, 'no inline style']]],
  ])('%j has mistakes', (text, expected) => {
    const { errors } = read(text) as { errors: { line: number; message: string }[] };
    expect(errors.map(({ line }) => line)).toEqual(expected.map(([line]) => line));
    for (const [i, [, message]] of expected.entries()) expect(errors[i]?.message).toContain(message);
  });
});

describe('whatever is put in', () => {
  interface Tag {
    readonly tagName: string;
    readonly attributes: Iterable<{ readonly name: string }>;
    readonly children: Iterable<Tag>;
  }

  /** Tags, names of attributes and order: a value must not change any of them. */
  const skeleton = (element: Tag): unknown => [
    element.tagName,
    [...element.attributes].map(({ name }) => name),
    [...element.children].map(skeleton),
  ];

  /** Text with a meaning in HTML. */
  const nasty = fc.oneof(
    anyText({ maxLength: 20 }),
    fc
      .array(
        fc.constantFrom(
          '<',
          '>',
          '"',
          "'",
          '`',
          '=',
          '&',
          '/',
          '\\',
          '\0',
          '\n',
          '\ud800',
          '\udc00',
          '{{main}}',
          '{label}',
          '<!--',
          '-->',
          ']]>',
          '</main>',
          '</title>',
          '<script>',
          '<svg/onload=',
          'javascript:',
          '&lt;',
          '&#60;',
          '$&',
          '$1',
          "$'",
          ' ',
        ),
        { minLength: 1, maxLength: 8 },
      )
      .map((parts) => parts.join('')),
  );

  const make: Readonly<Record<string, (text: string) => Page>> = {
    label: (text) => ({ ...choose, choices: [{ name: text, label: text }] }) as Page,
    to: (text) => ({ ...choose, to: `/${text}` }) as Page,
    host: (text) => ({ kind: 'signedout', host: text }),
    retry: (text) => ({ kind: 'refused', host, reason: 'signin_failed', retry: text }),
    requestId: (text) => ({ kind: 'refused', host, reason: 'signin_failed', requestId: text }),
    user: (text) => ({ kind: 'refused', host, reason: 'role_missing', user: text }),
    detail: (text) => ({ kind: 'refused', host, reason: 'signin_failed', detail: text }),
    owner: (text) => ({ kind: 'refused', host, reason: 'role_missing', owner: text }),
    ask: (text) => ({ kind: 'refused', host, reason: 'role_missing', ask: `https://t.example/${text}`, route: text }),
    route: (text) => ({ kind: 'refused', host, reason: 'role_missing', ask: 'https://t.example/{route}', route: text }),
    signedin: (text) => ({ kind: 'signedin', host, to: text }),
  };

  test.each(Object.keys(make))('as %s breaks out of nothing', (name) => {
    const shapeOf = (text: string) => {
      const { html } = renderPage((make[name] as (text: string) => Page)(text), '');
      return skeleton(parseHTML(html).document.documentElement as unknown as Tag);
    };
    // An owner may have a link, if the owner is an address.
    const shapes = ['x', 'x@example.com'].map((text) => JSON.stringify(shapeOf(text)));
    holds(
      fc.property(nasty, (text) => {
        expect(shapes).toContain(JSON.stringify(shapeOf(text)));
      }),
      300,
    );
  });

  test('links lead to this site, to a sign-in, or where the operator said', () => {
    holds(
      fc.property(fc.constantFrom(...Object.values(make)), nasty, (page, text) => {
        for (const [, href] of links(page(text))) {
          const { protocol, host: where } = new URL(href as string, 'https://wiki.example.com/');
          expect(['https:wiki.example.com', 'https:t.example', 'mailto:']).toContain(`${protocol}${where}`);
        }
      }),
    );
  });
});
