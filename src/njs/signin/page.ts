import { FROM_HANDLER, TO_HANDLER, TO_PAGE } from '../../base/internal-headers.ts';
import { ownOf } from '../../base/own.ts';
import { type ReasonCode, reasons } from '../../base/reasons.ts';
import { ASSETS_PATH, PAGE_PATH } from '../../session/names.ts';
import { decodePercent } from '../../session/pages/links.ts';
import { renderPage, STYLE, STYLE_HEADERS } from '../../session/pages/render-page.ts';
import { pictureType } from '../../session/pages/theme.ts';
import type { Page } from '../../session/pages/types.ts';
import type { SigninTable } from '../../session/signin-table.ts';
import { respond } from '../shared/problem.ts';
import { ThemeFolder } from './operator-pages.ts';

/** Reasons that a new sign-in solves. A page explains them if a form was sent without a valid session. If a page was
 * only opened, the browser is redirected to the sign-in instead. */
const FORM_REASONS: readonly ReasonCode[] = ['credential_missing', 'session_expired', 'revoked', 'step_up_required'];

/** The cache time of a picture in seconds. It is short, because a new picture can have the same name. */
const PICTURE_MAX_AGE_S = 3600;

const isReason = (text: string): text is ReasonCode => Object.hasOwn(reasons, text);

/** Decodes text of a problem document. nginx passes it on from the check with JSON escapes. */
function unescapeJson(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return '';
  }
}

/** Returns the page for a refused request, from the headers that nginx sends. */
function refusedPage({ headersIn }: NginxHTTPRequest, reason: ReasonCode, table: SigninTable): Page {
  const about = { host: headersIn[TO_HANDLER.host] ?? '', requestId: headersIn[TO_HANDLER.requestId] };
  const signin = headersIn[TO_PAGE.signin];
  const isForm = headersIn[TO_HANDLER.navigation] === 'post';
  if (isForm && signin !== undefined && FORM_REASONS.includes(reason)) {
    return { kind: 'form', ...about, reason, mode: signin };
  }
  const route = headersIn[TO_PAGE.route] ?? '';
  const detail = headersIn[TO_PAGE.detail];
  const user = headersIn[TO_PAGE.user];
  return {
    ...ownOf(table.routes, route),
    ...about,
    kind: 'refused',
    reason,
    detail: detail && unescapeJson(detail),
    user: user && decodePercent(user),
    route: route === '' ? undefined : route,
    retry: isForm ? undefined : (headersIn[TO_PAGE.target] ?? '/'),
    signOut: reason === 'role_missing',
  };
}

/** Returns the status of the reason, or else the status from nginx. */
function statusOf({ headersIn }: NginxHTTPRequest, reason: ReasonCode): number {
  const status = headersIn[TO_PAGE.status] ?? '';
  return /^[45]\d\d$/.test(status) ? Number(status) : reasons[reason].status;
}

export class Pages {
  readonly #table: SigninTable;
  readonly #folder: ThemeFolder;

  constructor(table: SigninTable) {
    this.#table = table;
    this.#folder = new ThemeFolder(table.pagesDir);
  }

  /** Answers with a page. Headers that are already set, such as `Set-Cookie`, stay. */
  answer(r: NginxHTTPRequest, status: number, page: Page): void {
    const theme = this.#folder.theme(Date.now() / 1000);
    const { html, headers } = renderPage(page, r.headersIn['Accept-Language'] ?? '', theme);
    for (const [name, value] of Object.entries(headers)) r.headersOut[name] = value;
    if ('reason' in page) r.headersOut[FROM_HANDLER.reason] = page.reason;
    respond(r, status, html);
  }

  /** `/.meshgate/page/REASON`: the page of a refusal. nginx passes on the other results of the check. */
  refusal(r: NginxHTTPRequest): void {
    const given = (r.uri as string).slice(PAGE_PATH.length);
    const reason = isReason(given) ? given : 'check_unavailable';
    this.answer(r, statusOf(r, reason), refusedPage(r, reason, this.#table));
  }

  /** `/.meshgate/assets/NAME`: the stylesheet, pictures and fonts. */
  asset(r: NginxHTTPRequest): void {
    const name = (r.uri as string).slice(ASSETS_PATH.length);
    for (const [header, value] of Object.entries(STYLE_HEADERS)) r.headersOut[header] = value;
    if (/^style-[0-9a-f]+\.css$/.test(name)) {
      const style = this.#folder.theme(Date.now() / 1000).style ?? STYLE;
      // While an operator replaces a stylesheet, replicas can have different stylesheets. They must not be cached.
      if (style.name !== name) r.headersOut['Cache-Control'] = 'no-store';
      r.return(200, style.text);
      return;
    }
    const type = pictureType(name);
    const picture = type === undefined ? undefined : this.#folder.picture(name);
    r.headersOut['Content-Type'] = picture === undefined || type === undefined ? 'text/plain' : type;
    r.headersOut['Cache-Control'] = picture === undefined ? 'no-store' : `public, max-age=${PICTURE_MAX_AGE_S}`;
    r.return(picture === undefined ? 404 : 200, (picture ?? '') as string);
  }
}
