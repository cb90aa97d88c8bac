import { ASSETS_PATH } from '../names.ts';
import { languageFor } from './language.ts';
import { mainOf } from './main.ts';
import { page as ownPage, style as ownStyle } from './style.ts';
import { fill, readTemplate, type Template } from './template.ts';
import { styleAsset } from './theme.ts';
import type { Asset, Page, Rendered, Theme } from './types.ts';

function ownTemplate(): Template {
  const read = readTemplate(ownPage);
  if ('errors' in read) throw new Error('our own page has mistakes');
  return read.template;
}

const template = ownTemplate();

/** The stylesheet that is used if an operator's folder has none. */
export const STYLE: Asset = styleAsset(ownStyle);

/** The origins that a page's forms may lead to. Browsers also apply this to redirects after a form, and a provider may
 * redirect people further: so any site over TLS, or the provider's own origin if the policy allows it without TLS. */
function formAction(page: Page): string {
  if (page.kind !== 'confirm' && !(page.kind === 'choose' && page.email)) return "'none'";
  const plain = page.issuers
    .map((issuer) => /^http:\/\/[\w.:[\]-]+/i.exec(issuer)?.[0])
    .filter((it) => it !== undefined);
  return ["'self'", 'https:', ...new Set(plain)].join(' ');
}

/** A page, and all headers of the response except its status.
 *
 * @param page its content
 * @param languages `Accept-Language`; empty if there is none
 * @param theme of an operator; absent: the default
 */
export function renderPage(page: Page, languages: string, theme: Theme = {}): Rendered {
  const language = languageFor(languages, theme.texts);
  const { title, main } = mainOf(page, language);
  const stylesheet = `${ASSETS_PATH}${(theme.style ?? STYLE).name}`;
  return {
    html: fill(theme.page ?? template, { lang: language.tag, title, main, host: page.host, stylesheet }),
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': language.tag,
      'Content-Security-Policy': [
        "default-src 'none'",
        "style-src 'self'",
        ...(theme.pictures ? ["img-src 'self'", "font-src 'self'"] : []),
        `form-action ${formAction(page)}`,
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join('; '),
      'X-Content-Type-Options': 'nosniff',
      // A page that opened this one in a window cannot access it or see where it navigates.
      'Cross-Origin-Opener-Policy': 'same-origin',
      // With `no-referrer` a browser sends `Origin: null` with the form that signs out.
      'Referrer-Policy': page.kind === 'confirm' ? 'same-origin' : 'no-referrer',
      'Cache-Control': 'no-store',
      Vary: 'Accept-Language',
    },
  };
}

/** The headers of a stylesheet. Its name contains a hash of it, so it may be kept forever. */
export const STYLE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/css; charset=utf-8',
  'Cache-Control': 'public, max-age=31536000, immutable',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
};
