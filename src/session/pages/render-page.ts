import { ASSETS_PATH } from '../names.ts';
import { languageFor } from './language.ts';
import { mainOf } from './main.ts';
import { page as ownPage, style as ownStyle } from './style.ts';
import { fillTemplate, readTemplate } from './template.ts';
import { styleAsset } from './theme.ts';
import type { Asset, Page, Rendered, Theme } from './types.ts';

const ownTemplate = readTemplate(ownPage);
if ('errors' in ownTemplate) throw new Error('our own page has mistakes');
const { template } = ownTemplate;

/** The stylesheet that is used if the operator's folder contains none. */
export const STYLE: Asset = styleAsset(ownStyle);

/** Returns the origins to which a form of the page may lead. Browsers apply this list to redirects after a form too,
 * and a provider may redirect people further. So every site with TLS is allowed, and each provider without TLS that the
 * policy allows. */
function formAction(page: Page): string {
  if (page.kind !== 'confirm' && !(page.kind === 'choose' && page.email)) return "'none'";
  const plain = page.issuers.flatMap((issuer) => /^http:\/\/[\w.:[\]-]+/i.exec(issuer)?.[0] ?? []);
  return ["'self'", 'https:', ...new Set(plain)].join(' ');
}

/** Renders a page. The result has the body and all headers of the response except the status.
 * @param page its content
 * @param languages value of `Accept-Language`; empty if the request has no such header
 * @param theme the operator's theme; absent: the default */
export function renderPage(page: Page, languages: string, theme: Theme = {}): Rendered {
  const language = languageFor(languages, theme.texts);
  const { title, main } = mainOf(page, language);
  const stylesheet = `${ASSETS_PATH}${(theme.style ?? STYLE).name}`;
  return {
    html: fillTemplate(theme.page ?? template, { lang: language.tag, title, main, host: page.host, stylesheet }),
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
      // With `no-referrer`, a browser would send `Origin: null` with the form that signs out.
      'Referrer-Policy': page.kind === 'confirm' ? 'same-origin' : 'no-referrer',
      'Cache-Control': 'no-store',
      Vary: 'Accept-Language',
    },
  };
}

/** The headers of a stylesheet. Its name contains its hash, so browsers may cache it forever. */
export const STYLE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/css; charset=utf-8',
  'Cache-Control': 'public, max-age=31536000, immutable',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
};
